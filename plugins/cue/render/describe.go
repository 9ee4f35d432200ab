// SPDX-License-Identifier: Apache-2.0

package render

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/token"
)

// The longest text of a schema or value that still helps inside a message.
const longest = 120

// describeExpected says in a few words what a schema asks for: `int (default 80)`,
// `one of "A", "B"`, `a list of string`, `an object with name, value?`.
func describeExpected(schema cue.Value) string {
	kind := schema.IncompleteKind()
	switch {
	case isObject(schema):
		return describeStruct(schema)
	case kind == cue.ListKind:
		return describeList(schema)
	case kind == cue.TopKind:
		return "any value"
	default:
		if text, ok := describeScalar(schema); ok {
			return text
		}
		return describeKinds(kind)
	}
}

func describeStruct(schema cue.Value) string {
	var names []string
	fields, err := schema.Fields(cue.Optional(true))
	for err == nil && fields.Next() {
		names = append(names, fields.Selector().String())
	}
	text := "an object with " + strings.Join(names, ", ")
	if len(names) == 0 || len(text) > longest {
		return "an object"
	}
	return text
}

func describeList(schema cue.Value) string {
	item := schema.LookupPath(cue.MakePath(cue.AnyIndex))
	if !item.Exists() {
		return "a list"
	}
	return "a list of " + strings.TrimPrefix(describeExpected(item), "an ")
}

func describeKinds(kind cue.Kind) string {
	text := strings.Trim(kind.String(), "()")
	return strings.ReplaceAll(strings.ReplaceAll(text, "struct", "object"), "|", " or ")
}

// describeScalar reads the alternatives of a disjunction off its syntax, which is the only place
// where a default and what it is the default of are still apart.
func describeScalar(schema cue.Value) (string, bool) {
	expr, ok := schema.Syntax().(ast.Expr)
	if !ok {
		return "", false
	}
	var all, other []string
	var preset string
	areLiterals := true
	for _, alternative := range alternatives(expr) {
		text, isDefault := oneLine(alternative)
		all = append(all, text)
		if isDefault {
			preset = text
		} else {
			other = append(other, text)
			areLiterals = areLiterals && isLiteral(alternative)
		}
	}
	text := strings.Join(other, " or ")
	if areLiterals && len(all) > 1 {
		text = "one of " + strings.Join(all, ", ")
	}
	if preset != "" {
		text += fmt.Sprintf(" (default %s)", preset)
	}
	return text, len(text) <= longest && !strings.Contains(text, "\n")
}

func alternatives(expr ast.Expr) []ast.Expr {
	switch expr := expr.(type) {
	case *ast.ParenExpr:
		return alternatives(expr.X)
	case *ast.BinaryExpr:
		if expr.Op == token.OR {
			return append(alternatives(expr.X), alternatives(expr.Y)...)
		}
	}
	return []ast.Expr{expr}
}

func oneLine(expr ast.Expr) (text string, isDefault bool) {
	if unary, ok := expr.(*ast.UnaryExpr); ok && unary.Op == token.MUL {
		expr, isDefault = unary.X, true
	}
	source, err := format.Node(expr)
	if err != nil {
		return "?", isDefault
	}
	return string(source), isDefault
}

func isLiteral(expr ast.Expr) bool {
	if unary, ok := expr.(*ast.UnaryExpr); ok && unary.Op == token.SUB {
		expr = unary.X
	}
	_, ok := expr.(*ast.BasicLit)
	return ok
}

// describeFound shows a value that was given, and its type: `"eighty" (string)`.
func describeFound(value any) string {
	switch value := value.(type) {
	case nil:
		return "null"
	case bool:
		return fmt.Sprintf("%t (bool)", value)
	case json.Number:
		if strings.ContainsAny(value.String(), ".eE") {
			return value.String() + " (float)"
		}
		return value.String() + " (int)"
	case string:
		return shortJSON(value) + " (string)"
	case []any:
		return shortJSON(value) + " (list)"
	default:
		return shortJSON(value) + " (object)"
	}
}

func shortJSON(value any) string {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return "…"
	}
	runes := []rune(strings.TrimSpace(text.String()))
	if len(runes) > longest/2 {
		return string(runes[:longest/2]) + "…"
	}
	return string(runes)
}
