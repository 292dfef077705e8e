package httpapi

import (
	"cmp"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/paulmach/orb"
	"golang.org/x/text/unicode/norm"

	"hatang/geo"
	"hatang/internal/layer"
)

// Limits of a search.
const (
	maxSearchRunes = 200
	defaultHits    = 10
	maxHits        = 50
)

func searchQuery() []string {
	return append([]string{"q", "collections", "date", "limit"}, pageQuery...)
}

// hit is a feature that was found.
type hit struct {
	Collection string     `json:"collection"`
	ID         int64      `json:"id"`
	Code       string     `json:"code"`
	Name       *string    `json:"name"`
	Unit       hitUnit    `json:"unit"`
	Centre     *orb.Point `json:"centre"` // longitude, latitude; null without a geometry
	BBox       []float64  `json:"bbox"`   // null without a geometry
	Links      []link     `json:"links"`
}

// hitUnit says in which units in force a feature lies; null where in none.
type hitUnit struct {
	Commune  *layer.Unit `json:"commune"`
	District *layer.Unit `json:"district"`
}

// search finds features by what they are called, in all layers or in some.
func (a *api) search(w http.ResponseWriter, r *request) error {
	q, err := a.searchQueryOf(r)
	if err != nil {
		return err
	}
	found, more, err := a.Store.Search(r.Context(), r.viewer, q)
	if err != nil {
		return err
	}
	hits := make([]hit, len(found))
	for i, h := range found {
		hits[i] = a.hitOf(r, h)
	}
	return a.answer(w, r, typeJSON, map[string]any{
		"q": q.Text, "date": q.Date, "hits": hits, "more": more,
		"links": append([]link{{Href: a.href(r, "/search", carried(r.values)), Rel: "self", Type: r.selfType(typeJSON)}}, a.alternates(r, typeJSON)...),
	})
}

func (a *api) searchQueryOf(r *request) (layer.SearchQuery, error) {
	var faults layer.Faults
	q := layer.SearchQuery{
		Text: norm.NFC.String(strings.TrimSpace(r.values.Get("q"))), Layers: selected(r, &faults),
		Date: dateIn(r, a.ReferenceDate(), &faults), Limit: int(numberIn(r, "limit", defaultHits, maxHits, &faults)),
	}
	if n := utf8.RuneCountInString(q.Text); n == 0 || n > maxSearchRunes || !plainText(q.Text) {
		faults.Add("q", "q phải có từ 1 đến %d ký tự", "q must have 1 to %d characters", maxSearchRunes)
	}
	if len(faults) > 0 {
		return q, faultsProblem(invalidParameter, faults)
	}
	// Of things called the same people mean the place first.
	slices.SortStableFunc(q.Layers, func(x, y *layer.Layer) int {
		return cmp.Compare(ofPlaces(x), ofPlaces(y))
	})
	return q, nil
}

// ofPlaces is the place of a layer's features among things called the same.
func ofPlaces(l *layer.Layer) int {
	if l.Group == layer.GroupUnits {
		return 0
	}
	return 1
}

// dateIn reads a date, otherwise where the parameter is not given.
func dateIn(r *request, otherwise geo.Date, faults *layer.Faults) geo.Date {
	if !r.values.Has("date") {
		return otherwise
	}
	d, err := geo.ParseDate(r.values.Get("date"))
	if err != nil {
		faults.Add("date", "date phải là ngày dạng YYYY-MM-DD", "date must be a date of the form YYYY-MM-DD")
	}
	return d
}

func (a *api) hitOf(r *request, h layer.Hit) hit {
	path := "/collections/" + h.Layer.Name
	out := hit{
		Collection: h.Layer.Name, ID: h.ID, Code: h.Code, Name: orNull(h.Name), Unit: hitUnit{h.Commune, h.District},
		Links: []link{
			{Href: a.href(r, path+"/items/"+strconv.FormatInt(h.ID, 10), nil), Rel: "item", Type: typeGeoJSON},
			{Href: a.href(r, path, nil), Rel: "collection", Type: typeJSON, Title: h.Layer.Title.In(r.language())},
		},
	}
	if h.Centre != nil {
		out.Centre = &orb.Point{inDecimals(h.Centre[0]), inDecimals(h.Centre[1])}
		out.BBox = []float64{inDecimals(h.Bound.Min[0]), inDecimals(h.Bound.Min[1]), inDecimals(h.Bound.Max[0]), inDecimals(h.Bound.Max[1])}
	}
	return out
}

// inDecimals is a coordinate with 7 decimals, as GeoJSON has them: a centimetre.
func inDecimals(degrees float64) float64 { return math.Round(degrees*1e7) / 1e7 }
