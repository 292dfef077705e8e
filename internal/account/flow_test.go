package account

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func flowOf(now time.Time) Flow {
	return Flow{State: randomText(), Nonce: randomText(), Verifier: randomText(), Return: "/map?layer=masts&x=1#here", Expires: now.Add(flowLife).UTC()}
}

func quietOIDC(t testing.TB, change func(*OIDCConfig)) *OIDC {
	t.Helper()
	config := OIDCConfig{Issuer: "https://id.example", ClientID: clientID, RedirectURL: redirectURL, Key: make([]byte, 32), Now: (&clock{}).now}
	change(&config)
	return newOIDC(t, config)
}

func TestFlowsOpenWhereTheyWereSealed(t *testing.T) {
	as := func(*OIDCConfig) {}
	o, now := quietOIDC(t, as), (&clock{}).now()
	flow := flowOf(now)
	sealed := o.Seal(flow)
	if o.Seal(flow) == sealed || strings.ContainsAny(sealed, "=+/ ;,\"") || strings.Contains(sealed, flow.Verifier) {
		t.Errorf("sealed as %q", sealed)
	}
	for name, tt := range map[string]struct {
		by   *OIDC
		now  time.Time
		good bool
	}{
		"here":                {o, now, true},
		"another server":      {quietOIDC(t, as), now, true},
		"just in time":        {o, now.Add(flowLife - 1), true},
		"too late":            {o, now.Add(flowLife), false},
		"of another key":      {quietOIDC(t, func(c *OIDCConfig) { c.Key = []byte(strings.Repeat("k", 32)) }), now, false},
		"of another client":   {quietOIDC(t, func(c *OIDCConfig) { c.ClientID = "another" }), now, false},
		"of another provider": {quietOIDC(t, func(c *OIDCConfig) { c.Issuer = "https://elsewhere.example" }), now, false},
	} {
		got, err := tt.by.Open(sealed, tt.now)
		if tt.good && (err != nil || got != flow) || !tt.good && (!errors.Is(err, ErrFlow) || got != Flow{}) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	// Any byte that differs, is missing or is too many.
	for i := range sealed {
		other := byte('A')
		if sealed[i] == other {
			other = 'B'
		}
		for _, changed := range []string{sealed[:i] + string(other) + sealed[i+1:], sealed[:i], sealed[:i] + "A" + sealed[i:], sealed[:i] + "\n" + sealed[i:]} {
			if got, err := o.Open(changed, now); !errors.Is(err, ErrFlow) {
				t.Fatalf("changed at %d: %+v, %v", i, got, err)
			}
		}
	}
	if _, err := o.Open(strings.Repeat("A", 1<<20), now); !errors.Is(err, ErrFlow) {
		t.Error(err)
	}
	flow.Return = "https://elsewhere.example"
	if got, err := o.Open(o.Seal(flow), now); err != nil || got.Return != "/" {
		t.Errorf("%+v, %v", got, err)
	}
	flow.Return = "/?" + strings.Repeat("\u2028", maxReturn)[:maxReturn-2]
	if n := len(o.Seal(flow)); n > 4000 {
		t.Errorf("%d bytes of a cookie", n)
	}
}

func FuzzOpenFlow(f *testing.F) {
	o, now := quietOIDC(f, func(*OIDCConfig) {}), (&clock{}).now()
	mine := o.Seal(flowOf(now))
	f.Add(mine[:len(mine)-1])
	f.Add(mine[1:])
	f.Add("")
	f.Add("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	f.Add(quietOIDC(f, func(c *OIDCConfig) { c.ClientID = "another" }).Seal(flowOf(now)))
	f.Fuzz(func(t *testing.T, sealed string) {
		if flow, err := o.Open(sealed, now); !errors.Is(err, ErrFlow) || flow != (Flow{}) {
			t.Errorf("%q opens as %+v, %v", sealed, flow, err)
		}
	})
}

func TestSafeReturn(t *testing.T) {
	for _, same := range []string{
		"/", "/map", "/map/", "/map?layer=masts&at=103.02,21.39#zoom=8", "/a/b.c/%C4%91", "/?to=https://elsewhere.example", "/?to=//elsewhere.example", "/a:b", "/a@b", "/#//x",
	} {
		if got := SafeReturn(same); got != same {
			t.Errorf("%q becomes %q", same, got)
		}
	}
	for _, bad := range []string{
		"", "map", "https://elsewhere.example", "//elsewhere.example", "///elsewhere.example", "/\\elsewhere.example", "\\\\elsewhere.example", "/map\\x", "/\t/elsewhere.example",
		"/\n/elsewhere.example", " //elsewhere.example", "/%5Celsewhere.example", "/%2F/elsewhere.example", "/%2felsewhere.example", "/.//elsewhere.example", "/..//elsewhere.example", "/a/../b",
		"/%2e%2e/b", "/a/./b", "/a//b", "/a%0d%0aLocation:x", "javascript:alert(1)", "http:elsewhere.example", "/%", "/\x00", "/\xff", "?x", "#x", "/" + strings.Repeat("a", maxReturn),
	} {
		if got := SafeReturn(bad); got != "/" {
			t.Errorf("%q becomes %q", bad, got)
		}
	}
	if got := SafeReturn("/bản đồ"); got != "/b%E1%BA%A3n%20%C4%91%E1%BB%93" {
		t.Error(got)
	}
}

// Wherever a return path leads, it is on this site, read as the standard says or as browsers do; and it is safe
// once and for all.
func TestReturnsStayHere(t *testing.T) {
	here, err := url.Parse("https://hatang.example/sign-in/back")
	if err != nil {
		t.Fatal(err)
	}
	piece := rapid.SampledFrom([]string{"/", "/", "\\", ".", "..", "%2f", "%5c", "%2e", "%09", "\t", "\n", "@", ":", "?", "#", "a", "elsewhere.example", "https:", "javascript:", "đ", " ", "%", "\x00"})
	rapid.Check(t, func(t *rapid.T) {
		target := strings.Join(rapid.SliceOfN(piece, 0, 12).Draw(t, "pieces"), "")
		safe := SafeReturn(target)
		if SafeReturn(safe) != safe {
			t.Fatalf("%q becomes %q becomes %q", target, safe, SafeReturn(safe))
		}
		// Browsers drop tabs and line ends, and take a backslash for a slash.
		asRead := strings.ReplaceAll(strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(safe), "\\", "/")
		for _, s := range []string{safe, asRead} {
			to, err := here.Parse(s)
			if err != nil || to.Host != here.Host || to.Scheme != "https" || !strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//") {
				t.Fatalf("%q becomes %q, which leads to %v (%v)", target, safe, to, err)
			}
		}
	})
}
