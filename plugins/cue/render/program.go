// SPDX-License-Identifier: Apache-2.0

package render

import (
	"slices"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/cuecontext"
)

// values are what a template is filled in with.
type values struct {
	context   map[string]any
	parameter map[string]any
}

// program is a template together with its values, evaluated.
type program struct {
	source string
	values values
	file   *ast.File
	root   cue.Value
}

// evaluate puts the values beside the template, as a second file of one package: what KubeVela did
// with text, done with syntax trees.
func evaluate(source string, in values) (*program, *Fault) {
	file, fault := parse(source)
	if fault != nil {
		return nil, fault
	}
	if file.PackageName() == "" {
		file.Decls = slices.Insert(file.Decls, 0, packageClause("template"))
	}
	beside := &ast.File{Decls: []ast.Decl{
		packageClause(file.PackageName()),
		field(ast.NewIdent("context"), literal(in.context)),
		field(ast.NewIdent("parameter"), literal(in.parameter)),
	}}
	root, fault := compile(file, beside)
	return &program{source, in, file, root}, fault
}

// packageClause names a package. Files see each other's fields only within a named one.
func packageClause(name string) ast.Decl {
	return &ast.Package{Name: ast.NewIdent(name)}
}

func compile(files ...*ast.File) (cue.Value, *Fault) {
	instance := build.NewContext().NewInstance("", nil)
	for _, file := range files {
		if err := instance.AddSyntax(file); err != nil {
			return cue.Value{}, explain(Syntax, err)
		}
	}
	// A CUE context interns every name it meets and never forgets one, so each request has its own.
	root := cuecontext.New().BuildInstance(instance)
	if instance.Err != nil {
		return root, explain(Syntax, instance.Err)
	}
	return root, nil
}
