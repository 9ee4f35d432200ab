// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"runtime"
	"runtime/debug"
)

const (
	// Above this the heap is given back between two requests.
	idleHeap = 12 << 20
	// From here on the collector works harder rather than let the heap grow.
	softMemory = 96 << 20
	// A template nested deeper than this ends the program instead of eating all memory.
	maxStack = 32 << 20
)

// setLimits makes the program small and its results independent of the environment. GOGC and
// GOMEMLIMIT still count when set.
func setLimits() {
	os.Unsetenv("CUE_EXPERIMENT")
	os.Unsetenv("CUE_DEBUG")
	debug.SetMaxStack(maxStack)
	debug.SetTraceback("none")
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
