package httpapi

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"hatang/internal/layer"
)

// revertRequest says which changes are to be taken back: those of a request; those of a
// collection and a time, of one person's or of all; or all of one row since a time.
type revertRequest struct {
	Request    *string `json:"request"`
	Collection *string `json:"collection"`
	Feature    *int64  `json:"feature"`
	From       *string `json:"from"`
	To         *string `json:"to"`
	Who        *string `json:"who"`
}

// revertChanges takes changes back, or with dry_run says what would become of which rows.
func (a *api) revertChanges(w http.ResponseWriter, r *request) error {
	var given revertRequest
	if err := readDocument(w, r, &given); err != nil {
		return err
	}
	var faults layer.Faults
	q := given.query(r.layers, &faults)
	dryRun := r.values.Get("dry_run") == "true"
	if r.values.Has("dry_run") && !dryRun && r.values.Get("dry_run") != "false" {
		return parameterFault("dry_run", "dry_run phải là true hoặc false", "dry_run must be true or false")
	}
	if len(faults) > 0 {
		slices.SortFunc(faults, func(a, b layer.Fault) int { return strings.Compare(a.At, b.At) })
		return faultsProblem(invalidBody, faults)
	}
	done, err := a.Store.Revert(r.Context(), r.viewer, q, dryRun)
	switch {
	case errors.Is(err, layer.ErrNotFound):
		return problem(notFound, "Không có thay đổi nào như vậy mà bạn được xem.", "There is no such change that you may see.")
	case errors.Is(err, layer.ErrForbidden):
		return problem(forbidden, "Trong đó có lớp hoặc đối tượng mà bạn không được sửa; không có gì được hoàn tác.", "There are layers or rows among them that you may not write; nothing was reverted.")
	case err != nil:
		return err
	}
	return reply(w, r, http.StatusOK, a.revertedDocument(w, r, done))
}

// query is the selection of changes, after what is wrong with it.
func (g *revertRequest) query(layers *layer.Set, faults *layer.Faults) layer.HistoryQuery {
	q := layer.HistoryQuery{Layers: layers.All(), Request: given(g.Request, "/request", faults), Who: given(g.Who, "/who", faults)}
	from, to := g.time(g.From, "/from", faults), g.time(g.To, "/to", faults)
	if g.Request != nil {
		addWhere(faults, map[string]bool{"/collection": g.Collection != nil, "/feature": g.Feature != nil, "/from": g.From != nil, "/to": g.To != nil, "/who": g.Who != nil},
			"không đi cùng request", "does not go with request")
		return q
	}
	q.Layers = g.collection(layers, faults)
	if g.To == nil {
		faults.Add("/to", "bắt buộc phải có", "is required")
	}
	if g.Feature == nil {
		if q.From, q.Until = from, to; g.From == nil {
			faults.Add("/from", "bắt buộc phải có", "is required")
		}
		return q
	}
	if q.Feature = *g.Feature; q.Feature < 1 {
		faults.Add("/feature", "phải là số nguyên dương", "must be a positive integer")
	}
	addWhere(faults, map[string]bool{"/from": g.From != nil, "/who": g.Who != nil}, "không đi cùng feature", "does not go with feature")
	// What was recorded at the time itself stays: the row becomes what was known then.
	q.From = to.Truncate(time.Microsecond).Add(time.Microsecond)
	return q
}

func (g *revertRequest) collection(layers *layer.Set, faults *layer.Faults) []*layer.Layer {
	if g.Collection == nil {
		faults.Add("/collection", "cần request hoặc collection", "request or collection is required")
		return nil
	}
	l, ok := layers.Get(*g.Collection)
	if !ok {
		faults.Add("/collection", "không có lớp %q; /api/v1/collections liệt kê các lớp", "there is no collection %q; /api/v1/collections lists them", clip(*g.Collection))
		return nil
	}
	return []*layer.Layer{l}
}

// given is a text of the body that is compared; "" where there is none.
func given(s *string, at string, faults *layer.Faults) string {
	if s == nil {
		return ""
	}
	text := norm.NFC.String(*s)
	if text == "" || !plainText(text) {
		faults.Add(at, "trống hoặc có ký tự không dùng được", "is empty or has characters that cannot be used")
	}
	return text
}

func (g *revertRequest) time(s *string, at string, faults *layer.Faults) time.Time {
	if s == nil {
		return time.Time{}
	}
	t, ok := parseTime(*s)
	if !ok {
		faults.Add(at, "phải là ngày hoặc thời điểm dạng 2026-01-31T08:00:00Z", "must be a day or a time of the form 2026-01-31T08:00:00Z")
	}
	return t
}

// revertDocument is what a revert did, or would do.
type revertDocument struct {
	Applied     bool               `json:"applied"`
	Request     string             `json:"request"`
	Collections []revertCollection `json:"collections"`
	Rows        []revertRow        `json:"rows"`
	More        int64              `json:"more"`
	Links       []link             `json:"links"`
}

type revertCollection struct {
	Collection string `json:"collection"`
	Inserted   int64  `json:"inserted"`
	Updated    int64  `json:"updated"`
	Deleted    int64  `json:"deleted"`
	Unchanged  int64  `json:"unchanged"`
}

type revertRow struct {
	Collection string          `json:"collection"`
	Feature    int64           `json:"feature"`
	Code       string          `json:"code"`
	Operation  layer.Operation `json:"operation"`
}

func (a *api) revertedDocument(w http.ResponseWriter, r *request, done layer.Reverted) revertDocument {
	d := revertDocument{Applied: done.Applied, Request: w.Header().Get(requestIDHeader), Collections: []revertCollection{}, Rows: []revertRow{}, Links: []link{}}
	for _, l := range done.Layers {
		d.Collections = append(d.Collections, revertCollection{l.Layer.Name, l.Inserted, l.Updated, l.Deleted, l.Unchanged})
		d.More += l.Changed()
	}
	for _, row := range done.Rows {
		d.Rows = append(d.Rows, revertRow{row.Layer.Name, row.FeatureID, row.Code, row.Operation})
	}
	d.More -= int64(len(d.Rows))
	if done.Applied {
		d.Links = append(d.Links, link{Href: a.href(r, "/changes", url.Values{"request": {d.Request}}), Rel: relRelated, Type: typeJSON})
	}
	return d
}

// overtakenRows are the rows that a revert is refused for.
type overtakenRows struct {
	Rows []overtakenRow `json:"rows"`
	More int64          `json:"more"`
}

type overtakenRow struct {
	Collection string    `json:"collection"`
	Feature    int64     `json:"feature"`
	Code       string    `json:"code"`
	RecordedAt time.Time `json:"recorded_at"`
	Request    *string   `json:"request"`
}

// overtakenProblem names the rows that have changed since what was to be reverted.
func overtakenProblem(err *layer.OvertakenError) *problemError {
	n := strconv.FormatInt(err.Count, 10)
	p := problem(conflict, fmt.Sprintf("%s đối tượng đã được sửa tiếp sau các thay đổi này; không có gì được hoàn tác. Hãy hoàn tác những lần sửa sau trước.", n),
		fmt.Sprintf("%s rows were changed after these changes by others; nothing was reverted. Revert those that came later first.", n))
	p.Rows = &overtakenRows{More: err.Count - int64(len(err.Rows))}
	for _, row := range err.Rows {
		p.Rows.Rows = append(p.Rows.Rows, overtakenRow{row.Layer.Name, row.FeatureID, row.Code, row.RecordedAt, orNull(row.Request)})
	}
	return p
}
