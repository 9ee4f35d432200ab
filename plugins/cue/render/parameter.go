// SPDX-License-Identifier: Apache-2.0

package render

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/errors"
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
	return engineMismatch(schema, errors.Errors(err)[0])
}

// engineMismatch is for what only the declaration as a whole forbids: what one parameter means for
// another, or an unknown name deep inside a closed definition.
func engineMismatch(schema cue.Value, err errors.Error) *Fault {
	path := err.Path()
	if len(path) < 2 || path[0] != "parameter" {
		return explain(Parameter, err)
	}
	if format, _ := err.Msg(); format == "field not allowed" {
		parent, _ := declared(schema, path[1:len(path)-1])
		return unknownFault(parent, path)
	}
	return parameterFault(path, messageOf(err))
}

func unknownFault(parent cue.Value, path []string) *Fault {
	known := strings.TrimPrefix(describeStruct(parent), "an object with ")
	return parameterFault(path, "not known to the template; it takes "+known)
}

// mismatch finds the innermost part of a value that its schema does not accept.
func mismatch(schema cue.Value, given any, path []string) *Fault {
	err := schema.Unify(schema.Context().BuildExpr(literal(given))).Validate()
	if err == nil {
		return nil
	}
	problem := fmt.Sprintf("expected %s, found %s", describeExpected(schema), describeFound(given))
	if isSameKind(schema, given) {
		if fault := mismatchInside(schema, given, path); fault != nil || len(path) == 1 {
			return fault
		}
		problem += ": " + messageOf(errors.Errors(err)[0])
	}
	return parameterFault(path, problem)
}

// isSameKind reports whether both are objects or both are lists, so that there is an inside.
func isSameKind(schema cue.Value, given any) bool {
	switch given.(type) {
	case map[string]any:
		return isObject(schema)
	case []any:
		return schema.IncompleteKind() == cue.ListKind
	default:
		return false
	}
}

func mismatchInside(schema cue.Value, given any, path []string) *Fault {
	if object, ok := given.(map[string]any); ok {
		return mismatchInObject(schema, object, path)
	}
	return mismatchInList(schema, given.([]any), path)
}

func mismatchInObject(schema cue.Value, given map[string]any, path []string) *Fault {
	if isDisjunction(schema) {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if fault := mismatchInField(schema, name, given, path); fault != nil {
			return fault
		}
	}
	return nil
}

func mismatchInField(schema cue.Value, name string, given map[string]any, path []string) *Fault {
	inner := append(slices.Clip(path), name)
	field, isKnown := fieldSchema(schema, name)
	if !isKnown {
		// The others may decide whether there is such a field: `if type == "pvc" {…}`.
		others := maps.Clone(given)
		delete(others, name)
		schema = schema.Unify(schema.Context().BuildExpr(literal(others)))
		field, isKnown = fieldSchema(schema, name)
	}
	if isKnown {
		return mismatch(field, given[name], inner)
	}
	if schema.Allows(cue.Str(name)) {
		return nil
	}
	return unknownFault(schema, inner)
}

func mismatchInList(schema cue.Value, given []any, path []string) *Fault {
	for i, item := range given {
		itemSchema := itemSchema(schema, i)
		if !itemSchema.Exists() {
			return nil
		}
		if fault := mismatch(itemSchema, item, append(slices.Clip(path), fmt.Sprint(i))); fault != nil {
			return fault
		}
	}
	return nil
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

// itemSchema is what a list's item must be: by its place, or the same for all.
func itemSchema(schema cue.Value, i int) cue.Value {
	if item := schema.LookupPath(cue.MakePath(cue.Index(i))); item.Exists() {
		return item
	}
	return schema.LookupPath(cue.MakePath(cue.AnyIndex))
}

// isObject also knows an object with conditions in it that can't be decided yet. To the engine
// that has no kind.
func isObject(schema cue.Value) bool {
	switch schema.IncompleteKind() {
	case cue.StructKind:
		return true
	case cue.BottomKind:
		_, err := schema.Fields(cue.Optional(true))
		return err == nil
	default:
		return false
	}
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
		Message: fmt.Sprintf(`parameter "%s": %s`, joinPath(path[1:]), problem),
	}
}
