//go:build soak

package permit

import "testing"

// A million rows take no more memory than fifty thousand do.
func TestSoakAMillionRows(t *testing.T) { checkManyRows(t, 1_000_000) }
