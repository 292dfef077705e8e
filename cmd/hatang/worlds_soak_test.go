//go:build soak

package main

import "testing"

// Two worlds answer alike however long they are asked.
func TestSoakWorlds(t *testing.T) {
	o := newOrigin(t)
	compareWorlds(t, o, 50_000)
	t.Run("caches", func(t *testing.T) { compareCaches(t, o, 20_000) })
}
