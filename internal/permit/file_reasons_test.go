package permit

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"hatang/internal/layer"
)

// An approval says why where the check is against it, or has come to be graver since.
func TestApprovalsThatNeedReasons(t *testing.T) {
	verdict := func(v string, rules ...string) json.RawMessage {
		findings := []string{`{"rule":"OK","outcome":"pass"}`}
		for _, r := range rules {
			findings = append(findings, `{"rule":"`+r+`","outcome":"fail"}`)
		}
		return json.RawMessage(`{"verdict":"` + v + `","features":[{"answer":{"verdict":"` + v + `","findings":[` + strings.Join(findings, ",") + `]}},{"answer":null}]}`)
	}
	for _, tt := range []struct {
		name       string
		filed, now json.RawMessage
		want       string // what it says; "" for nothing
	}{
		{"permitted", verdict("permitted"), verdict("permitted"), ""},
		{"conditional from the first", verdict("conditional", "COND-dd1"), verdict("conditional", "COND-dd1"), ""},
		{"another rule since", verdict("conditional", "COND-dd1"), verdict("conditional", "COND-dd1", "COND-d2"), "(COND-d2)"},
		{"another feature since", json.RawMessage(`{"verdict":"conditional","features":[{"collection":"bts_sites","id":1,"answer":{"findings":[{"rule":"COND-dd1","outcome":"fail"}]}}]}`),
			json.RawMessage(`{"verdict":"conditional","features":[{"collection":"bts_sites","id":1,"answer":{"findings":[{"rule":"COND-dd1","outcome":"fail"}]}},{"collection":"bts_sites","id":2,"answer":{"findings":[{"rule":"COND-dd1","outcome":"fail"}]}}]}`), "(COND-dd1)"},
		{"better", verdict("refused", "ZONE-b"), verdict("permitted"), ""},
		{"graver since", verdict("permitted"), verdict("conditional", "COND-dd1"), "COND-dd1"},
		{"refused from the first", verdict("refused", "ZONE-b"), verdict("refused", "ZONE-b"), "(ZONE-b)"},
		{"undetermined", verdict("undetermined", "CAB-U2"), verdict("undetermined", "CAB-U2"), "(CAB-U2)"},
		{"between its masts", verdict("permitted"), json.RawMessage(`{"verdict":"conditional","features":[],"each_other":[{"finding":{"rule":"COND-dd1","outcome":"fail"}}]}`), "(COND-dd1)"},
		{"no check before", nil, verdict("conditional"), "come to"},
		{"no check before, and nothing against it", nil, verdict("permitted"), ""},
		{"nothing to check", json.RawMessage("null"), json.RawMessage(`{"verdict":"","features":[]}`), ""},
		{"none", nil, nil, ""},
	} {
		err := NeedsReasons(tt.filed, tt.now)
		var refused *RefusedError
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", tt.name, err)
		case tt.want != "" && (!errors.As(err, &refused) || !errors.Is(err, layer.ErrConflict) || !strings.Contains(refused.Detail.EN, tt.want) || !strings.Contains(refused.Detail.VI, "lý do")):
			t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
		}
	}
	if err := NeedsReasons(nil, json.RawMessage("[")); err == nil || errors.Is(err, layer.ErrConflict) {
		t.Errorf("half a verdict: %v", err)
	}
}
