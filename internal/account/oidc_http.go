package account

import (
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"time"
)

// maxProviderAnswer is how many bytes are read of any answer of a provider; key sets take a
// few thousand.
const maxProviderAnswer = 256 << 10

var errPlainHTTP = errors.New("the address is not https")

// providerClient returns the client that speaks with a provider: each request ends in time, no answer
// is longer than maxProviderAnswer, nothing goes out in plain text unless that is allowed and the address is
// this machine, and no redirect is followed, which would carry a code elsewhere.
func providerClient(next http.RoundTripper, timeout time.Duration, plain bool) *http.Client {
	if next == nil {
		next = http.DefaultTransport
	}
	return &http.Client{
		Transport:     guard{next: next, plain: plain},
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

type guard struct {
	next  http.RoundTripper
	plain bool
}

// RoundTrip refuses plain HTTP and bounds the answer. That the provider fails is an error as if it
// were not there.
func (g guard) RoundTrip(r *http.Request) (*http.Response, error) {
	if !private(r.URL, g.plain) {
		if r.Body != nil {
			_ = r.Body.Close() // a round-tripper must; the body is in memory
		}
		return nil, errPlainHTTP
	}
	answer, err := g.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode >= http.StatusInternalServerError {
		_ = answer.Body.Close()
		return nil, errors.New(answer.Status)
	}
	answer.Body = http.MaxBytesReader(nil, answer.Body, maxProviderAnswer)
	return answer, nil
}

// private reports whether nobody between can read what is sent to the address: it is https, or
// with plain set http on this machine.
func private(u *url.URL, plain bool) bool {
	return u.Host != "" && (u.Scheme == "https" || plain && loopback(u))
}

// loopback reports whether the address is http on this machine.
func loopback(u *url.URL) bool {
	addr, err := netip.ParseAddr(u.Hostname())
	return u.Scheme == "http" && (u.Hostname() == "localhost" || err == nil && addr.Unmap().IsLoopback())
}
