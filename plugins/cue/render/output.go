// SPDX-License-Identifier: Apache-2.0

package render

import (
	"bytes"
	"encoding/json"
	"fmt"

	"cuelang.org/go/cue"
)

// Object is a JSON object with its names sorted.
type Object = json.RawMessage

// objectOf turns a value of the template into a Kubernetes object. All of it must be concrete.
func (p *program) objectOf(path string, value cue.Value) (Object, *Fault) {
	if err := value.Validate(); err != nil {
		return nil, p.classify(Conflict, err)
	}
	if err := value.Validate(cue.Concrete(true), cue.Final()); err != nil {
		return nil, p.classify(Incomplete, err)
	}
	if err := value.Err(); err != nil {
		return nil, p.classify(Conflict, err)
	}
	if kind := value.Kind(); kind != cue.StructKind {
		return nil, &Fault{Code: NoOutput, Path: path, Message: fmt.Sprintf(
			"%s: expected an object, found %s", path, describeKinds(kind))}
	}
	text, err := value.MarshalJSON()
	if err != nil {
		return nil, p.classify(Conflict, err)
	}
	return sortNames(text)
}

func sortNames(text []byte) (Object, *Fault) {
	var value any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		return nil, InternalFault("the CUE engine wrote JSON that doesn't parse: %v", err)
	}
	var sorted bytes.Buffer
	encoder := json.NewEncoder(&sorted)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, InternalFault("cannot write the object as JSON: %v", err)
	}
	return bytes.TrimSpace(sorted.Bytes()), nil
}

// collect reads `output` and all of `outputs`.
func (p *program) collect() (*Result, *Fault) {
	output, fault := p.lookupOutput()
	if fault != nil {
		return nil, fault
	}
	result := &Result{Outputs: map[string]Object{}}
	if result.Output, fault = p.objectOf("output", output); fault != nil {
		return nil, fault
	}
	return result, p.collectOutputs(result.Outputs)
}

func (p *program) lookupOutput() (cue.Value, *Fault) {
	output := p.root.LookupPath(cue.ParsePath("output"))
	if output.Exists() {
		return output, nil
	}
	// A condition around `output` that lacks a value hides it as much as a template without any.
	if err := p.root.Err(); err != nil {
		return output, p.classify(Incomplete, err)
	}
	return output, &Fault{Code: NoOutput, Path: "output", Message: "the template has no `output`," +
		" which holds the object to create"}
}

func (p *program) collectOutputs(into map[string]Object) *Fault {
	outputs := p.root.LookupPath(cue.ParsePath("outputs"))
	if !outputs.Exists() {
		return nil
	}
	if err := outputs.Validate(); err != nil {
		return p.classify(Conflict, err)
	}
	fields, err := outputs.Fields()
	if err != nil {
		return p.classify(Incomplete, err)
	}
	for fields.Next() {
		name := fields.Selector().Unquoted()
		object, fault := p.objectOf(joinPath([]string{"outputs", name}), fields.Value())
		if fault != nil {
			return fault
		}
		into[name] = object
	}
	return nil
}
