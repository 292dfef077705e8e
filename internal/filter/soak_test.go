//go:build soak

package filter

func init() { differ, canaries = 1_000_000, 1_000_000 }
