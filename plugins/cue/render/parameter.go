// SPDX-License-Identifier: Apache-2.0

package render

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"cuelang.org/go/cue"
)

var parameterPath = cue.ParsePath("parameter")

// checkParameter compares what was given with what the template declares. The engine's verdict
// counts; its words do not, since they speak of conflicts between values and don't know which
// side a person can change.
func (p *program) checkParameter() *Fault {
	err := p.root.LookupPath(parameterPath).Validate()
	if err == nil {
		return nil
	}
	bare, fault := evaluate(p.source, values{p.values.context, map[string]any{}})
	if fault != nil {
		return fault
	}
	schema := bare.root.LookupPath(parameterPath)
	if schema.Validate() != nil {
		return explain(Conflict, err)
	}
	if fault := mismatch(schema, p.values.parameter, []string{"parameter"}); fault != nil {
		return fault
	}
	return explain(Parameter, err)
}

// mismatch finds the innermost part of a value that its schema does not accept.
func mismatch(schema cue.Value, given any, path []string) *Fault {
	value := schema.Context().BuildExpr(literal(given))
	if schema.Unify(value).Validate() == nil {
		return nil
	}
	if fault := mismatchInside(schema, given, path); fault != nil {
		return fault
	}
	if len(path) == 1 {
		return nil
	}
	return parameterFault(path, fmt.Sprintf("expected %s, found %s",
		describeExpected(schema), describeFound(given)))
}

func mismatchInside(schema cue.Value, given any, path []string) *Fault {
	switch given := given.(type) {
	case map[string]any:
		if schema.IncompleteKind() != cue.StructKind || isDisjunction(schema) {
			return nil
		}
		for _, name := range slices.Sorted(maps.Keys(given)) {
			if fault := mismatchField(schema, name, given[name], path); fault != nil {
				return fault
			}
		}
	case []any:
		for i, item := range given {
			inner := append(slices.Clip(path), fmt.Sprint(i))
			if fault := mismatch(itemSchema(schema, i), item, inner); fault != nil {
				return fault
			}
		}
	}
	return nil
}

func mismatchField(schema cue.Value, name string, given any, path []string) *Fault {
	inner := append(slices.Clip(path), name)
	field, isKnown := fieldSchema(schema, name)
	if isKnown {
		return mismatch(field, given, inner)
	}
	if schema.Allows(cue.Str(name)) {
		return nil
	}
	known := strings.TrimPrefix(describeStruct(schema), "an object with ")
	return parameterFault(inner, "not known to the template; it takes "+known)
}

// fieldSchema finds a declared field, optional or not, or the pattern for all names.
func fieldSchema(schema cue.Value, name string) (cue.Value, bool) {
	fields, err := schema.Fields(cue.Optional(true))
	for err == nil && fields.Next() {
		if fields.Selector().Unquoted() == name {
			return fields.Value(), true
		}
	}
	pattern := schema.LookupPath(cue.MakePath(cue.AnyString))
	return pattern, pattern.Exists()
}

// itemSchema is the schema of a list's item; a value that is no list has none, and takes nothing.
func itemSchema(schema cue.Value, i int) cue.Value {
	if item := schema.LookupPath(cue.MakePath(cue.Index(i))); item.Exists() {
		return item
	}
	return schema.LookupPath(cue.MakePath(cue.AnyIndex))
}

func isDisjunction(schema cue.Value) bool {
	op, _ := schema.Expr()
	return op == cue.OrOp
}

// parameterFault names the parameter as the user wrote it: `env[0].name`, not `parameter.env…`.
func parameterFault(path []string, problem string) *Fault {
	return &Fault{
		Code:    Parameter,
		Path:    joinPath(path),
		Message: fmt.Sprintf("parameter %q: %s", joinPath(path[1:]), problem),
	}
}
