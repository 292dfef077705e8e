package layer

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
)

// FuzzParseValue reads texts and JSON as values of each kind: what is taken is read again as
// itself from how it is written.
func FuzzParseValue(f *testing.F) {
	for i, text := range []string{"1", "-2.5e3", "true", "2020-01-31", "2020-01-31T08:00:00Z", "a,b", `["a","b"]`, "Điện Biên"} {
		f.Add(uint8(i), text)
	}
	kinds := Kinds()
	f.Fuzz(func(t *testing.T, which uint8, text string) {
		field := Field{Name: "x", Kind: kinds[int(which)%len(kinds)]}
		decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
		decoder.UseNumber()
		var value any
		if decoder.Decode(&value) == nil {
			if parsed, err := field.ParseJSON(value); err != nil && parsed != nil {
				t.Errorf("%s %q: %v and %v", field.Kind, text, parsed, err)
			}
		}
		parsed, err := field.ParseText(text)
		if err != nil || field.Kind == Timestamp {
			return
		}
		written, err := json.Marshal(parsed)
		if err != nil {
			t.Fatalf("%s %q: %v", field.Kind, text, err)
		}
		decoder = json.NewDecoder(bytes.NewReader(written))
		decoder.UseNumber()
		if err := decoder.Decode(&value); err != nil {
			t.Fatal(err)
		}
		again, err := field.ParseJSON(value)
		if err != nil || !reflect.DeepEqual(parsed, again) {
			t.Errorf("%s %q: %#v, then %#v, %v", field.Kind, text, parsed, again, err)
		}
	})
}
