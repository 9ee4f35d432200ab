// SPDX-License-Identifier: Apache-2.0

package render

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/token"
)

// literal builds the syntax tree of a JSON value as encoding/json decodes it (with UseNumber).
// The tree is made node by node and never read as CUE, so nothing in a value can become more than
// a value: every name is a quoted one, every string a plain one. Nodes carry no position, which
// is how errors tell values from the template.
func literal(value any) ast.Expr {
	switch value := value.(type) {
	case map[string]any:
		return structLiteral(value)
	case []any:
		list := make([]ast.Expr, len(value))
		for i, item := range value {
			list[i] = literal(item)
		}
		return ast.NewList(list...)
	case json.Number:
		return numberLiteral(value.String())
	case string:
		return ast.NewString(value)
	case bool:
		return ast.NewBool(value)
	default:
		return ast.NewNull()
	}
}

func structLiteral(object map[string]any) ast.Expr {
	literals := &ast.StructLit{}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		literals.Elts = append(literals.Elts, field(ast.NewString(name), literal(object[name])))
	}
	return literals
}

func field(label ast.Label, value ast.Expr) *ast.Field {
	return &ast.Field{Label: label, Value: value}
}

// numberLiteral keeps all digits; as in CUE, 1 is an int, and 1.0 and 1e3 are floats.
func numberLiteral(text string) ast.Expr {
	digits, isNegative := strings.CutPrefix(text, "-")
	kind := token.INT
	if strings.ContainsAny(digits, ".eE") {
		kind = token.FLOAT
	}
	number := ast.NewLit(kind, digits)
	if isNegative {
		return &ast.UnaryExpr{Op: token.SUB, X: number}
	}
	return number
}
