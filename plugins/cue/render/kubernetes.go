// SPDX-License-Identifier: Apache-2.0

package render

import (
	"path"
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/build"
)

// KubeVela let templates import a package for each API version of the cluster, `kube/apps/v1` or
// `k8s.io/apps/v1`, with a definition for each kind. Here such a definition says apiVersion and
// kind, and leaves the rest to the API server, which knows its schema best.

// apiVersionOf reads the API version off an import path; it is empty for any other path.
func apiVersionOf(importPath string) string {
	if version, ok := strings.CutPrefix(importPath, "kube/"); ok {
		return version
	}
	standard, ok := strings.CutPrefix(importPath, "k8s.io/")
	group, version, hasVersion := strings.Cut(standard, "/")
	switch {
	case !ok || !hasVersion:
		return ""
	case group == "core":
		return version
	case slices.Contains([]string{"apps", "autoscaling", "batch", "extensions", "policy"}, group):
		return standard
	default:
		return group + ".k8s.io/" + version
	}
}

// kubernetesPackages makes the packages that a template imports, each with what it uses of it.
func kubernetesPackages(file *ast.File) []*build.Instance {
	var packages []*build.Instance
	for spec := range file.ImportSpecs() {
		importPath := importPathOf(spec)
		if apiVersion := apiVersionOf(importPath); apiVersion != "" {
			kinds := definitionsUsed(file, importName(spec))
			packages = append(packages, kubernetesPackage(importPath, apiVersion, kinds))
		}
	}
	return packages
}

func importName(spec *ast.ImportSpec) string {
	if spec.Name != nil {
		return spec.Name.Name
	}
	return path.Base(importPathOf(spec))
}

// definitionsUsed lists each X of `name.#X` once.
func definitionsUsed(file *ast.File, name string) []string {
	var used []string
	ast.Walk(file, func(node ast.Node) bool {
		selector, ok := node.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		from, ok := selector.X.(*ast.Ident)
		kind, isDefinition := strings.CutPrefix(labelText(selector.Sel), "#")
		if ok && from.Name == name && isDefinition && !slices.Contains(used, kind) {
			used = append(used, kind)
		}
		return true
	}, nil)
	return used
}

func kubernetesPackage(importPath, apiVersion string, kinds []string) *build.Instance {
	name := path.Base(importPath)
	file := &ast.File{Decls: []ast.Decl{packageClause(name)}}
	for _, kind := range kinds {
		file.Decls = append(file.Decls, field(ast.NewIdent("#"+kind), &ast.StructLit{Elts: []ast.Decl{
			field(ast.NewIdent("apiVersion"), ast.NewString(apiVersion)),
			field(ast.NewIdent("kind"), ast.NewString(kind)),
			&ast.Ellipsis{},
		}}))
	}
	return &build.Instance{PkgName: name, ImportPath: importPath, Files: []*ast.File{file}}
}
