//go:build soak

package main

import "testing"

// Two worlds answer alike however long they are asked.
func TestSoakWorlds(t *testing.T) {
	o := newOrigin(t)
	compareWorlds(t, o, 50_000)
	t.Run("hidden sites", func(t *testing.T) { hiddenSites(t, o, 4000) })
	t.Run("rounded sites", func(t *testing.T) { roundedSites(t, o, 4000) })
	t.Run("caches", func(t *testing.T) { compareCaches(t, o, 20_000) })
}
