package formats

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hatang/internal/layer"
)

// fibrePackage is an OFDS network package as a reader sees it.
type fibrePackage struct {
	Networks []struct {
		ID    string
		Name  string
		Links []struct{ Href, Rel string }
		CRS   struct{ Name, URI string }
		Nodes []struct {
			ID       string
			Location fibreGeometry
		}
		Spans []struct {
			ID, Name, Status, Start, End string
			Phase                        *struct{ ID string }
			NetworkProviders             []struct{ ID string }
			Route                        *fibreGeometry
			TransmissionMedium           []string
			Deployment                   []string
			FibreCount                   *int
			FibreLength                  *float64
		}
		Phases        []struct{ ID string }
		Organisations []struct {
			ID    string
			Roles []string
		}
	}
}

type fibreGeometry struct {
	Type        string
	Coordinates json.RawMessage
}

func fibreOf(t testing.TB, s Sheet, rows ...*layer.Row) (p fibrePackage) {
	t.Helper()
	raw := writtenAs(t, lookup(t, "ofds"), s, rows...)
	if err := json.Unmarshal(raw, &p); err != nil || len(p.Networks) != 1 {
		t.Fatalf("%v\n%s", err, raw)
	}
	return p
}

func TestOpenFibre(t *testing.T) {
	l := layerOf(t, "fibre_routes")
	row := func(id int64, geometry []byte, values map[string]any) *layer.Row {
		values["jurisdiction"] = "11"
		return rowOf(t, l, id, geometry, values)
	}
	rows := []*layer.Row{
		row(1, linesZOf(t, []float64{103, 21, -1, 103.05, 21.05, -1, 103.1, 21.1, -1}),
			map[string]any{"name": "Tuyến \"1\"", "status": "existing", "operator": "VNPT", "fibres": 24, "declared_length_m": 15250.5, "works_class": "N1"}),
		row(2, linesZOf(t, []float64{103.1, 21.1, 0, 103.2, 21.2, 0}, []float64{103.2, 21.2, 0, 103.3, 21.30000001, 0}),
			map[string]any{"code": "C2", "status": "planned", "phase": "P1", "operator": "VNPT", "declared_length_m": 1.0, "works_class": "C2"}),
		row(3, nil, map[string]any{"status": "else"}),
	}
	p := fibreOf(t, Sheet{Layer: l, WithZ: true, Language: "vi"}, rows...)
	n := p.Networks[0]
	if n.Name != l.Title.VI || len(n.Links) != 1 || n.Links[0].Rel != "describedby" || n.Links[0].Href != ofdsSchema || n.CRS.URI != "http://www.opengis.net/def/crs/OGC/1.3/CRS84" {
		t.Errorf("the network is %+v", n)
	}
	var nodes []string
	for _, node := range n.Nodes {
		nodes = append(nodes, node.ID+" "+node.Location.Type+string(node.Location.Coordinates))
	}
	if d := cmp.Diff([]string{"103 21 Point[103,21]", "103.1 21.1 Point[103.1,21.1]", "103.2 21.2 Point[103.2,21.2]", "103.3 21.3 Point[103.3,21.3]"}, nodes); d != "" {
		t.Errorf("nodes: %s", d)
	}
	var spans []string
	for _, s := range n.Spans {
		of := strings.Join([]string{s.ID, s.Name, s.Status, s.Start, s.End, strings.Join(s.TransmissionMedium, ""), strings.Join(s.Deployment, "")}, "|")
		if s.Route != nil {
			of += "|" + s.Route.Type + string(s.Route.Coordinates)
		}
		spans = append(spans, of)
	}
	if d := cmp.Diff([]string{`1|Tuyến "1"|operational|103 21|103.1 21.1|fibre|belowGround|LineString[[103,21],[103.05,21.05],[103.1,21.1]]`,
		"2-1|C2|planned|103.1 21.1|103.2 21.2|fibre|aboveGround|LineString[[103.1,21.1],[103.2,21.2]]",
		"2-2|C2|planned|103.2 21.2|103.3 21.3|fibre|aboveGround|LineString[[103.2,21.2],[103.3,21.3]]", "3|x||||fibre|"}, spans); d != "" {
		t.Errorf("spans: %s", d)
	}
	first, second := n.Spans[0], n.Spans[1]
	if *first.FibreCount != 24 || *first.FibreLength != 15.2505 || first.NetworkProviders[0].ID != "VNPT" || first.Phase != nil || second.Phase.ID != "P1" || second.FibreCount != nil || second.FibreLength != nil {
		t.Errorf("%+v\n%+v", first, second)
	}
	if len(n.Phases) != 1 || n.Phases[0].ID != "P1" || len(n.Organisations) != 1 || n.Organisations[0].ID != "VNPT" || !slices.Equal(n.Organisations[0].Roles, []string{"networkProvider"}) {
		t.Errorf("phases %v, organisations %v", n.Phases, n.Organisations)
	}
}

// A network has one id, a UUID of version 5, however much of it is written; lists that
// would be empty are left out, as the standard wants.
func TestNetworkIDs(t *testing.T) {
	l := layerOf(t, "fibre_routes")
	row := func(id int64, code string) *layer.Row {
		return rowOf(t, l, id, nil, map[string]any{"jurisdiction": code})
	}
	a, b := fibreOf(t, Sheet{Layer: l}, row(1, "11"), row(2, "12")).Networks[0].ID, fibreOf(t, Sheet{Layer: l}, row(2, "12"), row(3, "12"), row(1, "11")).Networks[0].ID
	if a != b || !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(a) {
		t.Errorf("ids %s and %s", a, b)
	}
	if other := fibreOf(t, Sheet{Layer: l}, row(1, "11")).Networks[0].ID; other == a {
		t.Errorf("the network of one province has the id of two: %s", other)
	}
	if raw := string(writtenAs(t, lookup(t, "ofds"), Sheet{Layer: l})); strings.Contains(raw, "[]") || strings.Contains(raw, "spans") {
		t.Errorf("a network without routes: %s", raw)
	}
}

func TestFormatsOfLayers(t *testing.T) {
	names := func(l string) (all []string) {
		for _, f := range Of(layerOf(t, l)) {
			all = append(all, f.Name())
		}
		return all
	}
	if all := names("fibre_routes"); len(all) != len(All()) || slices.Contains(names("ducts"), "ofds") || len(names("ducts")) != len(All())-1 {
		t.Errorf("%v, %v", all, names("ducts"))
	}
}
