package httpapi

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"hatang/geo"
	"hatang/internal/formats"
	"hatang/internal/layer"
)

// Changes of a page. One that has grown to changesBytes ends, however many were asked for.
const (
	defaultChanges = 100
	maxChanges     = 1000
	changesBytes   = 4 << 20
)

func changesQuery() []string {
	return append([]string{"bbox", "before", "code", "collection", "feature", "from", "limit", "request", "to", "who"}, pageQuery...)
}

// listChanges lists the changes that the viewer sees the history of, the newest first, each
// with the row before and after it.
func (a *api) listChanges(w http.ResponseWriter, r *request) error {
	q, err := a.historyQuery(r)
	if err != nil {
		return err
	}
	p := changesPage{api: a, r: r, limit: q.Limit, key: q.Older, list: []byte("[")}
	q.Limit++ // whether there are more
	if err := a.Store.History(r.Context(), r.viewer, q, p.add); err != nil && !errors.Is(err, errPageFull) {
		return err
	}
	return a.answer(w, r, typeJSON, map[string]any{"changes": rawList(p.list), "links": append(p.links(), a.alternates(r, typeJSON)...)})
}

// rawList is a list whose closing bracket is not there yet.
type rawList []byte

// MarshalJSON implements json.Marshaler.
func (l rawList) MarshalJSON() ([]byte, error) { return append(slices.Clone(l), ']'), nil }

// changesPage is a page of changes in the making.
type changesPage struct {
	api   *api
	r     *request
	limit int
	key   layer.HistoryKey // of the change added last
	list  []byte
	n     int
	more  bool
}

// add adds a change.
func (p *changesPage) add(c *layer.Change) error {
	if p.n == p.limit || len(p.list) > changesBytes {
		p.more = true
		return errPageFull
	}
	item := "/collections/" + c.Layer.Name + "/items/" + strconv.FormatInt(c.FeatureID, 10)
	links, err := encode([]link{{Href: p.api.href(p.r, item, nil), Rel: "about", Type: typeGeoJSON}})
	if err != nil {
		return err
	}
	if p.n > 0 {
		p.list = append(p.list, ',')
	}
	if p.list, err = formats.AppendChange(p.list, c, false); err != nil {
		return err
	}
	p.list = append(p.list[:len(p.list)-1], `,"links":`...) // the last member
	p.list = append(append(p.list, links...), '}')
	p.key = p.key.Next(c)
	p.n++
	return nil
}

func (p *changesPage) links() []link {
	asked := carried(p.r.values)
	links := []link{{Href: p.api.href(p.r, "/changes", asked), Rel: "self", Type: p.r.selfType(typeJSON)}}
	if p.more {
		asked.Set("before", cursor(p.key))
		links = append(links, link{Href: p.api.href(p.r, "/changes", asked), Rel: "next", Type: typeJSON})
	}
	return links
}

// cursor is a key as a link has it: when, of which layer and row, and how many of that.
func cursor(k layer.HistoryKey) string {
	return strings.Join([]string{k.RecordedAt.UTC().Format(time.RFC3339Nano), k.Layer, strconv.FormatInt(k.FeatureID, 10), strconv.Itoa(k.Shown)}, ",")
}

// parseCursor reads what cursor writes; false for anything else.
func parseCursor(s string) (k layer.HistoryKey, ok bool) {
	parts := strings.Split(s, ",")
	if len(parts) != 4 || !plainText(parts[1]) {
		return k, false
	}
	at, err := time.Parse(time.RFC3339Nano, parts[0])
	feature, err2 := strconv.ParseInt(parts[2], 10, 64)
	shown, err3 := strconv.ParseInt(parts[3], 10, 32)
	k = layer.HistoryKey{RecordedAt: at, Layer: parts[1], FeatureID: feature, Shown: int(shown)}
	return k, errors.Join(err, err2, err3) == nil && shown > 0 && timeInRange(at)
}

// timeInRange reports whether the database has the time.
func timeInRange(t time.Time) bool { return t.Year() >= 1 && t.Year() <= 9999 }

func (a *api) historyQuery(r *request) (layer.HistoryQuery, error) {
	var faults layer.Faults
	q := layer.HistoryQuery{
		Layers: r.layers.All(), Feature: numberIn(r, "feature", 0, 1<<62, &faults), Limit: int(numberIn(r, "limit", defaultChanges, maxChanges, &faults)),
		Code: textIn(r, "code", &faults), Who: textIn(r, "who", &faults), Request: textIn(r, "request", &faults),
		From: timeIn(r, "from", &faults), Until: timeIn(r, "to", &faults),
	}
	if name := r.values.Get("collection"); r.values.Has("collection") {
		l, ok := r.layers.Get(name)
		if q.Layers = []*layer.Layer{l}; !ok {
			faults.Add("collection", "không có lớp %q; /api/v1/collections liệt kê các lớp", "there is no collection %q; /api/v1/collections lists them", clip(name))
		}
	} else if r.values.Has("feature") {
		faults.Add("feature", "feature chỉ đi cùng collection", "feature goes with collection only")
	}
	if r.values.Has("bbox") {
		q.Boxes = parseBBox(r.values.Get("bbox"), geo.CRS{}, &faults).boxes
	}
	if r.values.Has("before") {
		var ok bool
		if q.Older, ok = parseCursor(r.values.Get("before")); !ok {
			faults.Add("before", "before phải lấy từ liên kết next", "before must come from a link rel=next")
		}
	}
	if len(faults) > 0 {
		return q, faultsProblem(invalidParameter, faults)
	}
	return q, nil
}

// textIn reads a text to be compared; "" where it is not given.
func textIn(r *request, name string, faults *layer.Faults) string {
	s := norm.NFC.String(r.values.Get(name))
	if r.values.Has(name) && (s == "" || !plainText(s)) {
		faults.Add(name, "%s trống hoặc có ký tự không dùng được", "%s is empty or has characters that cannot be used", name)
	}
	return s
}

// timeIn reads a time, or a day for its beginning in UTC; zero where it is not given.
func timeIn(r *request, name string, faults *layer.Faults) time.Time {
	if !r.values.Has(name) {
		return time.Time{}
	}
	// A plus sign that was not percent-encoded arrives as a space.
	t, ok := parseTime(strings.Replace(r.values.Get(name), " ", "+", 1))
	if !ok {
		faults.Add(name, "%s phải là ngày hoặc thời điểm dạng 2026-01-31T08:00:00Z", "%s must be a day or a time of the form 2026-01-31T08:00:00Z", name)
	}
	return t
}

// parseTime reads a time, or a day for its beginning in UTC; false for what is neither.
func parseTime(s string) (time.Time, bool) {
	if d, err := geo.ParseDate(s); err == nil {
		return d.Time(), true
	}
	t, err := time.Parse(time.RFC3339, s)
	return t, err == nil && timeInRange(t)
}
