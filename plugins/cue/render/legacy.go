// SPDX-License-Identifier: Apache-2.0

package render

import (
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/ast/astutil"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/token"
)

// What CUE 0.2, which KubeVela 1.0 evaluated templates with, understood and today's doesn't, where
// the meaning can be kept to the letter. For what can't, hints lead the way.

// legacy holds the operators of a template that are meant for lists.
type legacy map[operator]bool

// operator stands at the offset of its left operand in the template.
type operator struct {
	offset int
	token  token.Token
}

// find collects the operators that the engine refuses since lists have functions for them:
// `a + b` and `3 * a`. Only the evaluation shows whether operands are lists.
func (l legacy) find(root cue.Value) (foundNew bool) {
	for _, err := range errors.Errors(root.Validate()) {
		found := operator{err.Position().Offset(), refusedOperator(err)}
		if found.token == token.ILLEGAL || !err.Position().IsValid() || l[found] {
			continue
		}
		l[found] = true
		foundNew = true
	}
	return foundNew
}

func refusedOperator(err errors.Error) token.Token {
	format, _ := err.Msg()
	switch {
	case strings.HasPrefix(format, "Addition of lists is superseded"):
		return token.ADD
	case strings.HasPrefix(format, "Multiplication of lists is superseded"):
		return token.MUL
	default:
		return token.ILLEGAL
	}
}

// modernise writes these operators as the functions that took their place.
func (l legacy) modernise(file *ast.File) error {
	if len(l) == 0 {
		return nil
	}
	astutil.Apply(file, nil, func(cursor astutil.Cursor) bool {
		binary, ok := cursor.Node().(*ast.BinaryExpr)
		if ok && l[operator{binary.Pos().Offset(), binary.Op}] {
			cursor.Replace(listCall(binary))
		}
		return true
	})
	return astutil.Sanitize(file)
}

func listCall(binary *ast.BinaryExpr) ast.Expr {
	if binary.Op == token.ADD {
		return ast.NewCall(listFunction(binary, "Concat"), ast.NewList(binary.X, binary.Y))
	}
	list, count := binary.X, binary.Y
	if _, ok := list.(*ast.BasicLit); ok {
		list, count = count, list
	} else if _, ok := count.(*ast.ListLit); ok {
		list, count = count, list
	}
	return ast.NewCall(listFunction(binary, "Repeat"), list, count)
}

// listFunction names a function of package list, in the place of the expression that it replaces.
func listFunction(from ast.Expr, name string) ast.Expr {
	list := &ast.Ident{Name: "list", NamePos: from.Pos(), Node: ast.NewImport(nil, "list")}
	return ast.NewSel(list, name)
}

// hint recognises older syntax at the place where the parser stumbled over it.
func hint(source string, offset int) string {
	rest := source[min(max(offset, 0), len(source)):]
	switch word := firstWord(rest); {
	case strings.HasPrefix(rest, ":") && strings.HasSuffix(source[:offset], ":"):
		return "a definition is written #Name: …, not Name :: …"
	case word == "for" || word == "if":
		return "a comprehension stands before its value: [for x in list {x}], if condition {…}"
	case word == "div" || word == "mod" || word == "quo" || word == "rem":
		return "integer division is written " + word + "(a, b)"
	default:
		return ""
	}
}

func firstWord(text string) string {
	end := strings.IndexFunc(text, func(r rune) bool { return r < 'a' || r > 'z' })
	if end < 0 {
		return text
	}
	return text[:end]
}
