package account

import (
	"context"
	"testing"
)

func TestWhoAContextIsFor(t *testing.T) {
	ctx := context.Background()
	if v, ok := ViewerOf(ctx); ok || v.Known() {
		t.Errorf("the server's own work is done for %+v", v)
	}
	officer := Viewer{Name: "key:o", Grants: []Grant{{Role: Officer}}}
	for _, want := range []Viewer{Anonymous(), officer} {
		got, ok := ViewerOf(WithViewer(WithViewer(ctx, Viewer{Name: "someone else"}), want))
		if !ok || got.Name != want.Name || got.Staff() != want.Staff() {
			t.Errorf("%+v, %t for %+v", got, ok, want)
		}
	}
}
