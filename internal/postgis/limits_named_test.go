package postgis

import (
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"

	contract "hatang/api"
)

// The limits of the database are named in the API's own description, and the time of a
// statement is that of the work on an answer.
func TestLimitsAreNamed(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromData(contract.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	said := doc.Extensions["x-limits"].(map[string]any)
	l := RequestLimits()
	want := map[string]any{
		"statement_s": l.Statement.Seconds(), "report_statement_s": reportTime.Seconds(), "lock_s": l.Lock.Seconds(),
		"idle_in_transaction_s": l.IdleInTransaction.Seconds(), "acquire_s": acquireTimeout.Seconds(),
	}
	if d := cmp.Diff(want, said["database"]); d != "" {
		t.Errorf("-kept +named:\n%s", d)
	}
	if d := cmp.Diff(map[string]any{"s": l.Statement.Seconds(), "report_s": reportTime.Seconds()}, said["work"]); d != "" {
		t.Errorf("-of a statement +of the work:\n%s", d)
	}
}
