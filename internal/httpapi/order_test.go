package httpapi

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"hatang/internal/layer"
)

// orderOf reads sortby as a request has it.
func orderOf(t testing.TB, raw string) []layer.SortKey {
	t.Helper()
	p, faults := parseListing("sortby="+raw, sites(t), reference, itemsParameters())
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return p.query.Sort
}

func TestSortBy(t *testing.T) {
	for raw, want := range map[string]string{
		"name": "name", "+name": "name", "%2Bname,-height_m": "name -height_m", "-id": "-id", "%20name%20,%20+height_m": "name height_m",
	} {
		var got []string
		for _, k := range orderOf(t, raw) {
			got = append(got, map[bool]string{true: "-"}[k.Descending]+k.Field.Name)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s sorts by %v, want %s", raw, got, want)
		}
	}
	for raw, want := range map[string]int{
		"": 1, "none": 1, "geometry": 1, "technologies": 1, "-none,name,++name": 2, "name,-name": 1, "--name": 1, "-": 1, "+-name": 1,
		"code,name,height_m,status,concealed,phase": 1, "name;DROP": 1, "name desc": 1, "NAME": 1,
	} {
		if _, faults := parseListing("sortby="+url.QueryEscape(raw), sites(t), reference, itemsParameters()); len(faults) != want || faults[0].At != "sortby" {
			t.Errorf("%q: %v, want %d faults", raw, faults, want)
		}
	}
}

// Every page of an order links to the next with a position that reads back as it was.
func TestPagesInOrder(t *testing.T) {
	s := &fakeStore{rows: siteRows(t, 5, "Cột “số 1” & <2>")}
	h := handlerOf(t, s)
	target, seen := itemsPath+"?limit=2&sortby=%2Bname,-height_m,valid_to", []int{}
	for range 4 {
		page := decode(t, do(h, "GET", target, ""))
		seen = append(seen, ids(t, page)...)
		if target = linkTo(page, "next"); target == "" {
			break
		}
		if w := do(h, "GET", target, ""); w.Code != 200 {
			t.Fatalf("%s: %s", target, w.Body)
		}
		want := [][]byte{[]byte("Cột “số 1” & <2>"), []byte("\x40\x46\x80\x00\x00\x00\x00\x00"), nil}
		if d := cmp.Diff(want, s.asked.AfterKeys); d != "" || s.asked.After != int64(len(seen)) {
			t.Errorf("the store is asked for rows behind %d: %s", s.asked.After, d)
		}
	}
	if !slices.Equal(seen, []int{1, 2, 3, 4, 5}) {
		t.Errorf("the pages show %v", seen)
	}
}

// drawKey draws a value as the database may send it, nil for none.
func drawKey(t *rapid.T, k layer.Kind) []byte {
	if rapid.Bool().Draw(t, "missing") {
		return nil
	}
	if k == layer.Text {
		return []byte(rapid.StringN(0, layer.SortedCharacters, -1).Filter(func(s string) bool { return !strings.Contains(s, "\x00") }).Draw(t, "text"))
	}
	size := map[layer.Kind]int{layer.Boolean: 1, layer.Date: 4}[k]
	if size == 0 {
		size = 8
	}
	return rapid.SliceOfN(rapid.Byte(), size, size).Filter(k.ValidWire).Draw(t, "value")
}

// Whatever a row's keys are, its position is read back, fits into an address, and is
// refused in any other order.
func TestPositionsReadBack(t *testing.T) {
	orders := []string{"name", "-name", "height_m", "id,name", "valid_from,concealed,updated_at", "code,name,source,phase,height_m"}
	rapid.Check(t, func(rt *rapid.T) {
		at := rapid.IntRange(0, len(orders)-1).Draw(rt, "order")
		order := orderOf(t, orders[at])
		row := &layer.Row{ID: rapid.Int64Range(1, math.MaxInt64).Draw(rt, "id")}
		for _, k := range order {
			row.Keys = append(row.Keys, drawKey(rt, k.Field.Kind))
		}
		position := positionOf(row, order)
		if len(position) > maxAddressBytes/2 {
			rt.Fatalf("a position of %d bytes", len(position))
		}
		keys, id, err := parsePosition(position, order)
		if err != nil || id != row.ID || !slices.EqualFunc(keys, row.Keys, func(a, b []byte) bool { return bytes.Equal(a, b) && (a == nil) == (b == nil) }) {
			rt.Fatalf("%v, %d, %v", keys, id, err)
		}
		other := orderOf(t, orders[(at+1)%len(orders)])
		if _, _, err := parsePosition(position, other); err == nil {
			rt.Fatalf("the position is one by %s, too", orders[(at+1)%len(orders)])
		}
	})
}

// No text whatsoever is a position that the database could not compare with.
func FuzzParsePosition(f *testing.F) {
	var orders [][]layer.SortKey
	for _, names := range []string{"name", "height_m", "valid_from,-updated_at", "concealed,revision", "id"} {
		orders = append(orders, orderOf(f, names))
	}
	for _, seed := range []string{"", "1", "-1", "AAAA", "AAAAAAAA", "99999999999999999999", "gA", strings.Repeat("A", 5000)} {
		f.Add(seed, uint8(0), true)
	}
	f.Add(positionOf(&layer.Row{ID: 7, Keys: [][]byte{[]byte("a")}}, orders[0]), uint8(0), false)
	f.Fuzz(func(t *testing.T, s string, which uint8, sum bool) {
		order := orders[int(which)%len(orders)]
		if sum { // with its sum put right the rest is looked at
			if b, err := base64.RawURLEncoding.DecodeString(s); err == nil && len(b) >= 4 {
				right := sumOf(b[4:], order)
				b[0], b[1], b[2], b[3] = byte(right>>24), byte(right>>16), byte(right>>8), byte(right)
				s = base64.RawURLEncoding.EncodeToString(b)
			}
		}
		keys, id, err := parsePosition(s, order)
		if err != nil {
			return
		}
		if len(keys) != len(order) || id < 1 {
			t.Errorf("%q is %d keys and the id %d", s, len(keys), id)
		}
		for i, k := range keys {
			if k != nil && !order[i].Field.Kind.ValidWire(k) {
				t.Errorf("%q: %x is no %s", s, k, order[i].Field.Kind)
			}
		}
		if _, id, err := parsePosition(s, nil); err == nil && id < 0 {
			t.Errorf("%q is the id %d", s, id)
		}
	})
}

func TestBadPositions(t *testing.T) {
	h := handlerOf(t, &fakeStore{rows: siteRows(t, 3, "x")})
	next, err := url.Parse(linkTo(decode(t, do(h, "GET", itemsPath+"?limit=1&sortby=name", "")), "next"))
	if err != nil {
		t.Fatal(err)
	}
	good := next.Query().Get("after")
	for _, query := range []string{"after=" + good, "after=" + good + "&sortby=-name", "after=1&sortby=name", "after=&sortby=name", "after=" + good + "A&sortby=name",
		"after=" + good[:len(good)-1] + "&sortby=name", "after=-1", "after=x", "after=1.5"} {
		w := do(h, "GET", itemsPath+"?"+query, "")
		if w.Code != 400 || decode(t, w)["errors"].([]any)[0].(map[string]any)["parameter"] != "after" {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
	}
}

func TestSelectedProperties(t *testing.T) {
	s := &fakeStore{rows: siteRows(t, 2, "x")}
	h := handlerOf(t, s)
	all := len(sites(t).Fields)
	for query, want := range map[string]struct {
		names    string // all for all
		geometry bool
	}{
		"":                            {"all", true},
		"skipGeometry=false":          {"all", true},
		"skipGeometry=true":           {"all", false},
		"properties=height_m,code":    {"code height_m", false},
		"properties=geometry,%20code": {"code", true},
		"properties=geometry":         {"", true},
		"properties=id":               {"", false},
		"properties=geometry,code&skipGeometry=true": {"code", false},
	} {
		for _, path := range []string{itemsPath, itemsPath + "/1"} {
			doc := decode(t, do(h, "GET", path+"?"+query, ""))
			if features, ok := doc["features"].([]any); ok {
				doc = features[0].(map[string]any)
			}
			var names []string
			for name := range doc["properties"].(map[string]any) {
				names = append(names, name)
			}
			slices.Sort(names)
			if got := strings.Join(names, " "); (doc["geometry"] != nil) != want.geometry || doc["id"] != 1.0 || want.names != "all" && got != want.names || want.names == "all" && len(names) != all {
				t.Errorf("%s?%s: %v", path, query, doc)
			}
		}
		if want.names != "all" && len(s.asked.Fields) != len(strings.Fields(want.names)) || s.asked.NoGeometry == want.geometry {
			t.Errorf("%s: the store is asked for %v, geometry %v", query, s.asked.Fields, !s.asked.NoGeometry)
		}
	}
	for _, query := range []string{"properties=", "properties=none,code,nothing", "properties=code,", "skipGeometry=", "skipGeometry=yes&properties=geom"} {
		for _, path := range []string{itemsPath, itemsPath + "/1"} {
			if w := do(h, "GET", path+"?"+query, ""); w.Code != 400 || len(decode(t, w)["errors"].([]any)) != strings.Count(query, "=")+strings.Count(query, "nothing") {
				t.Errorf("%s?%s: %d %s", path, query, w.Code, w.Body)
			}
		}
	}
}

// What a page cannot know by itself is counted once for a version, whoever asks for it
// and for whatever page; and not told where it takes too long.
func TestNumberMatched(t *testing.T) {
	s := &fakeStore{rows: siteRows(t, 5, "x")}
	h := handlerOf(t, s)
	matched := func(query string, headers ...string) any {
		t.Helper()
		w := do(h, http.MethodGet, itemsPath+"?"+query, "", headers...)
		if w.Code != 200 {
			t.Fatalf("%s: %s", query, w.Body)
		}
		return decode(t, w)["numberMatched"]
	}
	counts := func() (whole, within int) {
		for _, call := range s.calls {
			switch call {
			case "CountFeatures":
				whole++
			case "CountWithin":
				within++
			}
		}
		s.calls = nil
		return whole, within
	}
	for _, query := range []string{"limit=2", "limit=2&after=2", "limit=3&after=3&sortby=", "limit=1&crs=EPSG:9205&properties=code", "resultType=hits"} {
		query = strings.TrimSuffix(query, "&sortby=")
		if got := matched(query); got != 5.0 {
			t.Errorf("%s matches %v", query, got)
		}
	}
	if whole, within := counts(); whole != 1 || within != 0 {
		t.Errorf("a version was counted %d and %d times", whole, within)
	}
	s.number++ // an edit
	matched("limit=2")
	matched("limit=2", asOfficer)
	matched("limit=2&datetime=2016-01-01")
	matched("limit=2")
	if whole, within := counts(); whole != 3 || within != 0 {
		t.Errorf("three selections were counted %d and %d times", whole, within)
	}
	matched("limit=2&code=DB-1")
	matched("limit=2&code=DB-1&after=1")
	if whole, within := counts(); whole != 0 || within != 1 {
		t.Errorf("a filter was counted %d and %d times", whole, within)
	}
	s.slow = true
	if got := matched("limit=2&bbox=1,2,3,4"); got != nil {
		t.Errorf("what takes too long to count is %v", got)
	}
	if got := matched("limit=2&bbox=1,2,3,4&resultType=hits"); got != 5.0 {
		t.Errorf("hits are %v", got)
	}
	if whole, within := counts(); whole != 1 || within != 1 {
		t.Errorf("hits were counted %d and %d times", whole, within)
	}
	if w := do(h, "GET", itemsPath+"?resultType=all", ""); w.Code != 400 {
		t.Errorf("resultType=all: %d", w.Code)
	}
}

func TestHits(t *testing.T) {
	s := &fakeStore{rows: siteRows(t, 5, "x")}
	doc := decode(t, do(handlerOf(t, s), "GET", itemsPath+"?resultType=hits&limit=2", ""))
	if doc["numberMatched"] != 5.0 || doc["numberReturned"] != 0.0 || len(doc["features"].([]any)) != 0 || linkTo(doc, "next") != "" || linkTo(doc, "self") == "" || slices.Contains(s.calls, "Features") {
		t.Errorf("%v, %v", doc, s.calls)
	}
}

// A count that fails is not remembered.
func TestCountsThatFail(t *testing.T) {
	s := &failingCounts{fakeStore{rows: siteRows(t, 3, "x")}, 1}
	c := config(t, &s.fakeStore)
	c.Store = s
	h := apiWith(t, c).router()
	if w := do(h, "GET", itemsPath+"?limit=1", ""); w.Code != 503 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := do(h, "GET", itemsPath+"?limit=1", ""); w.Code != 200 || !json.Valid(w.Body.Bytes()) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

type failingCounts struct {
	fakeStore
	times int
}

func (s *failingCounts) CountFeatures(c ctx, v viewer, l *layer.Layer, q layer.Query) (int64, error) {
	if s.times--; s.times >= 0 {
		return 0, layer.ErrUnavailable
	}
	return s.fakeStore.CountFeatures(c, v, l, q)
}

// The id is a queryable: alone, in filters, in schemas.
func TestIDsSelect(t *testing.T) {
	s := &fakeStore{}
	h := handlerOf(t, s)
	if w := do(h, "GET", itemsPath+"?id=7&filter="+url.QueryEscape("id IN (7, 8)"), ""); w.Code != 200 {
		t.Fatalf("%s", w.Body)
	}
	if d := cmp.Diff([]layer.Equality{{Field: "id", Value: "7"}}, s.asked.Equal); d != "" || s.asked.Filter == nil {
		t.Error(d)
	}
	if w := do(h, "GET", itemsPath+"?id=x", ""); w.Code != 400 {
		t.Errorf("id=x: %d", w.Code)
	}
	var document struct {
		Paths map[string]struct {
			Get struct {
				Parameters []struct {
					Name   string
					Schema struct{ Type string }
				}
			}
		}
	}
	if err := json.Unmarshal(do(h, "GET", "/api/v1/openapi.json", "").Body.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	found := false
	for _, p := range document.Paths["/collections/roads/items"].Get.Parameters {
		found = found || p.Name == "id" && p.Schema.Type == "integer"
	}
	if !found {
		t.Error("the document does not say that items are selected by id")
	}
}

// The clock that limits counting is a promise of the document's.
func TestCountTimeIsDocumented(t *testing.T) {
	if text := do(handlerOf(t, &fakeStore{}), "GET", "/api/v1/openapi.json", "").Body.String(); !strings.Contains(text, "more than 250 ms") || countTime != 250*time.Millisecond {
		t.Errorf("counting may take %v", countTime)
	}
}
