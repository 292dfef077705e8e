package httpapi

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"hatang/internal/account"
)

// holder is a viewer of each role.
func holder(role account.Role) account.Viewer {
	if role == account.Public {
		return account.Anonymous()
	}
	return account.Viewer{Name: "key:" + string(role), Grants: []account.Grant{{Role: role}}}
}

// everyRole is all that the table must have.
func everyRole() []account.Role { return append([]account.Role{account.Public}, account.Roles()...) }

// A client is counted by its highest role; one who is known and has none, with the least.
func TestWhoMayHowMuch(t *testing.T) {
	for _, tt := range []struct {
		viewer account.Viewer
		want   account.Role
	}{
		{account.Anonymous(), account.Public}, {account.Viewer{Name: "person:lan"}, account.Consulted}, {holder(account.Operator), account.Operator},
		{account.Viewer{Name: "person:lan", Grants: []account.Grant{{Role: account.Officer, Territory: "094"}, {Role: account.Operator}}}, account.Officer},
	} {
		if got := allowanceOf(tt.viewer); got != allowances[tt.want] {
			t.Errorf("%+v: %+v, want that of %s", tt.viewer, got, tt.want)
		}
	}
}

// What one client may have under way, at the limit of each role and over it.
func TestSharesOfRoles(t *testing.T) {
	for _, role := range everyRole() {
		l := newLimits(5000, 0, nil) // so many that nobody waits
		viewer, r, may := holder(role), from("192.0.2.1:1"), allowances[role]
		for _, lane := range []struct {
			name  string
			share int
			enter func() (func(), error)
		}{
			{"heavy requests", may.heavy, func() (func(), error) { return l.enterHeavy(viewer, r) }},
			{"streams", may.streams, func() (func(), error) { return l.enterStream(viewer, r) }},
			{"bodies", may.bodies, func() (func(), error) { return l.enterBody(viewer, r) }},
			{"tiles", may.tiles, func() (func(), error) { return l.enterTile(r.Context(), viewer, r) }},
		} {
			var leave func()
			for i := range lane.share {
				var err error
				if leave, err = lane.enter(); err != nil {
					t.Fatalf("%s: %s %d of %d: %v", role, lane.name, i+1, lane.share, err)
				}
			}
			_, err := lane.enter()
			if p := refusal(t, err); p.Type.Status != http.StatusTooManyRequests || p.RetryAfterS == 0 {
				t.Errorf("%s: one more of the %s: %v", role, lane.name, p)
			}
			leave()
			if _, err := lane.enter(); err != nil {
				t.Errorf("%s: %s when one is done: %v", role, lane.name, err)
			}
		}
	}
}

// JSON bodies at the limit of each role, announced and as they come.
func TestBodiesOfRoles(t *testing.T) {
	h := handlerOf(t, &fakeStore{})
	pad := func(size int) string {
		head, tail := `{"mast_type":"A2b","x":"`, `"}`
		return head + strings.Repeat("x", size-len(head)-len(tail)) + tail
	}
	for role, key := range map[account.Role]string{account.Public: "", account.Operator: "operator", account.Officer: "officer", account.Administrator: "administrator"} {
		headers := []string{"Content-Type: application/json"}
		if key != "" {
			headers = append(headers, "Authorization: Bearer "+key)
		}
		most := int(allowances[role].bodyBytes)
		for size, want := range map[int]int{most - 1: 200, most: 200, most + 1: 413} {
			if w := do(h, "POST", checksPath, pad(size), headers...); w.Code != want {
				t.Errorf("%s: %d bytes of %d: status %d", role, size, most, w.Code)
			}
		}
		if w := doReader(h, "POST", checksPath, &endless{left: most + 1}, headers...); w.Code != 413 {
			t.Errorf("%s: an endless body: status %d", role, w.Code)
		}
	}
}

// Of large bodies sixteen are in memory at a time, and four of these are kept for staff.
func TestLargeBodies(t *testing.T) {
	c := config(t, &fakeStore{})
	c.TrustedProxies = prefixes("0.0.0.0/0")
	a := apiWith(t, c)
	h := a.router()
	next := client(1000)
	fill := func(staff bool, n int) {
		for i := range n {
			next++
			if _, err := a.limits.bodies.enter(t.Context(), next, staff, 1); err != nil {
				t.Fatalf("body %d: %v", i, err)
			}
		}
	}
	send := func(size int, headers ...string) (status int) {
		return do(h, "POST", checksPath, `{"mast_type":"A2b","x":"`+strings.Repeat("x", size)+`"}`, append(headers, "Content-Type: application/json")...).Code
	}
	fill(false, maxBodies-staffBodies)
	for _, tt := range []struct {
		name    string
		size    int
		headers []string
		want    int
	}{
		{"a large one of the public", smallBody, []string{by(1)}, 503}, {"a small one", smallBody / 2, []string{by(1)}, 200},
		{"a large one of staff", smallBody, []string{asOfficer}, 200},
	} {
		if got := send(tt.size, tt.headers...); got != tt.want {
			t.Errorf("%s: status %d, want %d", tt.name, got, tt.want)
		}
	}
	fill(true, staffBodies)
	if got := send(smallBody, asOfficer); got != 503 {
		t.Errorf("a seventeenth: status %d", got)
	}
	if n, _ := a.limits.bodies.count(); n != maxBodies {
		t.Errorf("%d bodies are held, want those of the others alone", n)
	}
}

// Pages of the audit at their limit.
func TestAuditPages(t *testing.T) {
	h := handlerOf(t, &fakeStore{})
	for limit, want := range map[int]int{mostEntries - 1: 200, mostEntries: 200, mostEntries + 1: 400} {
		if w := do(h, "GET", "/api/v1/audit?limit="+strconv.Itoa(limit), "", "Authorization: Bearer administrator"); w.Code != want {
			t.Errorf("limit=%d: status %d", limit, w.Code)
		}
	}
}
