// SPDX-License-Identifier: Apache-2.0

package render

import (
	"fmt"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/token"
)

// A disjunction swallows errors: `*(a + b) | c` would quietly become c if a and b are lists, and
// `(a + b) != _|_` false. So that this shows, such expressions are also put in hidden fields beside
// them, in a copy of the template that is evaluated for nothing else.

// prober walks a template with the struct that it is in, and whether errors go unseen there.
type prober struct {
	scope    *ast.StructLit
	swallows bool
	probes   int
}

// addProbes reports how many it added.
func addProbes(file *ast.File) int {
	// The file's own fields are put in a struct for the walk, since a file is none.
	top := &ast.StructLit{Elts: file.Decls}
	p := &prober{scope: top}
	p.walk(top)
	file.Decls = top.Elts
	return p.probes
}

func (p *prober) walk(node ast.Node) {
	before := *p
	ast.Walk(node, func(inner ast.Node) bool {
		if inner == node {
			return true
		}
		switch inner := inner.(type) {
		case *ast.StructLit:
			p.scope = inner
			p.walk(inner)
		case *ast.BinaryExpr:
			p.visit(inner)
			p.walk(inner)
		default:
			return true
		}
		p.scope, p.swallows = before.scope, before.swallows
		return false
	}, nil)
}

func (p *prober) visit(binary *ast.BinaryExpr) {
	switch binary.Op {
	case token.OR, token.EQL, token.NEQ:
		p.swallows = true
	case token.ADD, token.MUL:
		if p.swallows {
			name := ast.NewIdent(fmt.Sprintf("_probe_%d", p.probes))
			p.scope.Elts = append(p.scope.Elts, field(name, binary))
			p.probes++
		}
	}
}

// probe finds the operators that errors would not lead to. A copy that can't be evaluated tells
// nothing, which is no worse than not to have asked.
func (l legacy) probe(source string, in values) {
	file, fault := parse(source)
	if fault != nil || addProbes(file) == 0 {
		return
	}
	if root, fault := assemble(file, in); fault == nil {
		l.find(root)
	}
}
