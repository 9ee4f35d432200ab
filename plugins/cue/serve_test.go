// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

func frame(text string) []byte {
	var out bytes.Buffer
	if err := writeFrame(&out, []byte(text)); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// serveAll sends frames and returns the answers, as texts.
func serveAll(t *testing.T, in []byte) ([]string, error) {
	var out bytes.Buffer
	failure := serve(bytes.NewReader(in), &out)
	var answers []string
	for {
		text, err := readFrame(&out)
		if err == io.EOF {
			return answers, failure
		}
		if err != nil {
			t.Fatal(err)
		}
		answers = append(answers, string(text))
	}
}

func TestServeAnswersInOrder(t *testing.T) {
	in := append(frame(`{"id": 7, "template": "output: kind: \"X\""}`),
		frame(`{"id": -3, "template": "output: ["}`)...)
	answers, err := serveAll(t, in)
	if err != nil || len(answers) != 2 {
		t.Fatalf("expected two answers and no error, found %q, %v", answers, err)
	}
	if answers[0] != `{"id":7,"output":{"kind":"X"},"outputs":{}}` {
		t.Errorf("found %s", answers[0])
	}
	if !strings.HasPrefix(answers[1], `{"id":-3,"error":{"code":"syntax","message":`) {
		t.Errorf("found %s", answers[1])
	}
}

func TestServeEndsWithItsInput(t *testing.T) {
	if answers, err := serveAll(t, nil); err != nil || len(answers) != 0 {
		t.Errorf("expected no answer and no error, found %q, %v", answers, err)
	}
}

func TestServeRefusesHalfFrames(t *testing.T) {
	whole := frame(`{"id": 1, "template": ""}`)
	for size := 1; size < len(whole); size++ {
		if _, err := serveAll(t, whole[:size]); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%d of %d bytes: expected an unexpected end, found %v", size, len(whole), err)
		}
	}
}

func TestServeRefusesLargeFrames(t *testing.T) {
	_, err := serveAll(t, []byte{0, 0x80, 0, 1})
	if !errors.Is(err, errFrameTooLarge) || !strings.Contains(err.Error(), "8388609 bytes") {
		t.Errorf("expected the announced size to be refused, found %v", err)
	}
	if _, err := serveAll(t, []byte{0xff, 0xff, 0xff, 0xff}); !errors.Is(err, errFrameTooLarge) {
		t.Errorf("expected the announced size to be refused, found %v", err)
	}
}

func TestServeReportsBrokenPipes(t *testing.T) {
	read, write := io.Pipe()
	read.Close()
	if err := serve(bytes.NewReader(frame(`{"id": 1}`)), write); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("expected a closed pipe, found %v", err)
	}
}

func TestRequestsNotUnderstood(t *testing.T) {
	for request, expected := range map[string]string{
		``:                             `"id":0`,
		`null and more`:                `more text after the JSON value`,
		`[1]`:                          `cannot unmarshal array`,
		`{"id": 4, "templat": ""}`:     `unknown field \"templat\"`,
		`{"id": "4", "template": ""}`:  `cannot unmarshal string`,
		`{"id": 5, "template": 1}`:     `"id":5`,
		`{"id": 6, "template": ""} {}`: `more text after the JSON value`,
		`{"id": 7, "context": [1]}`:    `context: expected an object, found [1] (list)`,
		`{"id": 8, "template": "` + "\xff" + `"}`: `"id":8`,
	} {
		reply := string(respond([]byte(request)))
		if !strings.Contains(reply, expected) || !strings.Contains(reply, `"error":{"code":"`) {
			t.Errorf("%s: expected %s, found %s", request, expected, reply)
		}
	}
}

func TestLargeOutputIsRefused(t *testing.T) {
	template := `import "strings"
output: {kind: "X", texts: [for i in [1, 2, 3, 4, 5, 6, 7, 8, 9] {strings.Repeat("x", 1000000)}]}`
	text, err := encodeJSON(map[string]any{"id": 9, "template": template})
	if err != nil {
		t.Fatal(err)
	}
	reply := string(respond(text))
	if !strings.HasPrefix(reply, `{"id":9,"error":{"code":"unsupported","message":"the rendered obj`) {
		t.Errorf("found %.200s", reply)
	}
}
