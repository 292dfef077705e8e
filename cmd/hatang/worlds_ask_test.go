package main

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/internal/formats"
	"hatang/internal/layer"
)

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

func (p *pair) chance(percent int) bool { return p.rand.IntN(100) < percent }

// next makes a request.
func (p *pair) next(writes bool) question {
	a := question{method: http.MethodGet, cold: p.chance(40), address: fmt.Sprintf("198.51.%d.%d:1", p.rand.IntN(256), p.rand.IntN(256))}
	switch n := p.rand.IntN(100); {
	case p.onlyWrites, writes && n < 70:
		return p.write(a)
	case n < 42:
		a.path = p.items()
	case n < 57:
		a.path = p.item()
	case n < 60:
		a.path = p.tile()
	case n < 64:
		a.path = "/api/v1/collections/" + pick(p.rand, p.stock.layers).Name + pick(p.rand, []string{"", "", "", "", "/schema", "/schema/feature", "/queryables", "/sortables"})
	case n < 88:
		return p.check(a)
	case n < 90:
		a.path = p.figures()
	default:
		a.path = p.other()
	}
	if a.computed() { // the dearest: each hidden edit has them computed anew, by each server that is asked
		a.cold = p.chance(5)
	}
	return p.manner(a)
}

// manner varies how something is read: as a page, too, which a tenth are.
func (p *pair) manner(a question) question {
	if a.method == http.MethodGet && p.chance(10) {
		a.headers = append(a.headers, "Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	}
	switch p.rand.IntN(12) {
	case 0:
		a.method = http.MethodHead
	case 1:
		a.headers = append(a.headers, "Range", fmt.Sprintf("bytes=%d-%d", p.rand.IntN(300), 300+p.rand.IntN(3000)))
	case 2:
		a.headers = append(a.headers, "Accept-Language", "en")
	case 3:
		if len(p.tagged) > 0 {
			a.etag, a.path = true, pick(p.rand, p.tagged)
		}
	case 4:
		a.method = http.MethodOptions
	}
	return a
}

var moments = []string{"2015-06-01", "2018-03-01", "2020-12-31T10:00:00Z", "../..", "2010-01-01/..", "../2015-06-30", "2014-01-01/2016-12-31", "2026-01-01"}

// items asks for features: by places, times and values, those of hidden rows too; or for
// the page behind one that was asked for.
func (p *pair) items() string {
	if len(p.nexts) > 0 && p.chance(15) {
		p.counts["next"]++
		return pick(p.rand, p.nexts)
	}
	l := pick(p.rand, p.stock.layers)
	of, q := p.stock.of[l.Name], url.Values{}
	if p.chance(35) {
		q.Set("bbox", p.box())
	}
	if p.chance(30) {
		q.Set("datetime", pick(p.rand, moments))
	}
	for p.chance(40) {
		f := pick(p.rand, l.Fields)
		if values := of.values[f.Name]; len(values) > 0 {
			q.Set(f.Name, pick(p.rand, values))
		}
	}
	if p.chance(20) {
		q.Set("filter", p.filter(l))
	}
	if p.chance(8) {
		q.Set("known_at", p.moment())
	}
	p.shape(l, q)
	if p.chance(15) {
		q.Set("crs", pick(p.rand, geo.CRSs()).URI())
	}
	if p.chance(8) {
		q.Set("f", "html")
	}
	path := "/api/v1/collections/" + l.Name + "/items"
	switch {
	case p.chance(4): // dear
		path = "/api/v1/collections/" + l.Name + "/download"
		q.Set("f", p.format(l))
		q.Del("resultType")
	default:
		if p.chance(10) {
			q.Set("f", p.format(l))
		}
		if p.chance(97) {
			q.Set("limit", pick(p.rand, []string{"1", "2", "5", "20", "50"}))
		}
		if p.chance(30) && !q.Has("sortby") {
			q.Set("after", fmt.Sprint(max(0, p.id(l)+pick(p.rand, []int64{-1, 0, 1}))))
		}
	}
	if len(q) > 0 {
		path += "?" + q.Encode()
	}
	return path
}

// shape asks for features in an order, for some of what they have, or for their number.
func (p *pair) shape(l *layer.Layer, q url.Values) {
	if p.chance(10) {
		q.Set("id", fmt.Sprint(p.id(l)))
	}
	if p.chance(35) {
		order := pick(p.rand, []string{"", "+", "-"}) + pick(p.rand, l.Sortables()).Name
		if second := pick(p.rand, l.Sortables()).Name; p.chance(30) && !strings.HasSuffix(order, second) {
			order += "," + second
		}
		q.Set("sortby", order)
	}
	if p.chance(20) {
		q.Set("properties", pick(p.rand, l.Fields).Name+","+pick(p.rand, []string{"geometry", "id", "code", "accuracy_m"}))
	}
	if p.chance(10) {
		q.Set("skipGeometry", "true")
	}
	if p.chance(10) {
		q.Set("resultType", "hits")
	}
}

func (p *pair) format(l *layer.Layer) string { return pick(p.rand, formats.Of(l)).Names[0] }

// id is one of a row, of a hidden one if there are any, beside one, or nobody's.
func (p *pair) id(l *layer.Layer) int64 {
	of := p.stock.of[l.Name]
	switch n := p.rand.IntN(10); {
	case n < 5 && len(of.hidden) > 0:
		return pick(p.rand, of.hidden)
	case n < 9 && len(of.ids) > 0:
		return pick(p.rand, of.ids) + pick(p.rand, []int64{0, 0, 0, 1})
	}
	return p.rand.Int64N(1 << 50)
}

func (p *pair) place() orb.Point {
	at := pick(p.rand, p.stock.points)
	near := pick(p.rand, []float64{0, 0.0003, 0.003, 0.02})
	return orb.Point{at[0] + near*(p.rand.Float64()-0.5), at[1] + near*(p.rand.Float64()-0.5)}
}

func (p *pair) box() string {
	at, half := p.place(), pick(p.rand, []float64{0.0001, 0.001, 0.01, 0.1, 1})
	return fmt.Sprintf("%.6f,%.6f,%.6f,%.6f", at[0]-half, at[1]-half, at[0]+half, at[1]+half)
}

func (p *pair) item() string {
	l := pick(p.rand, p.stock.layers)
	path := fmt.Sprintf("/api/v1/collections/%s/items/%d", l.Name, p.id(l))
	if p.chance(10) {
		return path + "?crs=" + url.QueryEscape(pick(p.rand, geo.CRSs()).URI())
	}
	if p.chance(10) {
		return path + "?properties=" + pick(p.rand, l.Fields).Name
	}
	if p.chance(8) {
		return path + "?known_at=" + url.QueryEscape(p.moment())
	}
	if p.chance(20) {
		return path + "?f=html"
	}
	return path
}

// check asks for checks of one proposal, of many, or of rows.
func (p *pair) check(a question) question {
	if p.chance(15) {
		return p.cable(a)
	}
	if p.chance(2) { // dear
		a.path = "/api/v1/placement-checks/network?" + url.Values{"operator": {pick(p.rand, []string{"VNPT", "VIETTEL", "MOBIFONE", "SFONE"})}, "f": {pick(p.rand, []string{"json", "ndjson", "csv"})}}.Encode()
		return a
	}
	a.method, a.path, a.headers = http.MethodPost, "/api/v1/placement-checks", jsonBody
	q := url.Values{}
	if p.chance(15) {
		q.Set("against", "each_other")
	}
	if p.chance(50) {
		q.Set("detail", pick(p.rand, []string{"verdict", "findings", "full"}))
	}
	if p.chance(15) {
		q.Set("known_at", p.moment())
	}
	nearest := p.chance(5)
	if nearest {
		q.Set("nearest_within_m", fmt.Sprint(1+p.rand.IntN(3000)))
	}
	if len(q) > 0 {
		a.path += "?" + q.Encode()
	}
	switch n := p.rand.IntN(100); {
	case n < 80 || nearest:
		a.body = p.proposal()
	case n < 97:
		list := make([]string, 1+p.rand.IntN(6))
		for i := range list {
			list[i] = p.proposal()
		}
		a.body = `{"proposals":[` + strings.Join(list, ",") + `]}`
	default:
		lines := []string{"lon,lat,mast_type,height_m,feature"}
		for range 12 {
			at := p.place()
			feature := ""
			if p.chance(30) {
				feature = fmt.Sprint(p.id(p.stock.sites))
			}
			lines = append(lines, fmt.Sprintf("%.6f,%.6f,%s,%d,%s", at[0], at[1], pick(p.rand, mastTypes), 10+p.rand.IntN(60), feature))
		}
		a.body, a.headers = strings.Join(lines, "\n")+"\n", []string{"Content-Type", "text/csv", "Accept", pick(p.rand, []string{"text/csv", "application/geo+json", "application/geo+json-seq"})}
	}
	return a
}

// cable asks for a check of a cable.
func (p *pair) cable(a question) question {
	a.method, a.path, a.headers = http.MethodPost, "/api/v1/cable-checks", jsonBody
	if p.chance(15) {
		a.path += "?known_at=" + url.QueryEscape(p.moment())
	}
	from, to := p.place(), p.place()
	a.body = fmt.Sprintf(`{"geometry":{"type":"LineString","coordinates":[[%v,%v],[%v,%v]]},"carrier":%q,"new_poles":true,"new_project":false}`, from[0], from[1], to[0], to[1],
		pick(p.rand, []string{"telecom_pole", "electric_pole", "duct"}))
	return a
}

var mastTypes = []string{"A1a", "A1b", "A2a", "A2b"}

func (p *pair) proposal() string {
	at := p.place()
	m := map[string]any{"lon": at[0], "lat": at[1], "mast_type": pick(p.rand, mastTypes)}
	if p.chance(15) {
		m["feature"] = p.id(p.stock.sites)
	}
	if p.chance(50) {
		m["height_m"] = 5 + p.rand.IntN(60)
	}
	if p.chance(50) {
		m["operator"] = pick(p.rand, []string{"VNPT", "VIETTEL", "MOBIFONE", "VIETNAMOBILE"})
	}
	if p.chance(15) {
		m["date"] = pick(p.rand, []string{"2016-06-01", "2019-01-01", "2022-02-02"})
	}
	raw, err := json.Marshal(m)
	if err != nil {
		return ""
	}
	return string(raw)
}

// filter writes a filter over fields that some may not see and places of hidden rows.
func (p *pair) filter(l *layer.Layer) string {
	at := p.place()
	name := pick(p.rand, l.Fields).Name
	return pick(p.rand, []string{
		name + " IS NULL", "NOT (" + name + " IS NULL)", "CASEI(code) LIKE CASEI('%d%')", "valid_from < DATE('2018-01-01') OR " + name + " IS NOT NULL",
		fmt.Sprintf("S_INTERSECTS(geometry, BBOX(%.4f, %.4f, %.4f, %.4f))", at[0]-0.02, at[1]-0.02, at[0]+0.02, at[1]+0.02),
		fmt.Sprintf("S_DISJOINT(geometry, POINT(%.5f %.5f)) AND accuracy_m / 10 > 2", at[0], at[1]),
		fmt.Sprintf("id IN (%d, %d) OR id > %d", p.id(l), p.id(l), p.id(l)),
	})
}

// tile asks for a tile of one layer or of some, or for what describes them.
func (p *pair) tile() string {
	of := pick(p.rand, p.stock.layers)
	l, q := of.Name, ""
	if p.chance(20) {
		q = "?" + url.Values{"filter": {p.filter(of)}}.Encode()
	}
	zoom, at := p.rand.IntN(15), p.place()
	n := float64(int(1) << zoom)
	lat := at[1] * math.Pi / 180
	x, y := int((at[0]+180)/360*n), int((1-math.Log(math.Tan(lat)+1/math.Cos(lat))/math.Pi)/2*n)
	place := fmt.Sprintf("/tiles/WebMercatorQuad/%d/%d/%d", zoom, y, x)
	switch p.rand.IntN(8) {
	case 0:
		return "/api/v1" + place + "?collections=" + l + "," + pick(p.rand, p.stock.layers).Name
	case 1:
		return "/api/v1/collections/" + l + pick(p.rand, []string{"/tiles", "/tiles/WebMercatorQuad", "/tiles/WebMercatorQuad/tilejson"}) + q
	}
	return "/api/v1/collections/" + l + place + q
}

// figures asks for indicators, uncovered parts and clusters: mostly of communes, which
// are small.
func (p *pair) figures() string {
	if p.chance(6) {
		return "/api/v1/" + pick(p.rand, []string{"indicators", "provinces/11/indicators", "provinces/11/uncovered?operator=VNPT", "plan/reconciliation"})
	}
	if p.chance(5) {
		return "/api/v1/units/" + pick(p.rand, append([]string{"094", "11", "00000"}, p.stock.communes...)) + "/lineage?date=2018-06-01"
	}
	unit := "communes/" + pick(p.rand, p.stock.communes)
	if p.chance(10) {
		unit = "districts/" + pick(p.rand, []string{"094", "095", "099", "100"})
	}
	q := url.Values{}
	if p.chance(15) {
		q.Set("date", "2018-06-01")
	}
	kind := pick(p.rand, []string{"indicators", "uncovered", "sharing-clusters"})
	if kind != "indicators" && p.chance(50) {
		q.Set("stage", pick(p.rand, []string{"built", "with_planned"}))
	}
	if kind == "sharing-clusters" && p.chance(50) {
		q.Set("within_m", pick(p.rand, []string{"60", "500", "3000"}))
	}
	if kind == "uncovered" && p.chance(50) {
		q.Set("operator", pick(p.rand, []string{"VNPT", "VIETTEL", "SFONE"}))
	}
	return "/api/v1/" + unit + "/" + kind + "?" + q.Encode()
}

// other asks for the rest of what there is.
func (p *pair) other() string {
	if p.chance(10) { // dear, too
		return "/api/v1/plan/" + pick(p.rand, []string{"indicators", "phases", "projects", "reconciliation", "tables/1"})
	}
	switch n := p.rand.IntN(100); {
	case n < 25:
		if p.chance(5) {
			return "/api/v1/site-proposals?distance=" + pick(p.rand, []string{"50", "300", "1000"})
		}
		return p.search()
	case n < 50:
		return p.changes()
	case n < 65:
		return p.consultations()
	case n < 75:
		if p.chance(30) {
			return p.mappings()
		}
		return p.imports()
	case n < 83:
		return p.proposals()
	case n < 86:
		return "/api/v1/rule-sets" + pick(p.rand, []string{"", "?state=draft", "?date=2020-01-01", "/dien-bien-2016/1", "/hidden/1", "/hidden/1/differences?from=dien-bien-2016@1", "/dien-bien-2016/1/differences?from=hidden@1",
			"/dien-bien-2016/1/effects?from=dien-bien-2016@1&date=2020-12-31", "/hidden/1/effects?from=dien-bien-2016@1"})
	}
	if p.chance(40) {
		return ofHiddenLayer(p.rand)
	}
	return pick(p.rand, []string{
		"/api/v1", "/api/v1/collections", "/api/v1/session", "/api/v1/keys", "/api/v1/people", "/api/v1/audit", "/api/v1/notices", "/api/v1/webhooks", "/api/v1/organisations", "/api/v1/publications", "/api/v1/calendar", "/api/v1/calendar?from=2020-01-01&to=2030-12-31",
		"/api/v1/conformance", "/api/v1/openapi.json", "/api/v1/openapi.html", "/healthz", "/api/v1/nothing", "/", "/api/v1/collections/none/items",
	})
}

// search asks for what is called as hidden things are, or as others.
func (p *pair) search() string {
	l := pick(p.rand, p.stock.layers)
	texts := []string{"TRY", "HID", "moved", "stirred", "mường", "FREE-09", "trạm", "LATE", p.code(l)}
	for _, field := range []string{"code", "name"} {
		texts = append(texts, p.stock.of[l.Name].values[field]...)
	}
	text := []rune(pick(p.rand, texts))
	q := url.Values{"q": {string(text[:1+p.rand.IntN(len(text))])}, "limit": {pick(p.rand, []string{"1", "5", "50"})}}
	if p.chance(40) {
		q.Set("collections", l.Name+","+pick(p.rand, p.stock.layers).Name)
	}
	if p.chance(20) {
		q.Set("date", pick(p.rand, []string{"2016-06-01", "2019-01-01", "2026-01-01"}))
	}
	return "/api/v1/search?" + q.Encode()
}

// changes asks for the past: of rows, codes and places of hidden things too.
func (p *pair) changes() string {
	l, q := pick(p.rand, p.stock.layers), url.Values{"limit": {pick(p.rand, []string{"1", "3", "20", "100"})}}
	if p.chance(30) {
		l = pick(p.rand, p.stock.drafts)
	}
	if p.chance(60) {
		q.Set("collection", l.Name)
	}
	for _, of := range []struct {
		name  string
		value func() string
	}{
		{"feature", func() string { return fmt.Sprint(p.id(l)) }}, {"code", func() string { return p.code(l) }}, {"bbox", p.box}, {"who", func() string { return pick(p.rand, p.stock.makers) }},
		{"from", p.moment}, {"to", p.moment}, {"request", func() string { return pick(p.rand, append(p.requests, "none")) }},
	} {
		if (of.name != "feature" || q.Has("collection")) && p.chance(18) {
			q.Set(of.name, of.value())
		}
	}
	return "/api/v1/changes?" + q.Encode()
}

// moment is a time when nothing was being written.
func (p *pair) moment() string { return pick(p.rand, p.quiet).UTC().Format(time.RFC3339Nano) }

const consultationsPath = "/api/v1/consultations"

// consultations asks for what agencies are asked, the viewer's and others.
func (p *pair) consultations() string {
	if p.chance(50) {
		return fmt.Sprint(consultationsPath, "/", p.consultation())
	}
	q := url.Values{}
	if p.chance(40) {
		q.Set("state", pick(p.rand, []string{"open", "answered", "withdrawn"}))
	}
	if p.chance(30) {
		q.Set("collection", pick(p.rand, p.stock.drafts).Name)
	}
	if p.chance(40) {
		q.Set("after", fmt.Sprint(p.consultation()))
	}
	q.Set("limit", pick(p.rand, []string{"1", "3", "100"}))
	return consultationsPath + "?" + q.Encode()
}

// proposals asks for what is proposed, by the viewer's organisation and others, and decided.
func (p *pair) proposals() string {
	if p.chance(30) {
		return p.shares()
	}
	id := fmt.Sprint(p.filed())
	return "/api/v1" + pick(p.rand, []string{"/proposals", "/proposals?limit=1", "/proposals?limit=2&after=" + id, "/proposals?state=withdrawn&organisation=VIETTEL", "/proposals?territory=094", "/proposals?overdue=true", "/proposals/drafts?limit=3", "/proposals?sortby=due_on&limit=2&after=" + id,
		"/proposals/" + id, "/proposals/" + id, "/proposals/" + id + "/attachments", fmt.Sprint("/proposals/", id, "/attachments/", p.filed()+500000), fmt.Sprint("/proposals/", id, "/attachments/", id, "000"), fmt.Sprint("/proposals/", p.filed(), "/attachments/", p.filed()+500000),
		"/verdicts/" + p.verdict(), "/verdicts/" + p.verdict() + "?f=html", "/signing-keys", "/decisions", "/decisions/2026-0001", "/decisions/2026-0001?f=html", "/decisions/2026-0001?f=pdf", fmt.Sprint("/decisions?collection=bts_sites&feature=", p.id(p.stock.sites))})
}

// shares asks for requests to share, by the viewer's organisation and others. The figures are
// not asked for: they count all, for everyone.
func (p *pair) shares() string {
	number := pick(p.rand, p.stock.shares)
	return "/api/v1/sharing-requests" + pick(p.rand, []string{"", "?limit=2", "?limit=1&after=" + number, "?organisation=VNPT", "?state=declined&collection=bts_sites", "?overdue=true", "/" + number, "/" + number})
}

// verdict is the number of a verdict of either world. Of its verification anybody is told
// by the number, which is random: that is how one proves it who has been handed it.
func (p *pair) verdict() string { return pick(p.rand, p.stock.verdicts) }

// filed is the id of a proposal that the viewer sees, as often as not, of another one of either
// world, or of none.
func (p *pair) filed() int64 {
	switch n := p.rand.IntN(10); {
	case n == 0:
		return p.rand.Int64N(1<<50) + 1
	case n < 6 && len(p.stock.seen) > 0:
		return pick(p.rand, p.stock.seen)
	}
	return pick(p.rand, p.stock.proposals)
}

// imports asks for the viewer's imports, and for others'.
func (p *pair) imports() string {
	of := fmt.Sprint(p.rand.Int64N(1<<50) + 1)
	if p.chance(90) {
		of = fmt.Sprint(pick(p.rand, p.stock.imports))
	}
	return "/api/v1/imports" + pick(p.rand, []string{"", "?limit=1", "?limit=1&after=" + of, "/" + of, "/" + of + "/corrections"})
}

// mappings asks for the mappings of the viewer's organisation, and of others.
func (p *pair) mappings() string {
	of := fmt.Sprint(pick(p.rand, p.stock.mappings))
	return "/api/v1/mappings" + pick(p.rand, []string{"", "?limit=1", "?collection=kiosks", "?limit=1&after=" + of, "/" + of, "/" + of})
}

// consultation is the id of one of either world, or of none.
func (p *pair) consultation() int64 {
	if p.chance(10) {
		return p.rand.Int64N(1<<50) + 1
	}
	return pick(p.rand, p.stock.consultations)
}

// consult asks an agency, answers or withdraws, or tries to.
func (p *pair) consult(a question) question {
	a.headers = jsonBody
	if p.chance(10) {
		a.method, a.path, a.headers = http.MethodPost, "/api/v1/verdicts/"+p.verdict()+"/replay", nil
		return a
	}
	if p.chance(10) {
		a.method, a.path = http.MethodPost, "/api/v1/sharing-requests/"+pick(p.rand, p.stock.shares)+"/steps"
		a.body = pick(p.rand, []string{`{"action":"withdraw","revision":9}`, `{"action":"decline","reasons":"x","revision":9}`, `{"action":"refuse","reasons":"x","revision":9}`})
		return a
	}
	if p.chance(25) { // all of them are over
		a.method, a.path = http.MethodPost, fmt.Sprint("/api/v1/proposals/", p.filed(), "/decisions")
		a.body = pick(p.rand, []string{`{"action":"withdraw"}`, `{"action":"approve","revision":2}`, `{"action":"ask_more","reasons":"x"}`, `{"action":"answer","answer":"agreed"}`})
		return a
	}
	if p.chance(10) {
		a.method, a.path, a.headers, a.body = http.MethodPost, fmt.Sprint("/api/v1/proposals/", p.filed(), "/attachments?name=x.txt"), []string{"Content-Type", "text/plain"}, "x"
		return a
	}
	if p.chance(40) {
		l := pick(p.rand, p.stock.drafts)
		a.method, a.path = http.MethodPost, consultationsPath
		a.body = fmt.Sprintf(`{"collection":%q,"feature":%d,"agency":%q}`, l.Name, p.target(l), pick(p.rand, []string{"SXD", "BCHQS", "BCA", "BNG", "VNPT"}))
		return a
	}
	a.method, a.path = http.MethodPatch, fmt.Sprint(consultationsPath, "/", p.consultation())
	a.body = pick(p.rand, []string{`{"answer":"agreed","note":"x"}`, `{"answer":"objected"}`, `{"state":"withdrawn"}`, `{"due_on":"2027-02-02"}`})
	return a
}

// write changes something, or tries to: hidden rows, published ones, codes that are taken
// by either.
func (p *pair) write(a question) question {
	switch n := p.rand.IntN(100); {
	case n < 5:
		return p.account(a)
	case n < 30:
		return p.consult(a)
	}
	if p.chance(5) {
		return p.layer(a)
	}
	l := pick(p.rand, p.stock.layers)
	switch {
	case p.as.layers != nil && p.chance(80):
		l, _ = p.origin.layers.Get(pick(p.rand, p.as.layers))
	case p.chance(60):
		l = pick(p.rand, p.stock.drafts)
	}
	a.path = "/api/v1/collections/" + l.Name + "/items"
	a.headers = []string{"Content-Type", "application/geo+json"}
	units := l.Group == layer.GroupUnits || l.Group == layer.GroupZones
	n := p.rand.IntN(10)
	if n >= 4 || units {
		a.path += fmt.Sprintf("/%d", p.target(l))
		if p.chance(20) {
			a.headers = append(a.headers, "If-Match", pick(p.rand, []string{`"1"`, `"2"`, "*"}))
		}
	}
	switch {
	case n < 4 && !units:
		a.method, a.body = http.MethodPost, p.feature(l)
	case n < 8 || units:
		a.method, a.body = http.MethodPatch, p.change(l, units)
	case n < 9:
		a.method, a.body = http.MethodPut, p.feature(l)
	default:
		a.method = http.MethodDelete
	}
	if (a.method == http.MethodPatch || a.method == http.MethodPut) && p.chance(25) {
		a.path += "?in_force=" + pick(p.rand, []string{"2016-06-01", "2018-03-04", "2020-02-02", "2030-01-01"})
	}
	if p.chance(25) {
		a.headers = append(a.headers, "Prefer", pick(p.rand, []string{"return=representation", "handling=strict", "handling=lenient, return=representation"}))
	}
	return a
}

// target is the id of a row to write: one that the viewer may write, as often as not.
func (p *pair) target(l *layer.Layer) int64 {
	of := p.stock.of[l.Name]
	if len(of.within) > 0 && p.chance(60) {
		return pick(p.rand, of.within)
	}
	if p.as.layers != nil && p.chance(50) {
		return pick(p.rand, of.ids)
	}
	return p.id(l)
}

// code is one that a hidden row has, or a published one, or nobody.
func (p *pair) code(l *layer.Layer) string {
	switch n := p.rand.IntN(10); {
	case n < 4:
		return fmt.Sprint("TRY-", p.rand.IntN(tried))
	case n < 7 && len(p.stock.of[l.Name].values["code"]) > 0:
		return pick(p.rand, p.stock.of[l.Name].values["code"])
	}
	p.made++
	return fmt.Sprint("NEW-", p.made)
}

// feature is a whole feature like a published one, with another code, and a draft of the
// viewer's at times.
func (p *pair) feature(l *layer.Layer) string {
	like := p.stock.of[l.Name].published
	if len(like) == 0 {
		return `{"type":"Feature","properties":{},"geometry":null}`
	}
	row := pick(p.rand, like)
	properties := map[string]any{}
	for _, f := range l.Fields {
		if v := row.properties[f.Name]; v != nil && !f.ReadOnly {
			properties[f.Name] = v
		}
	}
	properties["code"] = p.code(l)
	if l.HasDrafts() && (p.as.role == "operator" && p.chance(85) || p.chance(20)) {
		properties["status"] = layer.Draft
	}
	if p.as.organisation != "" && p.chance(80) {
		properties["owner_organisation"] = p.as.organisation
	}
	if l.Name == "operator_positions" {
		properties["site_code"], properties["operator"] = pick(p.rand, p.stock.of["bts_sites"].values["code"]), pick(p.rand, []string{"VNPT", "VIETTEL", "SFONE"})
	}
	geometry := row.geometry
	if len(p.stock.within) > 0 && l.Geometry == layer.Point && !l.HasZ {
		at := pick(p.rand, p.stock.within)
		geometry = fmt.Appendf(nil, `{"type":"Point","coordinates":[%f,%f]}`, at[0], at[1])
	}
	raw, _ := json.Marshal(map[string]any{"type": "Feature", "properties": properties, "geometry": geometry})
	return string(raw)
}

// change is a patch.
func (p *pair) change(l *layer.Layer, units bool) string {
	p.made++
	properties := map[string]any{"name": fmt.Sprint("changed ", p.made)}
	if !units {
		if p.chance(30) {
			properties["code"] = p.code(l)
		}
		if l.HasDrafts() && p.chance(20) {
			properties["status"] = pick(p.rand, []string{"existing", "planned", "draft"})
		}
		if p.chance(20) {
			properties["valid_to"] = pick(p.rand, []any{nil, "2019-01-01", "2021-01-01"})
		}
	}
	raw, _ := json.Marshal(map[string]any{"properties": properties})
	return string(raw)
}

// account tries what concerns the viewer himself.
func (p *pair) account(a question) question {
	a.headers = jsonBody
	switch p.rand.IntN(8) {
	case 0:
		a.method, a.path, a.body = http.MethodPost, "/api/v1/session", `{"login":"lan","password":"wrong"}`
	case 1:
		a.method, a.path, a.body = http.MethodPut, "/api/v1/session/password", `{"old":"a","new":"b"}`
	case 2, 3:
		a.method, a.path = http.MethodDelete, "/api/v1/keys/nobodys"
	case 4:
		a.method, a.path, a.body = http.MethodPut, "/api/v1/publications/11", `{"exactness":"hidden"}`
	default:
		a.method, a.path, a.body = http.MethodPost, "/api/v1/keys", `{"name":"mine","grants":[{"role":"`+pick(p.rand, []string{"officer", "operator", "consulted"})+`","layers":null,"territory":""}]}`
	}
	return a
}

var keyTexts = regexp.MustCompile(`"(id|key|created_at)":"[^"]*"`)

// mapKeys takes out of lists of keys, and of new ones, what is random or a time.
func mapKeys(outcomes ...*reaction) {
	for _, o := range outcomes {
		o.body = keyTexts.ReplaceAll(o.body, []byte(`"$1":""`))
	}
}
