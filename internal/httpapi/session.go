package httpapi

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
)

// sessionTime is how long a person stays signed in.
const sessionTime = 12 * time.Hour

// sessionDocument says who asks.
type sessionDocument struct {
	SignedIn     bool            `json:"signed_in"`
	Name         *string         `json:"name"` // as the history records it
	Person       *sessionPerson  `json:"person"`
	Organisation *string         `json:"organisation"`
	Grants       []account.Grant `json:"grants"`
	// CSRF is what changes made by the session carry in X-CSRF-Token.
	CSRF      *string    `json:"csrf"`
	ExpiresAt *time.Time `json:"expires_at"`
	Offers    struct {
		Password bool `json:"password"`
		OIDC     bool `json:"oidc"`
	} `json:"offers"`
}

type sessionPerson struct {
	ID           int64   `json:"id"`
	Login        string  `json:"login"`
	Name         string  `json:"name"`
	Organisation *string `json:"organisation"`
	Notices      struct {
		On       bool    `json:"on"`
		Email    *string `json:"email"`
		Language string  `json:"language"`
	} `json:"notices"`
}

// orNull is null for an empty text.
func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func (a *api) sessionOf(r *request) sessionDocument {
	v := r.viewer
	d := sessionDocument{SignedIn: v.Known(), Name: orNull(v.Name), Organisation: orNull(v.Organisation), Grants: append([]account.Grant{}, v.Grants...)}
	d.Offers.Password, d.Offers.OIDC = true, a.OIDC != nil
	if s := r.who.session; s != nil {
		d.Person = &sessionPerson{ID: s.Person, Login: s.Login, Name: s.PersonName, Organisation: d.Organisation}
		d.Person.Notices.On, d.Person.Notices.Email, d.Person.Notices.Language = s.Notices, orNull(s.Email), s.Language
		d.CSRF, d.ExpiresAt = orNull(account.CSRFToken(r.who.token)), &s.ExpiresAt
	}
	return d
}

func (a *api) showSession(w http.ResponseWriter, r *request) error {
	return reply(w, r, http.StatusOK, a.sessionOf(r))
}

// signIn signs a person in by password. A login that is not known, one that may not
// sign in and a wrong password are answered alike, after the same work.
func (a *api) signIn(w http.ResponseWriter, r *request) error {
	var given struct {
		Login    string `json:"login"`
		Password string `json:"password"`
	}
	if !a.sameOrigin(r) {
		return problem(forbidden, "Chỉ đăng nhập được từ trang này.", "People sign in from our own page.")
	}
	if err := readDocument(w, r, &given); err != nil {
		return err
	}
	login, err := account.NormaliseLogin(given.Login)
	if err != nil {
		login = clip(given.Login) // nobody's; what follows takes as long
	}
	person, err := a.verify(r, login, given.Password)
	if err != nil {
		return err
	}
	if person.Person == 0 {
		return a.signInFailed(r, "person:"+login, "password")
	}
	err = a.startSession(w, r, person.Person, person.PasswordHash)
	if isNotFound(err) { // disabled, or with another password, a moment ago
		return a.signInFailed(r, "person:"+login, "password")
	}
	if err != nil {
		return err
	}
	return reply(w, r, http.StatusCreated, a.sessionOf(r))
}

// verify returns the person whose login and password these are, nobody's credentials for
// none; 429 where too much has been guessed, 503 where too many strangers wait.
func (a *api) verify(r *request, login, password string) (person account.Credentials, err error) {
	attempted := account.NewAttempt(login, a.address(r.Request))
	leave, err := a.enterSignIn(r, login, attempted)
	if err != nil {
		return person, err
	}
	defer leave()
	known, err := a.Accounts.Credentials(r.Context(), login, attempted.Network)
	if err != nil {
		return person, err
	}
	if attempted.AtHome = known.AtHome; known.AtHome {
		leave() // the turn is for strangers
	}
	a.limits.signIns.placed(attempted)
	attempt, refused, err := a.Accounts.BeginSignIn(r.Context(), attempted)
	if err != nil {
		return person, err
	}
	if wait := refused.Wait(); wait > 0 {
		a.limits.signIns.refuse(attempted, refused, a.limits.now())
		return person, a.signInRefused(r, login, wait)
	}
	good, err := a.Passwords.Matches(r.Context(), known.PasswordHash, password)
	if err == nil && (!good || known.Disabled) {
		return person, nil // and it counts
	}
	// Whoever has left in the meantime has guessed nothing.
	ending, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), requestTime)
	defer cancel()
	if err := errors.Join(err, a.Accounts.EndSignIn(ending, attempt, err == nil)); err != nil {
		return person, err
	}
	attempted.AtHome = true // from now on
	a.limits.signIns.placed(attempted)
	return known, nil
}

// enterSignIn waits for the turn of an attempt: at once where the account is at home, or
// has signed in already; 429 for one of a kind that has just been refused, before it waits
// or meanwhile. leave ends the turn, and may be called again.
func (a *api) enterSignIn(r *request, login string, attempted account.Attempt) (leave func(), err error) {
	s := a.limits.signIns
	if wait := s.refused(attempted, a.limits.now()); wait > 0 {
		return nil, a.signInRefused(r, login, wait)
	}
	home := r.who.session != nil || s.atHome(attempted)
	if !home {
		if err := s.learn(r.Context(), a.limits.now(), a.Accounts.Homes); err != nil {
			return nil, err
		}
		home = s.atHome(attempted)
	}
	if home {
		return s.enterHome(a.limits.now), nil
	}
	leave, err = s.enterStranger(r.Context(), a.limits.at(r.Request), a.limits.now)
	if err != nil {
		return nil, a.limits.turnedAway(err, forSignIns)
	}
	if wait := s.refused(attempted, a.limits.now()); wait > 0 {
		leave()
		return nil, a.signInRefused(r, login, wait)
	}
	return leave, nil
}

// signInRefused records that too much has been guessed, a few times for each client, and
// returns what to answer.
func (a *api) signInRefused(r *request, login string, wait time.Duration) error {
	if a.limits.mayNote(r.Request) {
		detail := map[string]any{"address": a.address(r.Request), "by": "password", "status": http.StatusTooManyRequests}
		if err := a.Accounts.Audit(r.Context(), cmp.Or(r.viewer.Name, "public"), "sign_in.refused", "person:"+login, detail); err != nil {
			return err
		}
	}
	return tooManyRequests(wait)
}

// signInFailed records the failure and returns what to answer.
func (a *api) signInFailed(r *request, subject, how string) error {
	if err := a.Accounts.Audit(r.Context(), "public", "sign_in.failed", subject, map[string]any{"address": a.address(r.Request), "by": how}); err != nil {
		return err
	}
	return problem(unauthorised, "Tên đăng nhập hoặc mật khẩu không đúng, hoặc tài khoản không được đăng nhập.", "The login or the password is wrong, or the account may not sign in.")
}

// startSession signs the person in in the browser that asks.
func (a *api) startSession(w http.ResponseWriter, r *request, person int64, passwordHash string) error {
	token, expires := account.NewToken(), a.Now().Add(sessionTime)
	if err := a.Accounts.StartSession(r.Context(), account.NewSession{Person: person, Token: token, Address: a.address(r.Request), Expires: expires, PasswordHash: passwordHash}); err != nil {
		return err
	}
	session, err := a.Accounts.SessionViewer(r.Context(), token)
	if err != nil {
		return err
	}
	r.viewer, r.who = session.Viewer, credentials{session: &session, token: token}
	a.setSession(w, r, token, expires)
	return nil
}

func (a *api) signOut(w http.ResponseWriter, r *request) error {
	if r.who.session != nil {
		if err := a.Accounts.EndSession(r.Context(), r.viewer, r.who.token); err != nil {
			return err
		}
	}
	a.setSession(w, r, "", time.Time{})
	return done(w)
}

// changePassword changes the password of who is signed in. Other sessions end.
func (a *api) changePassword(w http.ResponseWriter, r *request) error {
	var given struct {
		Old string `json:"old"`
		New string `json:"new"`
	}
	s := r.who.session
	if s == nil {
		return problem(forbidden, "Chỉ người đã đăng nhập mới đổi được mật khẩu của mình.", "Only a person who has signed in changes a password of his own.")
	}
	if err := readDocument(w, r, &given); err != nil {
		return err
	}
	person, err := a.verify(r, s.Login, given.Old)
	if err != nil {
		return err
	}
	if person.Person != s.Person {
		return faultsProblem(invalidBody, layer.Faults{{At: "/old", Detail: geo.Text{VI: "mật khẩu hiện tại không đúng", EN: "is not the present password"}}})
	}
	hash, err := a.hashPassword(r, "/new", given.New, s.Login)
	if err != nil {
		return err
	}
	change := account.PersonChange{PasswordHash: &hash, KeepSession: account.Hash(r.who.token)}
	if err := a.Accounts.ChangePerson(r.Context(), r.viewer, s.Person, change); err != nil {
		return err
	}
	return done(w)
}

// hashPassword checks a new password and hashes it; its faults stand at a member.
func (a *api) hashPassword(r *request, at, password, login string) (string, error) {
	if err := account.CheckPassword(password, login); err != nil {
		return "", faultsAt(at, err)
	}
	return a.Passwords.Hash(r.Context(), password)
}

// oidcCookie holds the state of a sign-in that is under way at the provider.
const oidcCookie = "hatang_flow"

// oidcTime is how long a person may take to sign in at the provider.
const oidcTime = 10 * time.Minute

// startOIDC sends a person to the provider to sign in.
func (a *api) startOIDC(w http.ResponseWriter, r *request) error {
	if a.OIDC == nil {
		return unknownPath()
	}
	address, flow, err := a.OIDC.Begin(r.Context(), account.SafeReturn(r.values.Get("return")))
	if err != nil {
		a.Log.WarnContext(r.Context(), "the sign-in provider does not answer", "cause", err)
		return problem(unavailable, "Dịch vụ đăng nhập một lần chưa trả lời; hãy thử lại sau.", "The single sign-on service does not answer; try again later.")
	}
	a.setFlow(w, r, a.OIDC.Seal(flow))
	return seeOther(w, address)
}

// finishOIDC signs in a person who comes back from the provider.
func (a *api) finishOIDC(w http.ResponseWriter, r *request) error {
	if a.OIDC == nil {
		return unknownPath()
	}
	cookie, err := r.Cookie(oidcCookie)
	if err != nil {
		return problem(unauthorised, "Lần đăng nhập này đã quá hạn; hãy bắt đầu lại.", "This sign-in has expired; begin again.")
	}
	a.setFlow(w, r, "")
	flow, err := a.OIDC.Open(cookie.Value, a.Now())
	if err == nil {
		var who account.Identity
		if who, err = a.OIDC.Finish(r.Context(), flow, r.URL.Query()); err == nil {
			return a.signInAs(w, r, who, flow.Return)
		}
	}
	a.Log.InfoContext(r.Context(), "a sign-in by the provider was refused", "cause", err)
	return a.signInFailed(r, "oidc", "oidc")
}

// signInAs signs in the person whom the provider has named.
func (a *api) signInAs(w http.ResponseWriter, r *request, who account.Identity, to string) error {
	verified := ""
	if who.EmailVerified {
		verified = who.Email
	}
	person, err := a.Accounts.PersonOfIdentity(r.Context(), who.Issuer, who.Subject, verified)
	if isNotFound(err) {
		return a.signInFailed(r, "oidc:"+clip(who.Subject), "oidc")
	}
	if err != nil {
		return err
	}
	if err := a.startSession(w, r, person, ""); err != nil {
		return err
	}
	return seeOther(w, to)
}

func (a *api) setFlow(w http.ResponseWriter, r *request, sealed string) {
	cookie := a.cookie(r, oidcCookie, sealed, root+"/session/oidc")
	cookie.MaxAge = int(oidcTime.Seconds())
	if sealed == "" {
		cookie.MaxAge = -1
	}
	http.SetCookie(w, cookie)
}

func seeOther(w http.ResponseWriter, address string) error {
	w.Header()["Cache-Control"] = noStore
	w.Header().Set("Location", address)
	w.WriteHeader(http.StatusSeeOther)
	return nil
}
