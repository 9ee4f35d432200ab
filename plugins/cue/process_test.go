// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The tests of this file run the program as the controller does: as a process of its own, with a
// limit on its memory. The program is this test binary with programVariable set.
const (
	programVariable = "SLUICE_CUE_TEST_DATA_LIMIT"
	dataLimit       = 256 << 20
)

func TestMain(m *testing.M) {
	limit, err := strconv.ParseUint(os.Getenv(programVariable), 10, 64)
	if err != nil {
		os.Exit(m.Run())
	}
	const rlimitData = syscall.RLIMIT_DATA
	if err := syscall.Setrlimit(rlimitData, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
		panic(err)
	}
	main()
}

func program(ctx context.Context, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, os.Args[0], args...)
	command.Env = append(os.Environ(), fmt.Sprintf("%s=%d", programVariable, dataLimit))
	return command
}

func requestFor(t *testing.T, file string) []byte {
	c := testCase{File: file}
	return c.request(t)
}

// runToEnd gives the program one request and nothing more.
func runToEnd(t *testing.T, timeout time.Duration, request []byte) (string, string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	var answers, errors bytes.Buffer
	command := program(ctx)
	command.Stdin = bytes.NewReader(frame(string(request)))
	command.Stdout, command.Stderr = &answers, &errors
	err := command.Run()
	return answers.String(), errors.String(), err
}

func TestProcessEndsWithItsInput(t *testing.T) {
	answers, errors, err := runToEnd(t, time.Minute, []byte(`{"id":1,"template":"output: a: 1"}`))
	if err != nil || errors != "" || !strings.HasSuffix(answers, `"output":{"a":1},"outputs":{}}`) {
		t.Errorf("expected an answer and status 0, found %.200q, %.200q, %v", answers, errors, err)
	}
}

func TestProcessSaysWhyItEnds(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var errors bytes.Buffer
	command := program(ctx)
	command.Stdin, command.Stderr = strings.NewReader("GET / HTTP/1.1\r\n\r\n"), &errors
	command.Run()
	expected := "sluice-cue: cannot read a request: frame too large: 1195725856 bytes announced, " +
		"at most 8388608 are allowed\n"
	if code := command.ProcessState.ExitCode(); code != 1 || errors.String() != expected {
		t.Errorf("expected status 1 and %q, found %d and %q", expected, code, errors.String())
	}
}

// Exploding in memory ends the process with status 2 and a first line that says so.
func TestProcessExplodingInMemory(t *testing.T) {
	expectDeath(t, "in memory", requestFor(t, "explodes-in-memory.cue"), "fatal error: ")
}

// So does nesting deeper than the stack may grow.
func TestProcessExplodingInDepth(t *testing.T) {
	deep := testCase{Template: []string{"output: " + strings.Repeat("a: ", 100000) + "1"}}
	expectDeath(t, "in depth", deep.request(t), "runtime: goroutine stack exceeds ")
}

func expectDeath(t *testing.T, name string, request []byte, lastWords string) {
	answers, errors, err := runToEnd(t, time.Minute, request)
	if ended, ok := err.(*exec.ExitError); !ok || ended.ExitCode() != exitFatal || answers != "" {
		t.Errorf("%s: expected status 2 and no answer, found %v, %.200q", name, err, answers)
	}
	if !strings.HasPrefix(errors, lastWords) {
		t.Errorf("%s: expected %q, found %.200q", name, lastWords, errors)
	}
}

// Exploding in time is the caller's to end; the program must not have come to an answer by itself.
func TestProcessExplodingInTime(t *testing.T) {
	answers, errors, err := runToEnd(t, 2*time.Second, requestFor(t, "explodes-in-time.cue"))
	ended, ok := err.(*exec.ExitError)
	if !ok || answers != "" {
		t.Fatalf("expected no answer, found %.200q, %.200q, %v", answers, errors, err)
	}
	if status := ended.Sys().(syscall.WaitStatus); !status.Signaled() {
		t.Errorf("expected it to run until killed, found %v, %.200q", err, errors)
	}
}

// A large rendering must not leave the program large. Anonymous memory is what counts: the rest is
// the program's own file, which the system can drop.
func TestProcessReturnsMemory(t *testing.T) {
	const largest = 32 << 20
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	command := program(ctx)
	in, _ := command.StdinPipe()
	out, _ := command.StdoutPipe()
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	in.Write(frame(string(largeRequest(t))))
	text, err := readFrame(out)
	if err != nil || !strings.Contains(string(text), `"k9999":`) {
		t.Fatalf("expected all objects, found %.200s, %v", text, err)
	}
	for anonymousMemory(t, command.Process.Pid) > largest {
		if ctx.Err() != nil {
			t.Fatalf("%d bytes are still held", anonymousMemory(t, command.Process.Pid))
		}
		time.Sleep(10 * time.Millisecond)
	}
	in.Close()
	if err := command.Wait(); err != nil {
		t.Error(err)
	}
}

func largeRequest(t *testing.T) []byte {
	parameter := map[string]any{}
	for i := range 10000 {
		parameter[fmt.Sprintf("k%d", i)] = map[string]any{"numbers": []int{1, 2, 3}, "text": "text"}
	}
	text, err := json.Marshal(map[string]any{"id": 1, "parameter": parameter,
		"template": "parameter: {...}\noutput: parameter"})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func anonymousMemory(t *testing.T, pid int) uint64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "RssAnon:")
	var kilobytes uint64
	if _, err := fmt.Fscan(strings.NewReader(rest), &kilobytes); err != nil && err != io.EOF {
		t.Fatal(err)
	}
	return kilobytes << 10
}
