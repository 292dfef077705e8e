package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// verdictsAreRecorded: the command and the server record by one key, which rotates under
// them; whatever either recorded before is proved by both, and by nothing but its file and
// the published keys.
func verdictsAreRecorded(t *testing.T, s *server) {
	run := func(args ...string) result { t.Helper(); return hatang(t, append(args, "--data", s.dir)...) }
	check := []string{"check", "--mast-type", "A2b", "--lon", "103.0165", "--lat", "21.3826", "--height-m", "45", "--record"}
	r := run(check...)
	r.wants(t, exitFindings, "V-20")
	number, _, _ := strings.Cut(r.stdout, "\n")
	dir := freshDir(t)
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	file := write("verdict.json", run("verdict", "show", number).stdout)
	run("verdict", "verify", number).wants(t, exitDone, number)
	run("verdict", "replay", number).wants(t, exitDone, "as it was recorded")
	info, err := os.Stat(filepath.Join(s.dir, "signing-key.pem"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the private key: %v, %v", info, err)
	}

	post := func(body string) answer {
		return s.call(t, "POST", "/api/v1/verdicts", body, append(bearer(s.key), "Content-Type", "application/json")...)
	}
	const question = `{"placement_check":{"lon":103.0165,"lat":21.3826,"mast_type":"A1a"}}`
	before := post(question).created(t)
	run("verdict", "rotate-key").wants(t, exitDone, "")
	after := post(question).created(t)
	if before.Key == after.Key || before.Body.Number == after.Body.Number {
		t.Errorf("before and after: %+v, %+v", before, after)
	}
	keys := write("keys.json", run("verdict", "keys").stdout)
	published := string(s.call(t, "GET", "/api/v1/signing-keys", "").body)
	if strings.Count(published, `"kid"`) != 2 || strings.Count(published, `"valid_until":null`) != 1 || strings.Contains(published, `"d":`) {
		t.Errorf("the keys: %s", published)
	}
	for _, n := range []string{number, before.Body.Number, after.Body.Number} {
		run("verdict", "verify", n).wants(t, exitDone, n)
		var proof struct {
			Valid    bool
			Question json.RawMessage
		}
		s.call(t, "GET", "/api/v1/verdicts/"+n+"/verification", "").read(t, &proof)
		if !proof.Valid || proof.Question != nil {
			t.Errorf("%s for everybody: %+v", n, proof)
		}
		s.call(t, "GET", "/api/v1/verdicts/"+n+"/verification?code="+before.Body.Code, "").read(t, &proof)
		if (proof.Question != nil) != (n == before.Body.Number) {
			t.Errorf("%s by the code of %s: %s", n, before.Body.Number, proof.Question)
		}
		s.call(t, "GET", "/api/v1/verdicts/"+n, "").isProblem(t, 401)
		var again struct{ Same bool }
		s.call(t, "POST", "/api/v1/verdicts/"+n+"/replay", "", bearer(s.key)...).read(t, &again)
		if !again.Same {
			t.Errorf("%s is not made again", n)
		}
	}
	run("verdict", "verify", file).wants(t, exitDone, number)
	hatang(t, "verdict", "verify", file, "--keys", keys).wants(t, exitDone, number)
	hatang(t, "verdict", "verify", file, "--keys", write("published.json", published)).wants(t, exitDone, number)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	spoilt := write("spoilt.json", strings.Replace(string(text), `"verdict":"refused"`, `"verdict":"permitted"`, 1))
	hatang(t, "verdict", "verify", spoilt, "--keys", keys).wants(t, exitFindings, "signature")
	hatang(t, "verdict", "verify", write("none.json", "{}"), "--keys", keys).wants(t, exitFindings, "body")
	hatang(t, "verdict", "verify", number, "--keys", keys).wants(t, exitUsage, "--keys")
	run("verdict", "show", "V-2026-0000-0000-0000").wants(t, exitFindings, "no verdict")
	run(append(check, "--known-at", "2020-01-01T00:00:00Z")...).wants(t, exitUsage, "--known-at")
	run("check", "--file", keys, "--record").wants(t, exitUsage, "--file")

	line := write("line.geojson", `{"type":"LineString","coordinates":[[103.0190,21.3914,7],[103.0222,21.3914,7]]}`)
	r = run("check-cable", line, "--carrier", "duct", "--date", "2020-06-30", "--record", "--json")
	var recorded recordedDocument
	if err := json.Unmarshal([]byte(r.stdout), &recorded); err != nil || recorded.Body.Kind != "cable" {
		t.Errorf("a cable: %s, %v", r.stdout, err)
	}
	run("verdict", "replay", recorded.Body.Number, "--json").wants(t, exitDone, `"same":true`)
}

// recordedDocument is what the tests read of a recorded verdict.
type recordedDocument struct {
	Key  string
	Body struct{ Number, Code, Kind string }
}

// created reads what a request has recorded.
func (a answer) created(t *testing.T) (d recordedDocument) {
	t.Helper()
	if err := json.Unmarshal(a.body, &d); err != nil || a.status != 201 || !strings.HasSuffix(a.header.Get("Location"), "/verdicts/"+d.Body.Number) {
		t.Fatalf("%s: %d %s, %v", a.request, a.status, a.body, err)
	}
	return d
}
