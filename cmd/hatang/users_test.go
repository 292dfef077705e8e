package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"hatang/internal/account"
)

// peopleAndKeys is what an administrator does on the terminal, beside the running server.
func peopleAndKeys(t *testing.T, s *server) {
	data := []string{"--data", s.dir}
	on := func(args ...string) []string { return append(args, data...) }
	const password = "mật khẩu thử dài"
	hatangTold(t, password+"\n", on("user", "add", " Hoa ", "--name", "Hoa", "--role", "officer", "--territory", "094")...).wants(t, exitDone, "hoa may sign in")
	hatangTold(t, "ngắn\n", on("user", "add", "mai", "--name", "Mai", "--role", "officer")...).wants(t, exitFindings, "password")
	hatangTold(t, password, on("user", "add", "hoa", "--name", "Hoa", "--role", "officer")...).wants(t, exitFindings, "conflict")
	hatang(t, on("user", "add", "mai", "--name", "Mai", "--role", "emperor")...).wants(t, exitUsage, "role")
	hatang(t, on("user", "grant", "hoa", "--role", "approver", "--layers", "nowhere")...).wants(t, exitFindings, "nowhere")
	hatang(t, on("user", "disable", "nobody")...).wants(t, exitFindings, "nobody")

	signIn := func(password string) answer {
		return s.call(t, "POST", "/api/v1/session", `{"login":"HOA","password":"`+password+`"}`, "Content-Type", "application/json")
	}
	signIn("something else").isProblem(t, http.StatusUnauthorized)
	signedIn := signIn(password)
	cookie, _, _ := strings.Cut(signedIn.header.Get("Set-Cookie"), ";")
	var session struct{ CSRF string }
	signedIn.wants(t, http.StatusCreated)
	signedIn.read(t, &session)
	for _, attribute := range []string{"HttpOnly", "SameSite=Lax", "Path=/"} {
		if !strings.Contains(signedIn.header.Get("Set-Cookie"), attribute) {
			t.Errorf("the cookie lacks %s: %s", attribute, signedIn.header.Get("Set-Cookie"))
		}
	}
	areas := func(headers ...string) int {
		var p page
		s.get(t, "/api/v1/collections/special_areas/items?limit=100", &p, headers...)
		return p.NumberMatched
	}
	if own, public := areas("Cookie", cookie), areas(); own != 6 || public != 3 {
		t.Errorf("the officer sees %d areas, the public %d", own, public)
	}
	hatang(t, on("user", "grant", "hoa", "--role", "approver")...).wants(t, exitDone, "given")
	// What another process has taken away, a server may heed for a second yet where one reads.
	refused := func(headers ...string) {
		t.Helper()
		until(t, "the refusal", func() bool { return s.call(t, "GET", "/api/v1/keys", "", headers...).status != http.StatusOK })
		s.call(t, "GET", "/api/v1/keys", "", headers...).isProblem(t, http.StatusUnauthorized)
	}
	var people []account.Person
	if err := json.Unmarshal([]byte(hatang(t, on("user", "list", "--json")...).stdout), &people); err != nil || len(people) != 1 || len(people[0].Grants) != 2 {
		t.Fatalf("%+v, %v", people, err)
	}
	hatang(t, on("user", "list")...).wants(t, exitDone, "officer in 094; approver")
	hatang(t, on("user", "notices", "hoa", "--no-on", "--email", "hoa@example.vn", "--language", "en")...).wants(t, exitDone, "set")
	hatang(t, on("user", "notices", "hoa", "--email", "hoa")...).wants(t, exitUsage, "no e-mail address")
	if err := json.Unmarshal([]byte(hatang(t, on("user", "list", "--json")...).stdout), &people); err != nil || people[0].Notices || people[0].Language != "en" || people[0].Email != "hoa@example.vn" {
		t.Errorf("%+v, %v", people, err)
	}
	hatangTold(t, "một mật khẩu mới\n", on("user", "password", "hoa")...).wants(t, exitDone, "set")
	refused("Cookie", cookie)
	signIn(password).isProblem(t, http.StatusUnauthorized)
	signIn("một mật khẩu mới").wants(t, http.StatusCreated)
	hatang(t, on("user", "disable", "hoa")...).wants(t, exitDone, "disabled")
	signIn("một mật khẩu mới").isProblem(t, http.StatusUnauthorized)
	hatang(t, on("user", "enable", "hoa")...).wants(t, exitDone, "again")
	signIn("một mật khẩu mới").wants(t, http.StatusCreated)

	key := newKey(t, s, "officer", "--layers", "roads,kiosks")
	s.call(t, "GET", "/api/v1/keys", "", bearer(key)...).wants(t, http.StatusOK)
	id, _, _ := strings.Cut(strings.TrimPrefix(key, "htg_"), "_")
	hatang(t, on("key", "list")...).wants(t, exitDone, "officer of roads,kiosks")
	hatang(t, on("key", "revoke", id)...).wants(t, exitDone, "revoked")
	refused(bearer(key)...)
	hatang(t, on("key", "revoke", "none")...).wants(t, exitFindings, "not found")

	hatang(t, on("audit")...).wants(t, exitDone, "sign_in.failed")
	was := s.sql(t, "SELECT who FROM audit WHERE id = 3")
	s.sql(t, "ALTER TABLE audit DISABLE TRIGGER ALL")
	s.sql(t, "UPDATE audit SET who = 'nobody' WHERE id = 3")
	hatang(t, on("audit", "--json")...).wants(t, exitFindings, "from entry 3 on")
	hatang(t, on("doctor")...).wants(t, exitFindings, "from entry 3 on")
	s.sql(t, "UPDATE audit SET who = $1 WHERE id = 3", was)
	s.sql(t, "ALTER TABLE audit ENABLE TRIGGER ALL")
	hatang(t, on("doctor")...).wants(t, exitDone, "no problems")
}
