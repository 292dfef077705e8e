package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"hatang/internal/account"
)

// signIn tries to sign in at a server from an address.
func signIn(server http.Handler, login, given, address string, headers ...string) answer {
	r := requestFrom(http.MethodPost, "/api/v1/session", credentialsOf(login, given), address)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	server.ServeHTTP(w, r)
	return answer{request: "sign in as " + login + " from " + address, status: w.Code, header: w.Header(), body: w.Body.Bytes()}
}

// credentialsOf is the body of a sign-in.
func credentialsOf(login, given string) string {
	return asJSON(map[string]string{"login": login, "password": given})
}

// requestFrom is a request with JSON from an address.
func requestFrom(method, path, body, address string) *http.Request {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.RemoteAddr = address + ":1"
	r.Header.Set("Content-Type", "application/json")
	return r
}

// Two servers of one register count the failures of both: whoever guesses at the one
// guesses at the other. The owner is let in where he has been before.
func TestServersCountSignInsTogether(t *testing.T) {
	r := newRegister(t)
	other, _ := r.serve(t)
	servers := []http.Handler{r.server, other}
	r.person(t, "lan", "", account.Grant{Role: account.Officer, Territory: here})
	r.person(t, "tuan", "", account.Grant{Role: account.Officer, Territory: here})
	for i := range account.FailuresOfPair {
		signIn(servers[i%2], "lan", "a wrong password", "192.0.2.1").isProblem(t, http.StatusUnauthorized)
	}
	for _, server := range servers {
		refused := signIn(server, "lan", password, "192.0.2.1")
		refused.isProblem(t, http.StatusTooManyRequests)
		if after := refused.header.Get("Retry-After"); after == "" || after == "0" {
			t.Errorf("again after %q s", after)
		}
		signIn(server, "tuan", password, "192.0.2.1").wants(t, http.StatusCreated)
		signIn(server, "lan", password, "192.0.2.2").wants(t, http.StatusCreated)
	}
	if n := value[int64](t, r, "SELECT count(*) FROM audit WHERE action = 'sign_in.refused' AND subject = 'person:lan' AND detail->>'address' = '192.0.2.1'"); n != 2 {
		t.Errorf("%d refusals are recorded, want both", n)
	}
	// An attack from everywhere: those who have been there before are let in.
	r.sql(t, "INSERT INTO sign_in_attempts (login, network, at_home) SELECT 'lan', 'network ' || i, false FROM generate_series(1, $1) i", account.FailuresOfAccount)
	for _, server := range servers {
		signIn(server, "lan", password, "192.0.2.2").wants(t, http.StatusCreated)
		signIn(server, "lan", password, "192.0.2.3").isProblem(t, http.StatusTooManyRequests)
	}
	// The control: what the servers share is what refuses. Each repeats for some seconds what
	// it has said, so a third is asked.
	r.sql(t, "DELETE FROM sign_in_attempts")
	third, _ := r.serve(t)
	signIn(third, "lan", password, "192.0.2.1").wants(t, http.StatusCreated)
}

// What is refused at the door of the session is recorded, and who is kept out does not
// fill the record.
func TestRefusedSessionsAreRecorded(t *testing.T) {
	r := newRegister(t)
	token := r.session(t, r.person(t, "lan", "", account.Grant{Role: account.Officer, Territory: here}), time.Hour)
	signIn(r.server, "lan", password, "192.0.2.1", "Origin", "https://elsewhere.example").isProblem(t, http.StatusForbidden)
	send(r.server, http.MethodDelete, "/api/v1/session", "", "Cookie", "hatang_session="+token).isProblem(t, http.StatusForbidden)
	r.sql(t, "INSERT INTO sign_in_attempts (login, network, at_home) SELECT 'lan', '192.0.2.7/32', false FROM generate_series(1, $1)", account.FailuresOfPair)
	for range 10 {
		signIn(r.server, "lan", password, "192.0.2.7").isProblem(t, http.StatusTooManyRequests)
	}
	for want, action := range map[string]string{
		"public POST /api/v1/session 403":       "write.refused",
		"person:lan DELETE /api/v1/session 403": "write.refused",
	} {
		if n := value[int64](t, r, "SELECT count(*) FROM audit WHERE action = $1 AND concat_ws(' ', who, subject, detail->>'status') = $2", action, want); n != 1 {
			t.Errorf("%s: %d entries", want, n)
		}
	}
	if n := value[int64](t, r, "SELECT count(*) FROM audit WHERE action = 'sign_in.refused'"); n != 3 {
		t.Errorf("%d of ten refusals are recorded, want 3", n)
	}
}

// Refused changes of nobody known, from wherever, are an entry of each network and their
// number, and the chain of the audit is whole.
func TestRefusedChangesOfNobodyAreCounted(t *testing.T) {
	r := newRegister(t)
	const each = 20
	for i := range 3 * each {
		a := sendOnceFrom(r.server, http.MethodDelete, "/api/v1/people/1/grants/1", fmt.Sprintf("198.51.%d.%d", i%3, i))
		a.isProblem(t, http.StatusUnauthorized)
	}
	entries := func(where string) int64 {
		t.Helper()
		return value[int64](t, r, "SELECT count(*) FROM audit WHERE action = 'write.refused' AND who = 'public' AND "+where)
	}
	if n := entries("true"); n != 3 {
		t.Errorf("%d entries, want one of each network", n)
	}
	if err := r.refusals.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := entries(fmt.Sprintf("subject LIKE 'network:198.51.%%.0/24' AND detail->>'count' = '%d' AND (detail->>'from')::timestamptz <= (detail->>'to')::timestamptz", each-1)); n != 3 {
		t.Errorf("%d networks are counted, want 3", n)
	}
	if broken, err := r.store.AuditBrokenAt(t.Context()); err != nil || broken != 0 {
		t.Errorf("the chain is broken at %d, %v", broken, err)
	}
}

// sendOnceFrom sends a request without a body from an address.
func sendOnceFrom(server http.Handler, method, path, address string) answer {
	w := httptest.NewRecorder()
	server.ServeHTTP(w, requestFrom(method, path, "", address))
	return answer{request: method + " " + path + " from " + address, status: w.Code, header: w.Header(), body: w.Body.Bytes()}
}
