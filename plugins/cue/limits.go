// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
)

const (
	// Above this the heap is given back between two requests.
	idleHeap = 12 << 20
	// From here on the collector works harder rather than let the heap grow.
	softMemory = 96 << 20
	// The end: no template that is meant to work needs as much.
	hardMemory = 128 << 20
	// A template nested deeper than this ends the program instead of eating all memory.
	maxStack = 32 << 20
)

// setLimits makes the program small and its results independent of the environment. GOGC and
// GOMEMLIMIT still count when set.
func setLimits() {
	os.Unsetenv("CUE_EXPERIMENT")
	os.Unsetenv("CUE_DEBUG")
	debug.SetMaxStack(maxStack)
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(softMemory)
	}
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(1)
	}
}

// guardMemory ends the program once more than hardMemory is in use after a collection. It costs
// nothing in between: each collection finds the sentinel unreachable, and that runs the check.
//
// The caller's RLIMIT_DATA is what counts in the end, since one allocation can jump past this. But
// this way says what happened in one line, and works for a person at a terminal as well.
func guardMemory() {
	runtime.SetFinalizer(new(sentinel), func(*sentinel) {
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		if memory.HeapAlloc > hardMemory {
			fmt.Fprintf(os.Stderr, "fatal error: the template needs more than %d MiB of memory\n",
				hardMemory>>20)
			os.Exit(exitFatal)
		}
		guardMemory()
	})
}

// sentinel must not be empty: all objects of size zero are one.
type sentinel struct{ _ [16]byte }
