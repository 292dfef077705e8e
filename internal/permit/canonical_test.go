package permit_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"hatang/internal/permit"
)

// The example of RFC 8785, §3.2.2 and §3.2.3, and what the RFC says of numbers in its
// appendix B.
func TestCanonicalIsThatOfTheRFC(t *testing.T) {
	for in, want := range map[string]string{
		"{\n \"numbers\": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],\n \"string\": \"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/\",\n \"literals\": [null, true, false]\n}": `{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
		`{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}`: "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u0080\":\"Control\",\"ö\":\"Latin Small Letter O With Diaeresis\",\"€\":\"Euro Sign\",\"😀\":\"Emoji: Grinning Face\",\"\ufb33\":\"Hebrew Letter Dalet With Dagesh\"}",
		"[-0, 0, 5e-324, -5e-324, 1.7976931348623157e308, 9007199254740992, 1e20, 1e21, 999999999999999900000, 1e-6, 1e-7, 9.5e-7, 333333333.3333332]":                                                               "[0,0,5e-324,-5e-324,1.7976931348623157e+308,9007199254740992,100000000000000000000,1e+21,999999999999999900000,0.000001,1e-7,9.5e-7,333333333.3333332]",
		" \"\u2028<&>\" ": "\"\u2028<&>\"", "{}": "{}", "[ ]": "[]", `{"b":{"z":1,"a":[{"y":2,"x":1}]},"a":""}`: `{"a":"","b":{"a":[{"x":1,"y":2}],"z":1}}`,
	} {
		got, err := permit.Canonical([]byte(in))
		if err != nil || string(got) != want {
			t.Errorf("%s\n got %s, %v\nwant %s", in, got, err, want)
		}
	}
	for _, bad := range []string{``, `{`, `{"a":1,"a":2}`, `1 2`, `[1e999]`, `{"a":1}}`, "\"\xff\"", `{"a":1,"\u0061":2}`, `nul`} {
		if got, err := permit.Canonical([]byte(bad)); err == nil {
			t.Errorf("%q is %s", bad, got)
		}
	}
}

// What is canonical stays so, and is the same document.
func FuzzCanonical(f *testing.F) {
	for _, s := range []string{`{"b":[1.50,{"a":"\u0000\u00e9"}],"a":null}`, `-0`, `"\ud800"`, `[1e-400,[[]]]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		once, err := permit.Canonical(raw)
		if err != nil {
			return
		}
		twice, err := permit.Canonical(once)
		if err != nil || !bytes.Equal(once, twice) || !json.Valid(once) {
			t.Errorf("%q is %s, and that %s, %v", raw, once, twice, err)
		}
	})
}

func TestNumbersHaveOneForm(t *testing.T) {
	for number, want := range map[string]bool{"V-2026-0123-4567-89AB": true, "V-2026-ZYXW-VTSR-QPNM": true, "V-2026-0123-4567-89AI": false, "V-2026-0123-4567-89a": false, "v-2026-0123-4567-89AB": false,
		"V-202X-0123-4567-89AB": false, "V-2026-0123-456789AB-": false, "V-2026-012-34567-89AB": false, "": false, "V-2026-0123-4567-89À": false} {
		if permit.ValidNumber(number) != want {
			t.Errorf("%q: %t", number, !want)
		}
		if blank := number + " "; permit.ValidNumber(blank) {
			t.Errorf("%q is a number", blank)
		}
	}
}
