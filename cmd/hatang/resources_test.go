package main

import (
	"errors"
	"math"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"

	contract "hatang/api"
)

// The limit of memory is in force, unless there is one already.
func TestMemoryLimit(t *testing.T) {
	before := debug.SetMemoryLimit(math.MaxInt64)
	defer debug.SetMemoryLimit(before)
	for _, tt := range []struct {
		given     int64 // by GOMEMLIMIT
		mib, want int64
	}{
		{math.MaxInt64, 0, math.MaxInt64}, {math.MaxInt64, 400, 400 << 20}, {123 << 20, 400, 123 << 20}, {123 << 20, 0, 123 << 20},
	} {
		debug.SetMemoryLimit(tt.given)
		if err := limitMemory(tt.mib); err != nil {
			t.Error(err)
		}
		if got := debug.SetMemoryLimit(-1); got != tt.want {
			t.Errorf("%d MiB beside %d: %d, want %d", tt.mib, tt.given, got, tt.want)
		}
	}
	for _, mib := range []int64{-2, math.MaxInt64} {
		var usage usageError
		if err := limitMemory(mib); !errors.As(err, &usage) {
			t.Errorf("%d MiB: %v", mib, err)
		}
	}
}

// A server takes of its machine what it may.
func TestUsualMemory(t *testing.T) {
	const gib = 1 << 30
	for _, tt := range []struct{ machine, group, want int64 }{
		{24 * gib, 0, 6 * gib}, {24 * gib, 9223372036854771712, 6 * gib}, {24 * gib, 24 * gib, 6 * gib}, {24 * gib, 10 * gib, 8 * gib},
		{24 * gib, 500 << 20, 400 << 20}, {24 * gib, 501 << 20, 501 << 20 / 5 * 4}, {24 * gib, 64 << 20, 400 << 20}, {1600 << 20, 0, 400 << 20}, {1604 << 20, 0, 401 << 20}, {0, 0, 400 << 20}, {0, 5 * gib, 4 * gib},
	} {
		if got := usualMemoryOf(tt.machine, tt.group); got != tt.want {
			t.Errorf("of %d, the group %d: %d, want %d", tt.machine, tt.group, got, tt.want)
		}
	}
	if machine := machineMemory(); machine < 64<<20 || groupMemory() < 0 {
		t.Errorf("the machine has %d bytes", machine)
	}
}

// Clients have what descriptors the program does not need.
func TestConnectionsWithinTheDescriptors(t *testing.T) {
	for _, tt := range []struct {
		descriptors uint64
		asked, want int // 0 for an error
	}{
		{4096, 0, 3584}, {4095, 0, 3583}, {4097, 0, 3584}, {math.MaxUint64, 0, 3584}, {1024, 0, 512}, {1023, 0, 512}, {256, 0, 128}, {0, 0, 0},
		{4096, 3583, 3583}, {4096, 3584, 3584}, {4096, 3585, 0}, {4096, 1, 1}, {4096, -1, 0}, {20_000, 10_000, 10_000},
	} {
		got, err := connectionsWithin(tt.descriptors, tt.asked)
		var usage usageError
		if got != tt.want || (err != nil) != (tt.want == 0) || tt.asked != 0 && err != nil && !errors.As(err, &usage) {
			t.Errorf("%d of %d: %d, %v, want %d", tt.asked, tt.descriptors, got, err, tt.want)
		}
	}
}

// What a server takes of its machine is named in the API's own description.
func TestResourcesAreNamed(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromData(contract.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	said := doc.Extensions["x-limits"].(map[string]any)
	want := map[string]any{"memory_bytes": float64(leastMemory), "descriptors": float64(mostDescriptors), "connections": float64(mostDescriptors - keptDescriptors)}
	if d := cmp.Diff(want, said["server"]); d != "" {
		t.Errorf("-kept +named:\n%s", d)
	}
}

// limitsAreInForce asks a server that was started without flags.
func limitsAreInForce(t *testing.T, s *server) {
	figures := string(s.call(t, http.MethodGet, "/metrics", "", bearer(s.key)...).body)
	_, told, _ := strings.Cut(figures, "\ngo_gc_gomemlimit_bytes ")
	told, _, _ = strings.Cut(told, "\n")
	usual := usualMemoryOf(machineMemory(), groupMemory()) / mebibyte * mebibyte
	if limit, err := strconv.ParseFloat(told, 64); err != nil || int64(limit) != usual {
		t.Errorf("the limit of memory is %q, want %d", told, usual)
	}
}
