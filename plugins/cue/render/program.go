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

// evaluate fills the template in. It does so again for as long as that shows something in it that
// needs to be put in today's CUE.
func evaluate(source string, in values) (*program, *Fault) {
	older := legacy{}
	older.probe(source, in)
	for {
		program, fault := evaluateWith(older, source, in)
		if fault != nil || !older.find(program.root) {
			return program, fault
		}
	}
}

func evaluateWith(older legacy, source string, in values) (*program, *Fault) {
	file, fault := parse(source)
	if fault != nil {
		return nil, fault
	}
	if err := older.modernise(file); err != nil {
		return nil, InternalFault("cannot put the template in today's CUE: %v", err)
	}
	root, fault := assemble(file, in)
	return &program{source, in, file, root}, fault
}

// assemble puts the values beside the template, as a second file of one package: what KubeVela did
// with text, done with syntax trees.
func assemble(file *ast.File, in values) (cue.Value, *Fault) {
	imports := kubernetesPackages(file)
	if file.PackageName() == "" {
		file.Decls = slices.Insert(file.Decls, 0, packageClause("template"))
	}
	beside := &ast.File{Decls: []ast.Decl{
		packageClause(file.PackageName()),
		field(ast.NewIdent("context"), literal(in.context)),
		field(ast.NewIdent("parameter"), literal(in.parameter)),
	}}
	for _, name := range []string{"output", "outputs"} {
		if _, isGiven := in.context[name]; !isGiven && readsContext(file, name) {
			beside.Decls = append(beside.Decls, contextReference(name)...)
		}
	}
	return compile(imports, file, beside)
}

// packageClause names a package. Files see each other's fields only within a named one.
func packageClause(name string) ast.Decl {
	return &ast.Package{Name: ast.NewIdent(name)}
}

// readsContext reports whether the template has `context.<name>` in it, outside the field of that
// name: within it, it would mean itself.
func readsContext(file *ast.File, name string) (isRead bool) {
	for _, decl := range file.Decls {
		if field, ok := decl.(*ast.Field); ok && labelText(field.Label) == name {
			continue
		}
		ast.Walk(decl, func(node ast.Node) bool {
			path := referencePath(node, "context")
			isRead = isRead || (len(path) == 2 && path[1] == name)
			return !isRead
		}, nil)
	}
	return isRead
}

// contextReference makes `context.output` mean what the template itself yields, for the objects in
// `outputs` that refer to the workload beside them. The detour over a let keeps the name of the
// field from hiding what it stands for.
func contextReference(name string) []ast.Decl {
	let := &ast.LetClause{Ident: ast.NewIdent("own_" + name), Expr: ast.NewIdent(name)}
	reference := &ast.StructLit{Elts: []ast.Decl{
		field(ast.NewIdent(name), ast.NewIdent("own_"+name)),
	}}
	return []ast.Decl{let, field(ast.NewIdent("context"), reference)}
}

func compile(imports []*build.Instance, files ...*ast.File) (cue.Value, *Fault) {
	instance := build.NewContext().NewInstance("", nil)
	instance.Imports = imports
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
