package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"hatang/geo/zoning"
)

// forbid draws a zone by hand, past every server, and returns a check that it refuses.
func forbid(t *testing.T, s *server, n int) string {
	t.Helper()
	lon := 103.05 + 0.01*float64(n)
	s.sql(t, `INSERT INTO mast_zones (code, valid_from, jurisdiction, zone_class, phase, geom)
		VALUES ($1, '2016-01-01', '11', 'b', 'P1', ST_Multi(ST_Expand(ST_SetSRID(ST_MakePoint($2, 21.1), 4326), 0.004)))`, fmt.Sprint("FORBID-", n), lon)
	return fmt.Sprintf(`{"lon":%g,"lat":21.1,"mast_type":"A2b","date":"2020-12-31"}`, lon)
}

// refusesInTime asks until the server refuses, as it must from a second after the
// edit on whenever it answers at all.
func refusesInTime(t *testing.T, s *server, check string, edited time.Time) {
	t.Helper()
	until(t, "a refusal", func() bool {
		asked := time.Now()
		a := s.call(t, "POST", "/api/v1/placement-checks", check, "Content-Type", "application/json")
		if a.status == http.StatusServiceUnavailable {
			return false
		}
		a.wants(t, http.StatusOK)
		var answered zoning.Result
		a.read(t, &answered)
		if answered.Verdict != zoning.Refused && asked.Sub(edited) > time.Second {
			t.Fatalf("asked %s after the edit, answered as before it: %s", asked.Sub(edited), answered.Verdict)
		}
		return answered.Verdict == zoning.Refused
	})
}

// becomesFresh waits until answers come from memory.
func becomesFresh(t *testing.T, s *server) {
	t.Helper()
	until(t, "a fresh snapshot", func() bool {
		a := s.call(t, "GET", "/readyz", "")
		return a.status == http.StatusOK && strings.Contains(string(a.body), `"fresh":true`) && strings.Contains(string(a.body), `"age_s":0`)
	})
}

// replay asks as of a time before the first edit, over HTTP and from the terminal.
func replay(t *testing.T, s *server, began string) {
	t.Helper()
	check := `{"lon":103.05,"lat":21.1,"mast_type":"A2b","date":"2020-12-31"}`
	var now, then struct {
		zoning.Result
		Versions map[string]int64
		KnownAt  string `json:"known_at"`
	}
	s.call(t, "POST", "/api/v1/placement-checks", check, "Content-Type", "application/json").read(t, &now)
	s.call(t, "POST", "/api/v1/placement-checks?known_at="+began, check, "Content-Type", "application/json").read(t, &then)
	if now.Verdict != zoning.Refused || now.KnownAt != "" || len(now.Versions) == 0 {
		t.Errorf("now: %+v", now)
	}
	if then.Verdict == zoning.Refused || !strings.HasPrefix(then.KnownAt, strings.TrimRight(strings.TrimSuffix(began, "Z"), "0")) || len(then.Versions) != 0 {
		t.Errorf("as known at %s: %+v", began, then)
	}
	for _, bad := range []string{"yesterday", "2999-01-01T00:00:00Z", ""} {
		s.call(t, "POST", "/api/v1/placement-checks?known_at="+bad, check, "Content-Type", "application/json").isProblem(t, http.StatusBadRequest)
	}
	ask := []string{"check", "--database-url", s.ownerURL(), "--date", "2020-12-31", "--mast-type", "A2b", "--lon", "103.05", "--lat", "21.1", "--json"}
	hatang(t, ask...).wants(t, exitFindings, `"verdict":"refused"`)
	if was := hatang(t, append(ask, "--known-at", began)...); strings.Contains(was.stdout, `"verdict":"refused"`) || !strings.Contains(was.stdout, `"known_at":"`+strings.TrimRight(strings.TrimSuffix(began, "Z"), "0")) {
		t.Errorf("the terminal says of then %+v", was)
	}
	hatang(t, append(ask, "--known-at", "2999-01-01T00:00:00Z")...).wants(t, exitUsage, "past")
}

// TestFreshness follows edits made by hand on two servers of one database, through
// the end of PostgreSQL and its return.
func TestFreshness(t *testing.T) {
	t.Parallel()
	s := demo(t)
	second := serve(t, t.TempDir(), s.key, "--database-url", s.ownerURL(), "--date", "2020-12-31")
	n := 0
	began := s.sql(t, `SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`)
	follow := func() {
		for _, server := range []*server{s, second} {
			becomesFresh(t, server)
		}
		check := forbid(t, s, n)
		edited := time.Now()
		n++
		refusesInTime(t, s, check, edited)
		refusesInTime(t, second, check, edited)
	}
	for range 3 {
		follow()
	}
	killed := s.postmaster()
	kill(t, killed)
	// What is answered meanwhile is 503 or right.
	for range 20 {
		refusesInTime(t, s, `{"lon":103.05,"lat":21.1,"mast_type":"A2b","date":"2020-12-31"}`, time.Time{})
	}
	until(t, "the database's return", func() bool {
		return s.postmaster() != 0 && s.postmaster() != killed && s.call(t, "GET", "/readyz", "").status == http.StatusOK
	})
	for range 2 {
		follow()
	}
	replay(t, s, began)
	officer := bearer(newKey(t, s, "officer"))
	for _, server := range []*server{s, second} {
		if public := string(server.call(t, "GET", "/metrics", "").body); strings.Contains(public, "hatang_snapshot_changes_total") || !strings.Contains(public, `hatang_snapshot_age_seconds{viewers="public"} `) {
			t.Errorf("the public is told of changes, or not of the age:\n%s", public)
		}
		metrics := string(server.call(t, "GET", "/metrics", "", officer...).body)
		for _, want := range []string{`hatang_snapshot_age_seconds{viewers="public"} `, `hatang_snapshot_changes_total `, `hatang_snapshot_builds_total `, `hatang_snapshot_checks_total{from="database"} `} {
			if !strings.Contains(metrics, want) {
				t.Errorf("the metrics lack %s", want)
			}
		}
		if strings.Contains(metrics, `hatang_snapshot_checks_total{from="memory"} 0`+"\n") {
			t.Error("nothing was answered from memory")
		}
	}
}
