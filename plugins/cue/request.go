// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"sluice/plugins/cue/render"
)

type request struct {
	ID        int64  `json:"id"`
	Template  string `json:"template"`
	Context   any    `json:"context"`
	Parameter any    `json:"parameter"`
}

// answer holds either the rendered objects or the error.
type answer struct {
	ID int64 `json:"id"`
	*render.Result
	Error *render.Fault `json:"error,omitempty"`
}

// decodeJSON reads exactly one JSON text, keeping numbers as they are written.
func decodeJSON(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return fmt.Errorf("more text after the JSON value, at byte %d", decoder.InputOffset())
	}
	return nil
}

func encodeJSON(value any) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return bytes.TrimSpace(text.Bytes()), err
}

// respond answers one request. Whatever the request is, there is an answer.
func respond(text []byte) []byte {
	reply := handle(text)
	encoded, err := encodeJSON(reply)
	if err != nil {
		encoded = encodeFault(reply.ID, render.InternalFault("cannot write the answer: %v", err))
	}
	if len(encoded) > maxFrame {
		encoded = encodeFault(reply.ID, &render.Fault{Code: render.Unsupported, Message: fmt.Sprintf(
			"the rendered objects take %d bytes as JSON; at most %d are allowed",
			len(encoded), maxFrame)})
	}
	return encoded
}

func handle(text []byte) answer {
	var in request
	if err := decodeJSON(text, &in); err != nil {
		return answer{ID: in.ID, Error: render.InternalFault("the request is not understood: %v", err)}
	}
	result, fault := render.Render(render.Input{
		Template: in.Template, Context: in.Context, Parameter: in.Parameter,
	})
	return answer{ID: in.ID, Result: result, Error: fault}
}

func encodeFault(id int64, fault *render.Fault) []byte {
	text, _ := encodeJSON(answer{ID: id, Error: fault})
	return text
}
