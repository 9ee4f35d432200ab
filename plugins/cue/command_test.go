// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func write(t *testing.T, name, text string) string {
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func runCommand(t *testing.T, args ...string) (output, errors string, code int) {
	var out, err bytes.Buffer
	command := program(context.Background(), args...)
	command.Stdout, command.Stderr = &out, &err
	command.Run()
	return out.String(), err.String(), command.ProcessState.ExitCode()
}

const greeting = `parameter: {greeting: string, times: *1 | int}
output: {
	kind: "ConfigMap"
	data: {text: "\(parameter.greeting), \(context.name)", times: parameter.times}
}
outputs: second: {kind: "Other", list: [1, "2"]}
`

func TestRenderCommand(t *testing.T) {
	template := write(t, "greeting.cue", greeting)
	parameter := write(t, "parameter.json", `{"greeting": "yes: \"no\""}`)
	contexts := write(t, "context.json", `{"name": "web"}`)
	output, errors, code := runCommand(t, "render", "--context", contexts, template,
		"--parameter", parameter)
	expected := `---
# output
data:
  text: 'yes: "no", web'
  times: 1
kind: ConfigMap
---
# outputs.second
kind: Other
list:
  - 1
  - "2"
`
	if code != 0 || errors != "" || output != expected {
		t.Errorf("expected %s\nfound %d, %s, %s", expected, code, errors, output)
	}
	output, _, code = runCommand(t, "render", "--json", "--context", contexts, template,
		"--parameter", parameter)
	expected = `{"output":{"data":{"text":"yes: \"no\", web","times":1},"kind":"ConfigMap"},` +
		`"outputs":{"second":{"kind":"Other","list":[1,"2"]}}}` + "\n"
	if code != 0 || output != expected {
		t.Errorf("expected %s\nfound %d, %s", expected, code, output)
	}
}

func TestRenderCommandExplains(t *testing.T) {
	template := write(t, "broken.cue", "output: {\n\tkind: = 1\n}\n")
	_, errors, code := runCommand(t, "render", template)
	expected := template + ":2:8: syntax: expected operand, found '='\n" +
		"    \tkind: = 1\n" +
		"    \t      ^\n"
	if code != 1 || errors != expected {
		t.Errorf("expected %s\nfound %d, %s", expected, code, errors)
	}
	template = write(t, "greeting.cue", greeting)
	_, errors, code = runCommand(t, "render", template)
	expected = template + `: parameter: parameter "greeting": required, expected string, and ` +
		"nothing was given\n"
	if code != 1 || errors != expected {
		t.Errorf("expected %s\nfound %d, %s", expected, code, errors)
	}
}

func TestRenderCommandArguments(t *testing.T) {
	template := write(t, "greeting.cue", greeting)
	half := write(t, "half.json", `{"a": `)
	for _, test := range []struct {
		args     []string
		code     int
		expected string
	}{
		{[]string{"render"}, exitUsage, "expected one template, found 0"},
		{[]string{"render", template, template}, exitUsage, "expected one template, found 2"},
		{[]string{"render", "--parameters", half, template}, exitUsage, "-parameters"},
		{[]string{"render", template, "--parameter", half}, exitFailure, half + ": unexpected EOF"},
		{[]string{"render", template + ".none"}, exitFailure, "no such file"},
		{[]string{"rendre"}, exitUsage, `unknown command "rendre"`},
	} {
		_, errors, code := runCommand(t, test.args...)
		if code != test.code || !strings.Contains(errors, test.expected) {
			t.Errorf("%v: expected %d, %s\nfound %d, %s", test.args, test.code, test.expected, code, errors)
		}
	}
	if output, _, code := runCommand(t, "help"); code != 0 || output != usage {
		t.Errorf("expected the usage, found %d, %s", code, output)
	}
}
