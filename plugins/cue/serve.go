// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
)

// serve answers requests in order until the input ends.
func serve(in io.Reader, out io.Writer) error {
	reader := bufio.NewReader(in)
	for {
		text, err := readFrame(reader)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("cannot read a request: %w", err)
		}
		if err := writeFrame(out, respond(text)); err != nil {
			return fmt.Errorf("cannot write an answer: %w", err)
		}
		if reader.Buffered() == 0 {
			releaseMemory()
		}
	}
}

// releaseMemory hands the rest of a large rendering back to the system. Small ones leave their
// memory to the next.
func releaseMemory() {
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	if memory.HeapSys-memory.HeapReleased > idleHeap {
		debug.FreeOSMemory()
	}
}
