package layer

import (
	"slices"
	"strings"
	"testing"

	"hatang/geo"
)

// schools is a definition without faults.
func schools() Definition {
	return Definition{
		Name: "schools", Title: geo.Text{VI: "Trường học", EN: "Schools"}, Doc: geo.Text{VI: "Trường học", EN: "Schools"},
		Geometry: Point, Colour: "#112233", StorageSRID: 4326, CodeOf: CodeOfID, GeometryColumn: "the_geom",
		Common: map[string]string{"name": "TÊN"},
		Fields: []FieldDefinition{{Name: "pupils", Kind: Integer, Title: geo.Text{VI: "Sĩ số", EN: "Sĩ số"}, Column: "Sĩ số"}, {Name: "file_code", Kind: Text, Title: geo.Text{VI: "code", EN: "code"}, Column: "code"}},
	}
}

// staffOf sees what is withheld of some layers.
type staffOf []string

func (s staffOf) SeesWithheld(layer string) bool { return slices.Contains(s, layer) }

func names(layers []*Layer) (names []string) {
	for _, l := range layers {
		names = append(names, l.Name)
	}
	return names
}

func TestReferenceLayersStandBesideTheLiterals(t *testing.T) {
	r, err := Layers()
	if err != nil {
		t.Fatal(err)
	}
	hidden := schools()
	hidden.Name = "bunkers"
	other := schools()
	other.Name = "cellars"
	if err := r.Replace([]Layer{Reference{ID: 2, StaffOnly: true, Definition: hidden}.Layer(), Reference{ID: 3, StaffOnly: true, Definition: other}.Layer(), Reference{ID: 1, Definition: schools()}.Layer()}); err != nil {
		t.Fatal(err)
	}
	for _, of := range []struct {
		who   string
		set   interface{ All() []*Layer }
		extra []string
	}{
		{"everybody", r, []string{"schools"}},
		{"the public", r.Seen(staffOf(nil)), []string{"schools"}},
		{"staff of another layer", r.Seen(staffOf{"schools"}), []string{"schools"}},
		{"staff of one", r.Seen(staffOf{"bunkers"}), []string{"bunkers", "schools"}},
		{"staff", r.Seen(staffOf{"schools", "bunkers", "cellars"}), []string{"bunkers", "cellars", "schools"}},
		{"nobody", r.Whole(), []string{"bunkers", "cellars", "schools"}},
	} {
		if got := names(of.set.All())[21:]; !slices.Equal(got, of.extra) {
			t.Errorf("%s knows of %q, want %q", of.who, got, of.extra)
		}
	}
	if _, ok := r.Get("bunkers"); ok {
		t.Error("everybody gets a layer that is for staff alone")
	}
	clone := r.Clone()
	if len(clone.All()) != 21 || len(r.All()) != 22 {
		t.Errorf("%d layers in a clone and %d where it comes from, want the literals alone, and no change", len(clone.All()), len(r.All()))
	}
}

func TestReplaceRefusesWhatClashes(t *testing.T) {
	r, err := Layers()
	if err != nil {
		t.Fatal(err)
	}
	clash := schools()
	clash.Name = "roads"
	if err := r.Replace([]Layer{Reference{Definition: clash}.Layer()}); err == nil || len(r.All()) != 21 {
		t.Errorf("a layer of a literal's name: %v, %d layers", err, len(r.All()))
	}
}

func TestReferenceFieldsAreKnownByTheirColumns(t *testing.T) {
	l := Reference{Definition: schools()}.Layer()
	for column, field := range map[string]string{"TÊN": "name", "Sĩ số": "pupils", "pupils": "pupils", "name": "name", "source": "source", "code": "file_code", "file_code": "file_code"} {
		i := slices.IndexFunc(l.Fields, func(f Field) bool { return slices.Contains(f.ImportNames(), column) })
		if i < 0 || l.Fields[i].Name != field {
			t.Errorf("the column %s feeds field %d, want %s", column, i, field)
		}
	}
	if f, ok := l.Named("Sĩ số"); !ok || f.Name != "pupils" {
		t.Error("a filter does not find the field by its column")
	}
	withGeometry := schools()
	withGeometry.Fields = append(withGeometry.Fields, FieldDefinition{Name: "file_geometry", Kind: Text, Column: "geometry"})
	l = Reference{Definition: withGeometry}.Layer()
	if f, ok := l.Named("geometry"); ok {
		t.Errorf("a column called geometry, which is the field %s, stands before the geometry", f.Name)
	}
	if f, ok := l.Named("code"); !ok || f.Name != "code" {
		t.Error("a field's own name does not come before another's column")
	}
	if !l.IsGeometry("geometry") || !l.IsGeometry("the_geom") || l.IsGeometry("") || l.HasDrafts() || !l.MayLackGeometry() {
		t.Error("the geometry's names, drafts, or rows without geometry")
	}
}

func TestDefinitionsTellAllTheirFaults(t *testing.T) {
	d := schools()
	if faults := d.Faults(); len(faults) > 0 {
		t.Fatalf("a good definition: %v", faults.Err())
	}
	d.Name, d.Title.EN, d.Colour, d.StorageSRID = "default", " ", "red", 9999
	d.Fields = append(d.Fields, FieldDefinition{Name: "xmin", Kind: "money"}, FieldDefinition{Name: "pupils", Kind: Text}, FieldDefinition{Name: "Größe", Kind: Text})
	var at []string
	for _, f := range d.Faults() {
		at = append(at, f.At)
	}
	want := "/name /title /colour /storage_srid /fields/xmin /fields/xmin /fields/pupils /fields/Größe"
	if strings.Join(at, " ") != want {
		t.Errorf("faults at %q, want %q", at, want)
	}
	d = schools()
	for len(d.Fields) < MaxReferenceFields {
		d.Fields = append(d.Fields, FieldDefinition{Name: "f" + strings.Repeat("a", len(d.Fields)/40+1) + string(rune('a'+len(d.Fields)%26)) + string(rune('a'+len(d.Fields)/26)), Kind: Text, Title: d.Title})
	}
	if faults := d.Faults(); len(faults) > 0 {
		t.Errorf("%d fields: %v", len(d.Fields), faults.Err())
	}
	d.Fields = append(d.Fields, FieldDefinition{Name: "one_more", Kind: Text, Title: d.Title})
	if faults := d.Faults(); len(faults) != 1 {
		t.Errorf("%d fields: %v, want one fault", len(d.Fields), faults.Err())
	}
}

func TestNormaliseName(t *testing.T) {
	for in, want := range map[string]string{
		"NAME": "name", "Tên xã": "ten_xa", "Đường/phố (m)": "duong_pho_m", "110m": "m", "__a__b": "a_b", "": "", "漢字": "",
		strings.Repeat("ab", 30): strings.Repeat("ab", 20) + "a", "Größe": "gro_e", "X-Y": "x_y",
	} {
		if got := NormaliseName(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}
