// SPDX-License-Identifier: Apache-2.0

package render

import (
	"fmt"
	"strconv"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/token"
)

// Code says which of the few ways of going wrong this is; see the table in the README.
type Code string

const (
	Syntax      Code = "syntax"
	Conflict    Code = "conflict"
	NoOutput    Code = "noOutput"
	Parameter   Code = "parameter"
	Incomplete  Code = "incomplete"
	Unsupported Code = "unsupported"
	Internal    Code = "internal"
)

// Fault is why a template could not be rendered, in words meant for its author or user.
type Fault struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
	Path    string `json:"path,omitempty"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
}

func (f *Fault) Error() string {
	return fmt.Sprintf("%s: %s", f.Code, f.Message)
}

// InternalFault is for what is neither the template's nor the user's mistake.
func InternalFault(format string, args ...any) *Fault {
	return &Fault{Code: Internal, Message: fmt.Sprintf(format, args...)}
}

// at fills in the first position that lies in the template. Values have no position at all.
func (f *Fault) at(positions ...token.Pos) *Fault {
	for _, pos := range positions {
		if pos.IsValid() {
			f.Line, f.Column = pos.Line(), pos.Column()
			break
		}
	}
	return f
}

// faultOf describes one of the engine's errors, with its place in the template and its path.
func faultOf(code Code, err errors.Error) *Fault {
	fault := &Fault{Code: code, Message: messageOf(err), Path: joinPath(err.Path())}
	if fault.Path != "" {
		fault.Message = fault.Path + ": " + fault.Message
	}
	// In this order the engine goes from the place itself to what surrounds it.
	return fault.at(append([]token.Pos{err.Position()}, err.InputPositions()...)...)
}

func messageOf(err errors.Error) string {
	format, args := err.Msg()
	switch format {
	case "incomplete value %v":
		format = "needs a concrete value, found %v"
	case "structural cycle":
		format = "structural cycle: it contains itself without end"
	}
	text := fmt.Sprintf(format, args...)
	if cause := errors.Unwrap(err); cause != nil && !strings.Contains(text, cause.Error()) {
		text += ": " + cause.Error()
	}
	return strings.ReplaceAll(strings.TrimSpace(text), "\n", " ")
}

// explain describes the first of the errors in err.
func explain(code Code, err error) *Fault {
	list := errors.Errors(err)
	if isSummary(list[0]) && len(list) > 1 {
		return explainAlternatives(code, list)
	}
	return faultOf(code, list[0])
}

// explainAlternatives writes a failed disjunction as one sentence. The engine announces it with a
// count and lists why each alternative failed after it, all under the same path.
func explainAlternatives(code Code, list []errors.Error) *Fault {
	fault := faultOf(code, list[1])
	path := joinPath(list[0].Path())
	for _, err := range list[2:] {
		if joinPath(err.Path()) != path {
			break
		}
		fault.Message += "; " + messageOf(err)
	}
	return fault
}

func isSummary(err errors.Error) bool {
	format, _ := err.Msg()
	return strings.Contains(format, "errors in empty disjunction")
}

// joinPath writes a path as a person would in CUE or YAML: a.b[0]."c.d" reads a.b[0]["c.d"].
func joinPath(path []string) string {
	var text strings.Builder
	for i, step := range path {
		text.WriteString(pathStep(step, i == 0))
	}
	return text.String()
}

func pathStep(step string, isFirst bool) string {
	if name, err := strconv.Unquote(step); err == nil {
		step = name
	}
	if _, err := strconv.ParseUint(step, 10, 31); err == nil {
		return "[" + step + "]"
	}
	if !ast.IsValidIdent(step) {
		return "[" + strconv.Quote(step) + "]"
	}
	if isFirst {
		return step
	}
	return "." + step
}
