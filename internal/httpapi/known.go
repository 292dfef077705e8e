package httpapi

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"hatang/internal/layer"
)

// knownAtName is the parameter that asks for what the register knew at a time.
const knownAtName = "known_at"

// knownAtIn reads a record time, which must be past; zero where none is given.
func (a *api) knownAtIn(values url.Values, faults *layer.Faults) time.Time {
	if !values.Has(knownAtName) {
		return time.Time{}
	}
	// A plus sign that was not percent-encoded arrives as a space.
	known, err := time.Parse(time.RFC3339, strings.Replace(values.Get(knownAtName), " ", "+", 1))
	switch {
	case err != nil || !timeInRange(known):
		faults.Add(knownAtName, "known_at phải là thời điểm dạng 2026-01-31T08:00:00Z", "known_at must be a time of the form 2026-01-31T08:00:00Z")
	case known.After(a.Now()):
		faults.Add(knownAtName, "known_at phải ở quá khứ: điều sẽ được ghi nhận thì chưa biết", "known_at must be in the past: what will be recorded is not known")
	}
	return known
}

// remembers refuses a question for the past of the request's layer, if the values ask one,
// to those who see none: it names people's work.
func remembers(r *request, values url.Values) error {
	switch {
	case !values.Has(knownAtName):
		return nil
	case !r.viewer.Known():
		return problem(unauthorised, "Trạng thái trong quá khứ (known_at) cần đăng nhập hoặc khóa: Authorization: Bearer KHÓA.", "What was known in the past (known_at) needs a person who has signed in, or a key: Authorization: Bearer KEY.")
	case r.viewer.Past(r.layer.Name).None():
		return problem(forbidden, "Trạng thái trong quá khứ (known_at) chỉ dành cho cán bộ, và cho doanh nghiệp về đối tượng của mình.", "What was known in the past (known_at) is for staff alone, and for operators about rows of their own.")
	}
	return nil
}

// inTurn does work on the past in its turn with the heavy requests; other work at once.
func (a *api) inTurn(w http.ResponseWriter, r *request, p *listing, work func(http.ResponseWriter) error) error {
	if p.query.KnownAt.IsZero() {
		return work(w)
	}
	leave, err := a.limits.enterHeavy(r.viewer, r.Request)
	if err != nil {
		return err
	}
	defer leave()
	return work(w)
}

// featureKnown returns a row as it was known at a time, and the ETag of it, made of the
// version of the layer before it was read: a transaction that began before the time may
// still have been under way.
func (a *api) featureKnown(r *request, id int64, at time.Time) (row *layer.Row, etag string, err error) {
	versions, err := a.Store.LayerVersions(r.Context(), r.viewer)
	if err != nil {
		return nil, "", err
	}
	q := layer.Query{KnownAt: at, Equal: []layer.Equality{{Field: layer.IDName, Value: strconv.FormatInt(id, 10)}}, Limit: 1}
	err = a.Store.Features(r.Context(), r.viewer, r.layer, q, func(read *layer.Row) error {
		row = read.Clone()
		return nil
	})
	if err == nil && row == nil {
		err = layer.ErrNotFound
	}
	return row, tag(a.Version, a.base(r), r.URL.Path, strconv.FormatInt(versions[r.layer.Name], 10), r.viewer.Class(), r.values.Encode(), r.language()), err
}
