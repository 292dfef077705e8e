//go:build soak

package filter

import "testing"

// TestSoakMeaning asks a million random filters of the database and of the evaluator.
func TestSoakMeaning(t *testing.T) { askBoth(t, 1_000_000) }

// TestSoakCanaries searches the SQL of a million random filters for their literals.
func TestSoakCanaries(t *testing.T) { seekCanaries(t, 1_000_000) }
