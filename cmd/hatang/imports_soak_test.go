//go:build soak

package main

import "testing"

// However often a server dies over imports, each is done as a whole or not at all.
func TestSoakKilledImports(t *testing.T) { killImports(t, 100) }
