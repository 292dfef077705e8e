package main

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// fault is what a server could get wrong: what it does to requests before they are
// worked on, and to answers.
type fault struct {
	method  string // of the requests that it concerns; "" for all
	request func(*http.Request)
	answer  func(r *http.Request, w *httptest.ResponseRecorder)
}

// with puts the fault before a server.
func (f fault) with(server http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f.request != nil {
			f.request(r)
		}
		rec := httptest.NewRecorder()
		server.ServeHTTP(rec, r)
		if f.answer != nil {
			f.answer(r, rec)
		}
		for name, values := range rec.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes()) // a recorder takes everything
	})
}

// concerns are the cells to which the fault may make a difference.
func (f fault) concerns(cells []cell) []cell {
	return slices.DeleteFunc(slices.Clone(cells), func(c cell) bool { return f.method != "" && c.method != f.method })
}

// item reports whether a request is for one row.
func item(r *http.Request) bool { return strings.Contains(r.URL.Path, "/items/") }

// consultation reports whether a request is for one consultation.
func consultation(r *http.Request) bool { return strings.Contains(r.URL.Path, "/consultations/") }

// rightsDropped are servers that each leave out one right.
func (m *matrix) rightsDropped() map[string]fault {
	asAdministrator := func(method string, which func(r *http.Request) bool) fault {
		return fault{method: method, request: func(r *http.Request) {
			if r.Method == method && which(r) {
				r.Header.Del("Cookie")
				r.Header.Set("Authorization", "Bearer "+m.administrator)
			}
		}}
	}
	below := func(end string) func(r *http.Request) bool {
		return func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, end) }
	}
	return map[string]fault{
		"everybody reads rows as an administrator does": asAdministrator(http.MethodGet, item),
		"HEAD tells what is hidden":                     asAdministrator(http.MethodHead, item),
		"lists show everything":                         asAdministrator(http.MethodGet, below("/items")),
		"everybody may write":                           asAdministrator(http.MethodPatch, item),
		"everybody may remove":                          asAdministrator(http.MethodDelete, item),
		"everybody may add":                             asAdministrator(http.MethodPost, below("/items")),
		"everybody knows of all layers":                 asAdministrator(http.MethodGet, below("/collections")),
		"everybody reads of a layer for staff":          asAdministrator(http.MethodGet, below("/matrix_hidden")),
		"everybody withdraws layers":                    asAdministrator(http.MethodDelete, below("/matrix_hidden")),
		"everybody reads of people":                     asAdministrator(http.MethodGet, below("/people")),
		"everybody lists what agencies are asked":       asAdministrator(http.MethodGet, below("/consultations")),
		"everybody reads what agencies are asked":       asAdministrator(http.MethodGet, consultation),
		"everybody finds drafts":                        asAdministrator(http.MethodGet, below("/search")),
		"everybody knows the past":                      asAdministrator(http.MethodGet, below("/changes")),
		"everybody knows what was known":                asAdministrator(http.MethodGet, func(r *http.Request) bool { return r.URL.Query().Has("known_at") }),
		"everybody merges sites":                        asAdministrator(http.MethodPost, below("/mergers")),
		"everybody is shown proposals of sites":         asAdministrator(http.MethodGet, below("/site-proposals")),
		"everybody reads drafts of rules":               asAdministrator(http.MethodGet, func(r *http.Request) bool { return strings.Contains(r.URL.Path, "/rule-sets/MT-") }),
		"everybody changes the calendar":                asAdministrator(http.MethodPost, below("/calendar")),
		"everybody publishes rules":                     asAdministrator(http.MethodPost, below("/publication")),
		"everybody saves mappings":                      asAdministrator(http.MethodPost, below("/mappings")),
		"everybody reads mappings":                      asAdministrator(http.MethodGet, func(r *http.Request) bool { return strings.Contains(r.URL.Path, "/mappings/") }),
		"everybody reverts":                             asAdministrator(http.MethodPost, below("/changes/reverts")),
		"everybody reads files of proposals":            asAdministrator(http.MethodGet, func(r *http.Request) bool { return strings.Contains(r.URL.Path, "/attachments/") }),
		"everybody lists files of proposals":            asAdministrator(http.MethodGet, below("/attachments")),
		"everybody asks agencies":                       asAdministrator(http.MethodPost, below("/consultations")),
		"everybody withdraws what is asked":             asAdministrator(http.MethodPatch, consultation),
		"everybody reads requests to share":             asAdministrator(http.MethodGet, func(r *http.Request) bool { return strings.Contains(r.URL.Path, "/sharing-requests/S-") }),
		"everybody reads recorded verdicts":             asAdministrator(http.MethodGet, func(r *http.Request) bool { return strings.Contains(r.URL.Path, "/verdicts/V-") }),
		"everybody makes verdicts again":                asAdministrator(http.MethodPost, below("/replay")),
		"everybody adds people":                         asAdministrator(http.MethodPost, below("/people")),
		"other pages may use the session": {request: func(r *http.Request) {
			if c, err := r.Cookie("hatang_session"); err == nil {
				r.Header.Set("X-CSRF-Token", signedIn(c.Value)[3])
				r.Header.Del("Origin")
			}
		}},
	}
}

// refusalsSpoilt are servers that refuse as they should, and do it badly.
func (m *matrix) refusalsSpoilt(t *testing.T) map[string]fault {
	pl := m.places["bts_sites"]
	refused := func(status int, change func(r *http.Request, w *httptest.ResponseRecorder)) fault {
		return fault{answer: func(r *http.Request, w *httptest.ResponseRecorder) {
			if w.Code == status && strings.Contains(r.URL.Path, "/bts_sites/items/") && r.Method != http.MethodHead {
				change(r, w)
			}
		}}
	}
	say := func(w *httptest.ResponseRecorder, from, to string) {
		w.Body = bytes.NewBuffer(bytes.ReplaceAll(w.Body.Bytes(), []byte(from), []byte(to)))
	}
	audit := func(statement string) fault {
		return refused(http.StatusForbidden, func(_ *http.Request, w *httptest.ResponseRecorder) {
			if _, err := m.owner.Exec(m.ctx, statement, w.Header().Get("X-Request-Id")); err != nil {
				t.Error(err)
			}
		})
	}
	return map[string]fault{
		"a hidden row is known by its refusal": refused(http.StatusNotFound, func(r *http.Request, w *httptest.ResponseRecorder) {
			if strings.HasSuffix(r.URL.Path, fmt.Sprint(pl.rows["draft"].id)) {
				say(w, "you may not see it", "you may not see this one")
			}
		}),
		"a refusal tells the name": refused(http.StatusForbidden, func(_ *http.Request, w *httptest.ResponseRecorder) {
			say(w, "request_id", pl.secret("draft")+`":"","request_id`)
		}),
		"a refusal is no problem document": refused(http.StatusForbidden, func(_ *http.Request, w *httptest.ResponseRecorder) {
			w.Header().Set("Content-Type", "text/plain")
		}),
		"what is refused is done":            audit("UPDATE bts_sites SET accuracy_m = coalesce(accuracy_m, 0) + 1 WHERE source = '" + mark + "' AND $1 <> ''"),
		"refusals are not recorded":          audit("UPDATE audit SET request_id = '' WHERE request_id = $1"),
		"refusals are recorded as another's": audit("UPDATE audit SET who = 'public' WHERE request_id = $1"),
		"refusals are recorded twice": audit(`INSERT INTO audit SELECT -(SELECT count(*) FROM audit), at, who, db_user, action, subject, detail, request_id, hash
			FROM audit WHERE request_id = $1`),
	}
}

// findsFaults tries some of the cells on servers that each have a fault: a matrix that
// finds nothing there would find nothing anywhere.
func (m *matrix) findsFaults(t *testing.T, served map[string][]string) {
	m.sql(t, "ALTER TABLE audit DISABLE TRIGGER keep") // it would hinder those who falsify it
	some := slices.DeleteFunc(slices.Clone(m.principals), func(p *principal) bool {
		return !slices.Contains([]string{"nobody", "operator by key", "rival by key", "officer-far by key", "operator by session, from another origin"}, p.name)
	})
	cells := slices.DeleteFunc(m.cells(served, []string{"", "bts_sites", "matrix_hidden"}), func(c cell) bool {
		return c.place.layer == nil && !strings.HasSuffix(c.path, "/people") && !strings.HasSuffix(c.path, "/collections") && !strings.Contains(c.path, "/consultations") && !strings.Contains(c.path, "/mappings") &&
			c.kind != "search" && c.kind != "history" && c.kind != "revert" && c.kind != "merge-sites" && c.kind != "propose-sites" && c.kind != "rules-draft" && c.kind != "rules-publish" &&
			!strings.HasSuffix(c.path, "/calendar") && c.kind != "verdict" && c.kind != "replay-verdict" && !strings.HasPrefix(c.kind, "attachment") && c.kind != "sharing"
	})
	if o := m.try(m.server, some, cells, false); len(o.differences) > 0 {
		t.Fatalf("without a fault: %s", o.differences[0])
	}
	faults := m.rightsDropped()
	maps.Copy(faults, m.refusalsSpoilt(t))
	for name, f := range faults {
		o := m.try(f.with(m.server), some, f.concerns(cells), true)
		if len(o.differences) == 0 {
			t.Errorf("%s, and none of %d cells is found to differ", name, o.cells)
			continue
		}
		t.Logf("%s: found among the first %d cells", name, o.cells)
	}
}
