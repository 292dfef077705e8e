package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"hatang/internal/account"
	"hatang/internal/permit"
)

const verdictsPath, oneVerdict = root + "/verdicts", root + "/verdicts/" + fakeNumber

func TestVerdictsAreRecorded(t *testing.T) {
	h := apiOf(t, &fakeStore{}).router()
	w := do(h, "POST", verdictsPath, `{"placement_check": {"mast_type": "A1a"}}`, asOperator, "Content-Type: application/json")
	if got := decode(t, w); w.Code != 201 || got["key"] != "k" || got["algorithm"] != "Ed25519" || !strings.HasSuffix(w.Header().Get("Location"), oneVerdict) {
		t.Errorf("%d %v, %s", w.Code, got, w.Header().Get("Location"))
	}
	for body, want := range map[string]string{`{}`: "placement_check", `{"placement_check": {}, "cable_check": {}}`: "placement_check", `{"placement_check": {}}`: "/placement_check/mast_type",
		`{"cable_check": {}}`: "/cable_check/mast_type", `{"placement_check": {"mast_type": "A1a"}, "detail": "full"}`: "/detail"} {
		if w := do(h, "POST", verdictsPath, body, asOperator, "Content-Type: application/json"); w.Code != 400 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
	if w := do(h, "POST", verdictsPath, `{"placement_check": {"mast_type": "A1a"}}`, "Content-Type: application/json"); w.Code != 401 {
		t.Errorf("for nobody: %d", w.Code)
	}
}

// keyless is a recorder of a server without a key.
type keyless struct{ fakePlan }

func (keyless) Seal(permit.Judged, int64, *permit.RecordFeature) (permit.Record, error) {
	return permit.Record{}, fmt.Errorf("read the key: %w", permit.ErrNoSigningKey)
}

// unfiled is a register that files what seals well.
type unfiled struct{ *fakeStore }

func (unfiled) FileProposal(_ context.Context, _ account.Viewer, n permit.NewFile) (int64, error) {
	records, err := n.Records(7)
	return int64(len(records)), err
}

func TestWithoutAKeyNothingIsRecorded(t *testing.T) {
	s := &fakeStore{rows: siteRows(t, 2, "x")}
	c := config(t, s)
	c.Recorder, c.Accounts = keyless{}, unfiled{s}
	h := apiWith(t, c).router()
	for path, body := range map[string]string{verdictsPath: `{"placement_check": {"mast_type": "A1a"}}`, root + "/proposals": `{"title": "x", "features": [{"collection": "bts_sites", "id": 1}]}`} {
		if w := do(h, "POST", path, body, asOperator, "Content-Type: application/json"); w.Code != 503 || !strings.Contains(w.Body.String(), "rotate-key") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	c.Recorder = fakePlan{}
	h = apiWith(t, c).router()
	if w := do(h, "POST", root+"/proposals", `{"title": "x", "features": [{"collection": "bts_sites", "id": 1}]}`, asOperator, "Content-Type: application/json"); w.Code != 201 || !strings.HasSuffix(w.Header().Get("Location"), "/1") {
		t.Errorf("%d %s, one verdict goes with it", w.Code, w.Header().Get("Location"))
	}
}

// Nobody learns from a verification more than who has the verdict in his hands.
func TestVerificationTellsAsMuchAsOneMayKnow(t *testing.T) {
	h := apiOf(t, &fakeStore{}).router()
	for _, tt := range []struct {
		path, who string
		tells     bool
	}{{"", "", false}, {"?code=C0DE", "", true}, {"?code=c0de", "", true}, {"?code=", "", false}, {"?code=C0DF", "", false}, {"", asOperator, true}} {
		var who []string
		if tt.who != "" {
			who = append(who, tt.who)
		}
		w := do(h, "GET", oneVerdict+"/verification"+tt.path, "", who...)
		got := decode(t, w)
		if _, told := got["question"]; w.Code != 200 || got["valid"] != false || told != tt.tells || (got["verdict"] == "permitted") != tt.tells {
			t.Errorf("%q for %q: %d %v", tt.path, tt.who, w.Code, got)
		}
		page := do(h, "GET", oneVerdict+"/verification"+tt.path, "", append(who, "Accept: "+firefox, "Accept-Language: vi")...).Body.String()
		if strings.Contains(page, "cột tự đứng") != tt.tells || strings.Contains(page, "self_supporting") || strings.Contains(page, " UTC<") || !strings.Contains(page, "UTC&#43;07:") {
			t.Errorf("%q for %q: the page is not in the words and times of the paper: %s", tt.path, tt.who, page)
		}
	}
	for path, want := range map[string]int{oneVerdict: 401, verdictsPath + "/V-2026-0000-0000-0001/verification": 404, verdictsPath + "/x/verification": 404} {
		if w := do(h, "GET", path, ""); w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
	}
	if w := do(h, "POST", oneVerdict+"/replay", "", asOperator); w.Code != 200 || decode(t, w)["same"] != true {
		t.Errorf("made again: %d %s", w.Code, w.Body)
	}
	if w := do(h, "GET", root+"/signing-keys", ""); w.Code != 200 || !strings.Contains(w.Body.String(), `"keys":[]`) {
		t.Errorf("keys: %d %s", w.Code, w.Body)
	}
	if w := do(h, http.MethodGet, oneVerdict, "", asOperator); w.Code != 200 || decode(t, w)["sha256"] == "" {
		t.Errorf("the verdict: %d %s", w.Code, w.Body)
	}
}
