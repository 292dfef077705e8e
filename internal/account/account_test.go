package account

import (
	"bytes"
	"strings"
	"testing"
)

func TestKeysAreLongAndUnlike(t *testing.T) {
	ids, keys := map[string]bool{}, map[string]bool{}
	for range 200 {
		id, key := NewKey()
		ids[id], keys[key] = true, true
		if !strings.HasPrefix(key, "htg_"+id+"_") || len(key)-len("htg__")-len(id) != 43 || strings.ContainsAny(id, "_- ") || id != strings.ToLower(id) {
			t.Errorf("id %q, key %q", id, key)
		}
		if h := Hash(key); len(h) != 32 || bytes.Contains([]byte(key), h) || bytes.Equal(h, Hash(key+"x")) || !bytes.Equal(h, Hash(key)) {
			t.Errorf("hash of %q is %x", key, h)
		}
	}
	if len(keys) != 200 || len(ids) != 200 {
		t.Errorf("%d ids and %d keys of 200", len(ids), len(keys))
	}
}

func TestWhatRolesMay(t *testing.T) {
	for _, tt := range []struct {
		role        Role
		sees, edits bool
	}{
		{"", false, false}, {"root", false, false}, {Public, false, false}, {Operator, false, false}, {Consulted, false, false},
		{Officer, true, true}, {Approver, true, false}, {Administrator, true, true},
	} {
		v := Viewer{Role: tt.role}
		if v.SeesWithheld() != tt.sees || v.MayEdit() != tt.edits {
			t.Errorf("%q sees %t, edits %t", tt.role, v.SeesWithheld(), v.MayEdit())
		}
	}
	for _, r := range Roles() {
		if !r.Valid() || r == Public {
			t.Errorf("%q is offered for keys", r)
		}
	}
	if Role("root").Valid() || Role("").Valid() || !Public.Valid() {
		t.Error("what is a role is wrong")
	}
}

// Two viewers of one class must see the same rows: caches go by it.
func TestClassesTellApartWhoSeesWhat(t *testing.T) {
	for _, tt := range []struct {
		v    Viewer
		want string
	}{
		{Anonymous(), "public"}, {Viewer{}, "public"}, {Viewer{Role: Operator, Organisation: "VNPT"}, "organisation:VNPT"},
		{Viewer{Role: Consulted}, "public"}, {Viewer{Role: Officer, Organisation: "VNPT"}, "officer"}, {Terminal("lan"), "officer"},
	} {
		if got := tt.v.Class(); got != tt.want {
			t.Errorf("%+v is of class %q, want %q", tt.v, got, tt.want)
		}
	}
	if Terminal("lan").Name != "cli:lan" {
		t.Error("the history would not name who was at the terminal")
	}
}
