// SPDX-License-Identifier: Apache-2.0

// Package render turns a component template and its values into Kubernetes objects, by KubeVela's
// convention: the template is CUE source that may use `context` and `parameter` and yields
// `output`, the workload, and `outputs`, named objects that go with it.
//
// A rendering depends on its input alone: there are no imports from files, no network, no clock.
// Nothing is kept from one to the next.
package render

import (
	"fmt"
)

// Input is a template and its values, as encoding/json decodes them with UseNumber.
type Input struct {
	Template  string
	Context   any
	Parameter any
}

// Result holds JSON: objects sorted by name, numbers with all the digits that CUE gave them.
type Result struct {
	Output  Object            `json:"output"`
	Outputs map[string]Object `json:"outputs"`
}

// Render evaluates the template. A panic of the engine is a fault like any other.
func Render(in Input) (result *Result, fault *Fault) {
	defer func() {
		if reason := recover(); reason != nil {
			result, fault = nil, InternalFault("the CUE engine failed: %v", reason)
		}
	}()
	values, fault := readValues(in)
	if fault != nil {
		return nil, fault
	}
	program, fault := evaluate(in.Template, values)
	if fault != nil {
		return nil, fault
	}
	if fault := program.checkParameter(); fault != nil {
		return nil, fault
	}
	return program.collect()
}

func readValues(in Input) (values, *Fault) {
	var all values
	var fault *Fault
	if all.parameter, fault = readObject("parameter", in.Parameter); fault != nil {
		fault.Code = Parameter
		return all, fault
	}
	all.context, fault = readObject("context", in.Context)
	return all, fault
}

// readObject takes what was not given for an empty object, as KubeVela did.
func readObject(name string, value any) (map[string]any, *Fault) {
	if value == nil {
		return map[string]any{}, nil
	}
	if object, ok := value.(map[string]any); ok {
		return object, nil
	}
	message := fmt.Sprintf("%s: expected an object, found %s", name, describeFound(value))
	return nil, &Fault{Code: Internal, Message: message, Path: name}
}
