// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// FuzzServe feeds bytes to the protocol. Whatever comes in, each answer is JSON with an id and
// either objects or an error.
func FuzzServe(f *testing.F) {
	f.Add(frame(`{"id": 1, "template": "output: kind: \"X\""}`))
	f.Add(frame(`{"id": 1, "template": "parameter: a: int\noutput: b: parameter.a",
		"parameter": {"a": 2}}`))
	f.Add(append(frame(`{"id": 2}`), frame(`[`)...))
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 1, '{'})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, in []byte) {
		var out bytes.Buffer
		serve(bytes.NewReader(in), &out)
		for out.Len() > 0 {
			text, err := readFrame(&out)
			if err != nil {
				t.Fatal(err)
			}
			checkAnswer(t, text)
		}
	})
}

func checkAnswer(t *testing.T, text []byte) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	hasObjects := members["output"] != nil && members["outputs"] != nil
	hasError := members["error"] != nil
	if members["id"] == nil || hasObjects == hasError {
		t.Fatalf("expected an id and either objects or an error, found %s", text)
	}
}

// FuzzRequest takes a request apart: a template with values that may be anything.
func FuzzRequest(f *testing.F) {
	f.Add("parameter: {a: *1 | int, b?: [...string]}\noutput: parameter", `{"b": ["x"]}`, `{}`)
	f.Add("output: {name: context.name, if parameter.x != _|_ {x: 1}}",
		`{"x": null}`, `{"name": "\\(x)"}`)
	f.Add("output: [1] + parameter.a", `{"a": [2]}`, `null`)
	f.Add("import \"kube/apps/v1\"\noutput: v1.#Deployment & context.output", `{}`, `{}`)
	f.Fuzz(func(t *testing.T, template, parameter, context string) {
		if !json.Valid([]byte(parameter)) || !json.Valid([]byte(context)) {
			return
		}
		request, err := encodeJSON(map[string]any{"id": 1, "template": template,
			"parameter": json.RawMessage(parameter), "context": json.RawMessage(context)})
		if err != nil {
			t.Fatal(err)
		}
		reply := respond(request)
		checkAnswer(t, reply)
		if again := respond(request); !bytes.Equal(reply, again) {
			t.Fatalf("first %s\nthen %s", reply, again)
		}
	})
}

// FuzzValues proves that values go through unchanged, whatever they look like.
func FuzzValues(f *testing.F) {
	f.Add(`{"a": "\\(context.name)", "b\"}, x: {\"": [1, -2, {"#d": null, "_h": true}]}`)
	f.Add(`{"": {"if": "for", "a.b/c": "\u0000\u2028\ud83d\ude00"},
		"__x": 123456789012345678901234567890}`)
	f.Fuzz(func(t *testing.T, parameter string) {
		var given map[string]any
		// CUE writes floats in its own way, and -0 as 0.
		if decodeJSON([]byte(parameter), &given) != nil || given == nil || hasOddNumber(given) {
			return
		}
		request, err := encodeJSON(map[string]any{"id": 1, "parameter": given,
			"template": "parameter: {...}\noutput: {parameter}"})
		if err != nil {
			t.Fatal(err)
		}
		values, err := encodeJSON(given)
		if err != nil {
			t.Fatal(err)
		}
		expected := `{"id":1,"output":` + string(values) + `,"outputs":{}}`
		if found := string(respond(request)); found != expected {
			t.Errorf("expected %s\nfound    %s", expected, found)
		}
	})
}

func hasOddNumber(value any) bool {
	switch value := value.(type) {
	case map[string]any:
		for _, inside := range value {
			if hasOddNumber(inside) {
				return true
			}
		}
	case []any:
		for _, inside := range value {
			if hasOddNumber(inside) {
				return true
			}
		}
	case json.Number:
		return value == "-0" || strings.ContainsAny(value.String(), ".eE")
	}
	return false
}
