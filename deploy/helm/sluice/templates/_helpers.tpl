{{/* SPDX-License-Identifier: Apache-2.0 */}}

{{- define "sluice.selector" -}}
app.kubernetes.io/name: sluice
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "sluice.account" -}}
{{ .Values.serviceAccount.name | default .Release.Name }}
{{- end }}

{{- define "sluice.image" -}}
{{ .Values.image.repository }}
{{- if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{/* deploy/rbac with the names and the namespace of this release. */}}
{{- define "sluice.own" -}}
{{- $account := include "sluice.account" .root }}
{{- $text := regexReplaceAll "(?m)^( *)namespace: sluice-system$" .text (printf "${1}namespace: %s" .root.Release.Namespace) }}
{{- $text = regexReplaceAll "(?m)^( *)name: sluice(-[a-z-]+)?$" $text (printf "${1}name: %s${2}" .root.Release.Name) }}
{{- regexReplaceAll "(kind: ServiceAccount\n *name:) .*" $text (printf "${1} %s" $account) }}
{{- end }}
