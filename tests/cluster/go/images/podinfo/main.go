// SPDX-License-Identifier: Apache-2.0

// Podinfo stands in for the demo service of that name: a small HTTP server that says which version
// it is. How it behaves is set by its environment, so that every tag of the image is the same file:
//
//	PODINFO_VERSION      what / and /version say
//	PODINFO_READY_AFTER  seconds until /readyz answers 200; "never" for never
//	PODINFO_EXIT         if set, exit at once with this code
//
// Arguments are ignored, as `./podinfo stress-cpu=1` is by the original.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

var ready atomic.Bool

func main() {
	if code := os.Getenv("PODINFO_EXIT"); code != "" {
		exitWith(code)
	}
	go becomeReady(os.Getenv("PODINFO_READY_AFTER"))

	server := &http.Server{Addr: ":8080", Handler: routes(), ReadHeaderTimeout: 5 * time.Second}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, func() { server.Close() })

	log.Printf("podinfo %s serves on %s", version(), server.Addr)
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
}

func exitWith(code string) {
	number, err := strconv.Atoi(code)
	if err != nil {
		log.Fatalf("PODINFO_EXIT is %q; it should be a number", code)
	}
	log.Printf("podinfo %s exits with %d, as this image is made to", version(), number)
	os.Exit(number)
}

func becomeReady(after string) {
	if after == "never" {
		return
	}
	seconds, _ := strconv.Atoi(after)
	time.Sleep(time.Duration(seconds) * time.Second)
	ready.Store(true)
}

func routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		hostname, _ := os.Hostname()
		answer(w, map[string]string{"hostname": hostname, "version": version()})
	})
	mux.HandleFunc("GET /version", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]string{"version": version()})
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]string{"status": "OK"})
	})
	mux.HandleFunc("GET /readyz", onReadyz)
	mux.HandleFunc("POST /readyz/enable", func(http.ResponseWriter, *http.Request) { ready.Store(true) })
	mux.HandleFunc("POST /readyz/disable", func(http.ResponseWriter, *http.Request) { ready.Store(false) })
	mux.HandleFunc("GET /status/{code}", onStatus)
	return mux
}

func onReadyz(w http.ResponseWriter, _ *http.Request) {
	if !ready.Load() {
		http.Error(w, "not ready", http.StatusServiceUnavailable)
		return
	}
	answer(w, map[string]string{"status": "OK"})
}

// onStatus answers with the status asked for, so that a test can make errors happen.
func onStatus(w http.ResponseWriter, r *http.Request) {
	code, err := strconv.Atoi(r.PathValue("code"))
	if err != nil || code < 200 || code > 599 {
		http.Error(w, "the status should be 200 to 599", http.StatusBadRequest)
		return
	}
	w.WriteHeader(code)
	fmt.Fprintln(w, code)
}

func answer(w http.ResponseWriter, value map[string]string) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value)
}

func version() string {
	return os.Getenv("PODINFO_VERSION")
}
