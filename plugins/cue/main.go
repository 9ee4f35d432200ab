// SPDX-License-Identifier: Apache-2.0

// sluice-cue renders KubeVela-style component templates with the real CUE engine. Without
// arguments it answers requests on standard input; `sluice-cue render` is for people. The README
// has the protocol.
package main

import (
	"fmt"
	"os"
)

const usage = `usage: sluice-cue                                answer requests on standard input
       sluice-cue render TEMPLATE.cue [options]  render once and print the objects as YAML

options of render:
  --parameter FILE   the parameters, as a JSON object
  --context FILE     the context, as a JSON object
  --json             print the objects as JSON
`

func main() {
	setLimits()
	guardMemory()
	os.Exit(run(os.Args[1:]))
}

func run(args []string) int {
	if len(args) == 0 {
		return report(serve(os.Stdin, os.Stdout))
	}
	switch args[0] {
	case "render":
		return renderCommand(args[1:])
	case "help", "-h", "--help":
		fmt.Print(usage)
		return 0
	default:
		fmt.Fprintf(os.Stderr, "sluice-cue: unknown command %q\n%s", args[0], usage)
		return exitUsage
	}
}

const (
	exitFailure = 1
	exitFatal   = 2 // as the Go runtime itself exits
	exitUsage   = 64
)

func report(err error) int {
	if err == nil {
		return 0
	}
	fmt.Fprintf(os.Stderr, "sluice-cue: %v\n", err)
	return exitFailure
}
