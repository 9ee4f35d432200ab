// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the answers into cases/")

// testCase is a file in cases/. The template is in the file itself, line by line, or in
// cases/templates.
type testCase struct {
	About     string          `json:"about"`
	File      string          `json:"file,omitempty"`
	Template  []string        `json:"template,omitempty"`
	Context   json.RawMessage `json:"context,omitempty"`
	Parameter json.RawMessage `json:"parameter,omitempty"`
	Answer    json.RawMessage `json:"answer"`
}

func (c *testCase) source(t *testing.T) string {
	if c.File == "" {
		return strings.Join(c.Template, "\n")
	}
	text, err := os.ReadFile(filepath.Join("cases", "templates", c.File))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (c *testCase) request(t *testing.T) []byte {
	members := map[string]any{"id": 1, "template": c.source(t)}
	if c.Context != nil {
		members["context"] = c.Context
	}
	if c.Parameter != nil {
		members["parameter"] = c.Parameter
	}
	text, err := encodeJSON(members)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func readCase(t *testing.T, path string) *testCase {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c := &testCase{}
	if err := decodeJSON(text, c); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *testCase) write(t *testing.T, path string) {
	text, err := encodeJSON(c)
	if err != nil {
		t.Fatal(err)
	}
	var pretty bytes.Buffer
	json.Indent(&pretty, text, "", "  ")
	pretty.WriteByte('\n')
	if err := os.WriteFile(path, pretty.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// canonical makes JSON comparable: names sorted, no spaces, numbers to the letter.
func canonical(t *testing.T, text []byte) string {
	var value any
	if err := decodeJSON(text, &value); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	sorted, err := encodeJSON(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(sorted)
}

func withoutID(t *testing.T, reply []byte) []byte {
	rest, hasID := bytes.CutPrefix(reply, []byte(`{"id":1,`))
	if !hasID {
		t.Fatalf("the answer does not begin with the request's id: %s", reply)
	}
	return append([]byte("{"), rest...)
}

func casePaths(t testing.TB) []string {
	paths, err := filepath.Glob("cases/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	return paths
}

func TestCases(t *testing.T) {
	for _, path := range casePaths(t) {
		name := strings.TrimSuffix(filepath.Base(path), ".json")
		t.Run(name, func(t *testing.T) {
			c := readCase(t, path)
			found := withoutID(t, respond(c.request(t)))
			if *update {
				c.Answer = found
				c.write(t, path)
				return
			}
			if expected := canonical(t, c.Answer); expected != canonical(t, found) {
				t.Errorf("%s\nexpected %s\nfound    %s", c.About, expected, found)
			}
		})
	}
}

// Every code of the README has a case, and a result of a case never depends on those before it.
func TestCasesCoverCodes(t *testing.T) {
	missing := map[string]bool{"syntax": true, "conflict": true, "noOutput": true, "parameter": true,
		"incomplete": true, "unsupported": true}
	for _, path := range casePaths(t) {
		var reply answer
		if err := json.Unmarshal(readCase(t, path).Answer, &reply); err != nil {
			t.Fatal(err)
		}
		if reply.Error != nil {
			delete(missing, string(reply.Error.Code))
		}
	}
	if len(missing) > 0 {
		t.Errorf("no case for %v", missing)
	}
}

func TestSameRequestSameBytes(t *testing.T) {
	paths := casePaths(t)
	var before [][]byte
	for _, path := range paths {
		before = append(before, respond(readCase(t, path).request(t)))
	}
	for i := len(paths) - 1; i >= 0; i-- {
		if again := respond(readCase(t, paths[i]).request(t)); !bytes.Equal(again, before[i]) {
			t.Errorf("%s: first %s\nthen %s", paths[i], before[i], again)
		}
	}
}

// A source that meson.build does not list would change without a new build.
func TestMesonListsSources(t *testing.T) {
	list, err := os.ReadFile("meson.build")
	if err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{"*.go", "render/*.go"} {
		sources, _ := filepath.Glob(pattern)
		for _, source := range sources {
			isTest := strings.HasSuffix(source, "_test.go")
			if !isTest && !strings.Contains(string(list), "'"+source+"',") {
				t.Errorf("meson.build does not list %s", source)
			}
		}
	}
}
