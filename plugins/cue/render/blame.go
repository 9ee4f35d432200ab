// SPDX-License-Identifier: Apache-2.0

package render

import (
	"fmt"
	"slices"
	"strconv"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/token"
)

// gap is a declared parameter that has no value: nothing was given and there is no default.
type gap struct {
	path      []string
	positions []token.Pos
}

// classify turns an error of the evaluation into a fault. A value that isn't concrete because a
// parameter was not given is that parameter's fault, wherever in the template it shows.
//
// A parameter that is declared, not given and not needed is no fault: KubeVela let it pass, and
// templates rely on it.
func (p *program) classify(code Code, err error) *Fault {
	if code != Incomplete {
		return explain(code, err)
	}
	gaps := p.gaps()
	for _, single := range errors.Errors(err) {
		if path := p.blame(single, gaps); path != nil {
			return p.missingFault(path)
		}
	}
	return p.explainIncomplete(errors.Errors(err)[0])
}

// explainIncomplete adds the reference that leads nowhere, as the template has it.
func (p *program) explainIncomplete(err errors.Error) *Fault {
	fault := explain(Incomplete, err)
	for _, node := range slices.Backward(expressionsAt(p.file, err.Position())) {
		switch node := node.(type) {
		case *ast.SelectorExpr, *ast.IndexExpr:
			if text, _ := oneLine(node.(ast.Expr)); len(text) < longest {
				fault.Message += fmt.Sprintf(" (in `%s`)", text)
			}
			return fault
		}
	}
	return fault
}

func (p *program) gaps() []gap {
	var gaps []gap
	err := p.root.LookupPath(parameterPath).Validate(cue.Concrete(true))
	for _, single := range errors.Errors(err) {
		gaps = append(gaps, gap{single.Path(), errors.Positions(single)})
	}
	return gaps
}

func (p *program) missingFault(path []string) *Fault {
	expected := "the template uses it"
	if schema, ok := declared(p.root, path); ok {
		schema, path = innermostGap(schema, path)
		expected = "expected " + describeExpected(schema)
	}
	if given, ok := lookup(p.values.parameter, path[1:]); ok {
		return parameterFault(path, fmt.Sprintf(
			"found %s, which fits more than one of the template's alternatives",
			describeFound(given)))
	}
	return parameterFault(path, fmt.Sprintf("required, %s, and nothing was given", expected))
}

// innermostGap goes on from an object that was given to the field that it lacks. The engine blames
// the object if it needs that field to tell which others there are.
func innermostGap(schema cue.Value, path []string) (cue.Value, []string) {
	if !isObject(schema) {
		return schema, path
	}
	fields, err := schema.Fields()
	for err == nil && fields.Next() {
		value := fields.Value()
		if value, _ = value.Default(); value.Validate(cue.Concrete(true)) != nil {
			return innermostGap(value, append(slices.Clip(path), fields.Selector().Unquoted()))
		}
	}
	return schema, path
}

// lookup finds what was given under a path.
func lookup(value any, path []string) (any, bool) {
	for _, step := range path {
		isKnown := false
		switch inside := value.(type) {
		case map[string]any:
			value, isKnown = inside[unquote(step)]
		case []any:
			if i, err := strconv.Atoi(step); err == nil && i < len(inside) {
				value, isKnown = inside[i], true
			}
		}
		if !isKnown {
			return nil, false
		}
	}
	return value, true
}

// declared follows a path through required, optional and repeated fields.
func declared(root cue.Value, path []string) (cue.Value, bool) {
	value, isKnown := root, true
	for _, step := range path {
		if index, err := strconv.Atoi(step); err == nil && value.IncompleteKind() == cue.ListKind {
			value = itemSchema(value, index)
			isKnown = value.Exists()
		} else {
			value, isKnown = fieldSchema(value, unquote(step))
		}
		if !isKnown {
			break
		}
	}
	return value, isKnown
}

// blame finds the missing parameter behind an error. The engine says so in one of three ways: by
// the place of the parameter's declaration, by the place of the expression that needs it, or by
// nothing but the path of the value that came out incomplete.
func (p *program) blame(err errors.Error, gaps []gap) []string {
	positions := errors.Positions(err)
	for _, gap := range gaps {
		if slices.ContainsFunc(gap.positions, func(pos token.Pos) bool {
			return slices.Contains(positions, pos)
		}) {
			return gap.path
		}
	}
	for _, pos := range positions {
		for _, node := range slices.Backward(expressionsAt(p.file, pos)) {
			if path := p.blameExpression(node, pos, gaps); path != nil {
				return path
			}
		}
	}
	if source := p.root.LookupPath(makePath(err.Path())).Source(); source != nil {
		return firstGap(references(source), gaps)
	}
	return nil
}

// blameExpression looks for a reference that is undefined at this very place, and then for one
// that leads to a gap. An undefined one elsewhere may well be the `if parameter.x != _|_` of an
// optional parameter.
func (p *program) blameExpression(node ast.Node, pos token.Pos, gaps []gap) []string {
	if path := parameterReference(node); path != nil && node.End().Compare(pos) >= 0 {
		if !p.root.LookupPath(makePath(path)).Exists() {
			return path
		}
	}
	return firstGap(references(node), gaps)
}

// firstGap matches references with gaps at, above or below them.
func firstGap(references [][]string, gaps []gap) []string {
	for _, path := range references {
		for _, gap := range gaps {
			n := min(len(path), len(gap.path))
			if slices.Equal(path[:n], gap.path[:n]) {
				return gap.path
			}
		}
	}
	return nil
}

// expressionsAt lists the expressions and clauses around a position, from the outside in. Structs,
// lists and fields are left out: what stands beside the position in them is not part of it.
func expressionsAt(file *ast.File, pos token.Pos) []ast.Node {
	var around []ast.Node
	ast.Walk(file, func(node ast.Node) bool {
		if !node.Pos().IsValid() || node.Pos().Compare(pos) > 0 || node.End().Compare(pos) < 0 {
			return node == file
		}
		switch node.(type) {
		case *ast.File, *ast.StructLit, *ast.ListLit, *ast.Field, *ast.Comprehension:
		default:
			around = append(around, node)
		}
		return true
	}, nil)
	return around
}

// references lists the paths of all parameters that a node reads, itself or through others.
func references(node ast.Node) [][]string {
	var paths [][]string
	seen := map[ast.Node]bool{}
	var visit func(ast.Node) bool
	visit = func(node ast.Node) bool {
		if path := parameterReference(node); path != nil {
			paths = append(paths, path)
			return false
		}
		if ident, ok := node.(*ast.Ident); ok && ident.Node != nil && !seen[ident.Node] {
			seen[ident.Node] = true
			ast.Walk(ident.Node, visit, nil)
		}
		return true
	}
	ast.Walk(node, visit, nil)
	return paths
}

func parameterReference(node ast.Node) []string {
	return referencePath(node, "parameter")
}

// referencePath reads `name.a["b"]` as the path that it is. It is nil for any other expression.
func referencePath(node ast.Node, name string) []string {
	switch node := node.(type) {
	case *ast.Ident:
		if node.Name == name {
			return []string{name}
		}
	case *ast.SelectorExpr:
		if path := referencePath(node.X, name); path != nil {
			return append(path, labelText(node.Sel))
		}
	case *ast.IndexExpr:
		literal, ok := node.Index.(*ast.BasicLit)
		if path := referencePath(node.X, name); ok && path != nil {
			return append(path, unquote(literal.Value))
		}
	}
	return nil
}

func labelText(label ast.Label) string {
	name, _, err := ast.LabelName(label)
	if err != nil {
		return ""
	}
	return name
}

func unquote(text string) string {
	if plain, err := strconv.Unquote(text); err == nil {
		return plain
	}
	return text
}

// makePath turns the engine's path of an error, quoted where need be, into one to look up.
func makePath(steps []string) cue.Path {
	var selectors []cue.Selector
	for _, step := range steps {
		if index, err := strconv.Atoi(step); err == nil {
			selectors = append(selectors, cue.Index(index))
			continue
		}
		selectors = append(selectors, cue.ParsePath(step).Selectors()...)
	}
	return cue.MakePath(selectors...)
}
