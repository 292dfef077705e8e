//go:build soak

package main

import (
	"os"
	"strconv"
	"testing"
)

// Two worlds answer alike however long they are asked: 50 000 times by each viewer, or as often
// as HATANG_REQUESTS says.
func TestSoakWorlds(t *testing.T) {
	requests := 50_000
	if given, err := strconv.Atoi(os.Getenv("HATANG_REQUESTS")); err == nil {
		requests = given
	}
	o := newOrigin(t)
	compareWorlds(t, o, requests, requests)
	t.Run("hidden sites", func(t *testing.T) { hiddenSites(t, o, 4000) })
	t.Run("rounded sites", func(t *testing.T) { roundedSites(t, o, 4000) })
	t.Run("caches", func(t *testing.T) { compareCaches(t, o, requests*2/5) })
}
