// SPDX-License-Identifier: Apache-2.0

// Pause is the process that holds a pod's namespaces open: it sleeps until it is told to end.
package main

import (
	"context"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	<-ctx.Done()
}
