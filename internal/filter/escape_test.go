package filter

import "testing"

// The escapes of CQL2 Text 1.0.0, /req/cql2-text/escaping. A backslash before anything else
// stands for itself: what a pattern makes of it LIKE says.
func TestEscapes(t *testing.T) {
	for text, want := range map[string]string{
		`'a\ab\bc\td\ne\vf\fg\rh'`: "a\ab\bc\td\ne\vf\fg\rh",
		`'\''`:                     `'`,
		`''''`:                     `'`,
		`'\\'`:                     `\`,
		`'\\\''`:                   `\'`,
		`'\\n'`:                    `\n`,
		`'a\\''b'`:                 `a\'b`,
		`'C:\\Users'`:              `C:\Users`,
		`'\x\%\_\0\ư\ '`:           `\x\%\_\0\ư\ `,
		"'a\nb\\\nc'":              "a\nb\\\nc",
	} {
		e := readText(t, "name = "+text)
		if got := e.(*Call).Args[1].(*Text).Value; got != want {
			t.Errorf("%s is %q, want %q", text, got, want)
		}
		roundTrip(t, e)
	}
	for _, text := range []string{`'\'`, `'a\\\'`, `'\\''`, `'\`} {
		if e, err := ParseText("name = " + text); err == nil {
			t.Errorf("%s is %q", text, e.(*Call).Args[1])
		}
	}
	// The draft has none of them.
	e, err := ParseDraftText(`name = 'C:\temp\'s'`)
	if err != nil || e.(*Call).Args[1].(*Text).Value != `C:\temp's` {
		t.Errorf("%v, %v", e, err)
	}
}

// A pattern is a character literal first, whose backslashes LIKE reads then.
func TestEscapesOfPatterns(t *testing.T) {
	for text, names := range map[string]map[string]bool{
		`'a\%b'`:     {"a%b": true, "axb": false},
		`'a\\%b'`:    {"a%b": true, "axb": false},
		`'a\_b'`:     {"a_b": true, "axb": false},
		`'a\\\\b'`:   {`a\b`: true, `a\\b`: false, "ab": false},
		`'a\\\\%'`:   {`a\b`: true, "a%": false},
		`'a\nb%'`:    {"a\nbc": true, "anbc": false},
		`'%\''`:      {"a'": true, "a": false},
		`'100\% %'`:  {"100% a": true, "1000 a": false},
		`'a\xb'`:     {"axb": true, `a\xb`: false},
		`'\\\\\\\\'`: {`\\`: true, `\`: false},
	} {
		f, err := Check(readText(t, "name LIKE "+text), wide)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		for name, want := range names {
			if got := (row{"name": name}).eval(f.Tree()); got != want {
				t.Errorf("%q LIKE %s is %v", name, text, got)
			}
		}
	}
	if _, err := Check(readText(t, `name LIKE 'a\\'`), wide); err == nil {
		t.Error("a pattern ends with an escape of nothing")
	}
}
