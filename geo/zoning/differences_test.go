package zoning

import (
	"os"
	"strings"
	"testing"
)

// TestDifferences: rules are known by their names, wherever they stand.
func TestDifferences(t *testing.T) {
	body, err := os.ReadFile("../../internal/plan/packs/dien-bien/rules.json")
	if err != nil {
		t.Fatal(err)
	}
	if found, err := Differences(body, body); err != nil || found != nil {
		t.Errorf("of the same: %v, %v", found, err)
	}
	if _, err := Differences(body, []byte("[]")); err == nil {
		t.Error("a list was taken for a rule set")
	}
	const a, b, c = `{"rule":"A","x":1}`, `{"rule":"B","y":{"z":[1,2]}}`, `{"rule":"C"}`
	for _, tt := range []struct{ before, after, want string }{
		{`{"r":[` + a + `,` + b + `]}`, `{"r":[` + b + `,` + a + `]}`, ""},
		{`{"r":[` + a + `]}`, `{"r":[{"rule":"A","x":2}]}`, "/r/0/x A 1 2"},
		{`{"r":[` + a + `,` + b + `]}`, `{"r":[` + c + `,` + a + `]}`, "/r/0 C null " + c + "; /r/1 B " + b + " null"},
		{`{"r":[` + b + `]}`, `{"r":[{"rule":"B","y":{"z":[1,3]}}]}`, "/r/0/y/z B [1,2] [1,3]"},
		{`{"a/b":1.0,"n":null}`, `{"a/b":1.00}`, ""},
		{`{"a/b":1.0}`, `{"a/b":1.5}`, "/a~1b  1.0 1.5"},
		{`{"r":[` + a + `,` + a + `]}`, `{"r":[` + a + `]}`, "/r  [" + a + "," + a + "] [" + a + "]"},
		{`{"title":{"vi":"x"}}`, `{"title":"x"}`, `/title  {"vi":"x"} "x"`},
	} {
		found, err := Differences([]byte(tt.before), []byte(tt.after))
		var got []string
		for _, d := range found {
			got = append(got, strings.Join([]string{d.Pointer, d.Rule, string(d.Before), string(d.After)}, " "))
		}
		if err != nil || strings.Join(got, "; ") != tt.want {
			t.Errorf("%s to %s:\n%s\n%s, %v", tt.before, tt.after, strings.Join(got, "; "), tt.want, err)
		}
	}
}
