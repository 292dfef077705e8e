package httpapi

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"hatang/internal/account"
	"hatang/internal/layer"
)

// credentials are what a request brings to say who asks.
type credentials struct {
	key     bool
	stale   bool             // brought the cookie of a session that is over
	session *account.Session // of a person who has signed in, nil otherwise
	token   string           // of the session
	claimed string           // whose session it is that another page may have used
}

// sessionCookie is the cookie of a session: out of reach of scripts and other sites.
const sessionCookie = "hatang_session"

// csrfHeader carries, with every change that a session makes, what only our own page
// can know: a cookie goes along by itself wherever the request comes from.
const csrfHeader = "X-Csrf-Token"

// maxKeyBytes is longer than any key or token.
const maxKeyBytes = 512

// identify finds out who asks: the public where nothing is brought, 401 for a key or a
// session that is not good.
func (a *api) identify(r *request) error {
	if header := r.Header.Get("Authorization"); header != "" {
		r.who.key = true
		return a.byKey(r, header)
	}
	if cookie, err := r.Cookie(sessionCookie); err == nil {
		return a.bySession(r, cookie.Value)
	}
	r.viewer = account.Anonymous()
	return nil
}

func (a *api) byKey(r *request, header string) error {
	bad := problem(unauthorised, "Khóa không đúng, đã hết hạn hoặc đã bị thu hồi.", "The key is wrong, expired or revoked.")
	scheme, key, ok := strings.Cut(header, " ")
	key = strings.TrimSpace(key)
	if !ok || !strings.EqualFold(scheme, "Bearer") || key == "" || len(key) > maxKeyBytes {
		return bad
	}
	err := a.lookUp(r, key, func() (err error) {
		r.viewer, err = a.identities(r).KeyViewer(r.Context(), key)
		return err
	})
	if isNotFound(err) {
		return bad
	}
	return err
}

// identities are whom to ask who it is: of one who writes, what he may do now.
func (a *api) identities(r *request) Identities {
	if r.writes {
		return a.Accounts
	}
	return a.Readers
}

// lookUp looks up a secret; 429 for an address that has sent too many bad ones.
func (a *api) lookUp(r *request, secret string, find func() error) error {
	settle, err := a.limits.tryKey(r.Request, secret)
	if err != nil {
		return err
	}
	err = find()
	settle(err)
	return err
}

func (a *api) bySession(r *request, token string) error {
	over := problem(unauthorised, "Phiên đăng nhập đã kết thúc; hãy đăng nhập lại.", "The session is over; sign in again.")
	if r.who.stale = token == "" || len(token) > maxKeyBytes; r.who.stale {
		return over
	}
	var session account.Session
	err := a.lookUp(r, token, func() (err error) {
		session, err = a.identities(r).SessionViewer(r.Context(), token)
		return err
	})
	if r.who.stale = isNotFound(err); r.who.stale {
		return over
	}
	if err != nil {
		return err
	}
	if changes(r.Method) && !a.ownPage(r, token) {
		r.who.claimed = session.Name
		return problem(forbidden, "Yêu cầu không đến từ trang này: thiếu "+csrfHeader+" của phiên đăng nhập.", "The request does not come from our page: it lacks the session's "+csrfHeader+".")
	}
	r.viewer, r.who.session, r.who.token = session.Viewer, &session, token
	return nil
}

// changes reports whether a method may change something.
func changes(method string) bool {
	return method != http.MethodGet && method != http.MethodHead && method != http.MethodOptions
}

// ownPage reports whether a request comes from our own page: it knows the token that
// goes with the session, and no other origin says that it sent it.
func (a *api) ownPage(r *request, token string) bool {
	return account.ValidCSRF(token, r.Header.Get(csrfHeader)) && a.sameOrigin(r)
}

// sameOrigin reports whether the browser says that the request is of our own page, or
// says nothing.
func (a *api) sameOrigin(r *request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return false
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	theirs, err := url.Parse(origin)
	if err != nil {
		return false
	}
	ours, err := url.Parse(a.base(r))
	return err == nil && strings.EqualFold(theirs.Host, ours.Host)
}

// setSession gives the browser the session's cookie; an empty token takes it away.
func (a *api) setSession(w http.ResponseWriter, r *request, token string, expires time.Time) {
	cookie := a.cookie(r, sessionCookie, token, "/")
	cookie.Expires = expires
	if token == "" {
		cookie.MaxAge, cookie.Expires = -1, time.Time{}
	}
	http.SetCookie(w, cookie)
}

// cookie makes a cookie that no script reads and no other site's form sends along.
func (a *api) cookie(r *request, name, value, path string) *http.Cookie {
	return &http.Cookie{
		Name: name, Value: value, Path: path, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: r.TLS != nil || a.overTLS(),
	}
}

// overTLS reports whether clients reach us by https.
func (a *api) overTLS() bool { return strings.HasPrefix(a.PublicURL, "https://") }

// noteRefusal records in the audit that somebody was refused a change, and returns what
// to answer: 503 where that cannot be recorded. Those of nobody who is known are counted.
func (a *api) noteRefusal(rt route, r *request, err error) error {
	if rt.asks || !changes(r.Method) {
		return err
	}
	switch status := problemFor(err).Type.Status; {
	case status == http.StatusForbidden:
	case rt.needs == nothing: // of a sign-in the refusal is recorded where it is made
		return err
	case status != http.StatusUnauthorized && status != http.StatusNotFound:
		return err
	}
	if err := a.limits.checkRate(rt, r.viewer, r.Request); err != nil {
		return err // who floods us is told so, and does not fill the audit
	}
	who := cmp.Or(r.viewer.Name, r.who.claimed)
	record := func() error {
		return a.Accounts.Audit(r.Context(), cmp.Or(who, "public"), "write.refused", r.Method+" "+clip(r.URL.Path), map[string]any{"status": problemFor(err).Type.Status, "address": a.address(r.Request)})
	}
	var noted error
	if who != "" {
		noted = record()
	} else {
		noted = a.Refusals.note(clientAddr(r.Request, a.TrustedProxies), record)
	}
	if noted != nil {
		return errors.Join(layer.ErrUnavailable, noted)
	}
	return err
}

// address is where a request comes from, as the audit and the throttle have it.
func (a *api) address(r *http.Request) string { return clientAddr(r, a.TrustedProxies).String() }
