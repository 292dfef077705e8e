package layer

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"hatang/geo"
)

// Limits of reference layers, which the database holds, too.
const (
	MaxReferences      = 500 // at a time
	MaxReferenceFields = 200 // of one, beside the common ones
)

// Reference is what is known of a layer that was published from a file.
type Reference struct {
	ID        int64     // of its definition; no other layer has had it
	StaffOnly bool      // nobody else knows that there is such a layer
	CreatedBy string    // who, as the history names people
	CreatedAt time.Time // in the register
	Definition
}

// StaffOnly reports whether the layer is known to staff alone.
func (l *Layer) StaffOnly() bool { return l.Reference != nil && l.Reference.StaffOnly }

// MayLackGeometry reports whether rows of the layer may have none.
func (l *Layer) MayLackGeometry() bool { return l.Reference != nil }

// StorageSRID is the reference system in which the layer's geometries are kept. Where it
// is not SRID, they are kept in it beside what is read, which is always in SRID.
func (l *Layer) StorageSRID() int {
	if l.Reference == nil || l.Reference.StorageSRID == 0 {
		return SRID
	}
	return l.Reference.StorageSRID
}

// InStorage returns the layer as one whose geometries are read in the reference system that
// they are kept in, which is not SRID, exactly as they are kept.
func (l *Layer) InStorage() *Layer {
	stored := *l
	stored.stored = true
	return &stored
}

// ReadsStored reports whether the layer is one that InStorage returned.
func (l *Layer) ReadsStored() bool { return l.stored }

// IsGeometry reports whether a name in a filter is the geometry's: ours, or the one it had
// in the layer's file.
func (l *Layer) IsGeometry(name string) bool {
	return name == GeometryName || l.Reference != nil && name != "" && name == l.Reference.GeometryColumn
}

// Named returns the field of that name; of a reference layer's also by the name that it
// had in the file, which filters written for the file go on using.
func (l *Layer) Named(name string) (*Field, bool) {
	if f, ok := l.Field(name); ok || l.Reference == nil || l.IsGeometry(name) {
		return f, ok
	}
	i := slices.IndexFunc(l.Fields, func(f Field) bool { return slices.Contains(f.importAs, name) })
	if i < 0 {
		return nil, false
	}
	return &l.Fields[i], true
}

// Where the code of a feature comes from when the file has no column for it.
const (
	CodeOfColumn = "column" // a column
	CodeOfID     = "id"     // the feature's own id
	CodeOfRow    = "row"    // its number in the file
)

// Definition is what makes a reference layer: what its file says of it, and what the
// officer said. It is kept as JSON, and made into a table by the database itself.
type Definition struct {
	Name     string       `json:"name"`
	Title    geo.Text     `json:"title"`
	Doc      geo.Text     `json:"description"`
	Geometry GeometryType `json:"geometry"`
	Colour   string       `json:"colour"`
	// StorageSRID is the EPSG code of the system in which geometries are kept.
	StorageSRID int               `json:"storage_srid"`
	Fields      []FieldDefinition `json:"fields"` // beside the common ones

	CodeOf         string            `json:"code_of"`                   // CodeOfColumn, CodeOfID or CodeOfRow
	Common         map[string]string `json:"common,omitempty"`          // columns of the file that feed common fields, by these
	GeometryColumn string            `json:"geometry_column,omitempty"` // name of the geometry in the file
}

// FieldDefinition is a field of a reference layer.
type FieldDefinition struct {
	Name   string   `json:"name"`
	Kind   Kind     `json:"kind"`
	Title  geo.Text `json:"title"`
	Column string   `json:"column"` // its name in the file
}

// ReferenceChange is what changes of a reference layer; nil members stay as they are.
type ReferenceChange struct {
	Name      *string   `json:"-"`
	Title     *geo.Text `json:"title,omitempty"`
	Doc       *geo.Text `json:"description,omitempty"`
	Colour    *string   `json:"colour,omitempty"`
	StaffOnly *bool     `json:"-"`
}

// Faults returns everything that is wrong with the change, as Definition.Faults does.
func (c *ReferenceChange) Faults() Faults {
	d := Definition{Name: "sound", Title: t("x", "x"), Doc: t("x", "x"), Colour: defaultColour, StorageSRID: SRID}
	if c.Name != nil {
		d.Name = *c.Name
	}
	if c.Title != nil {
		d.Title = *c.Title
	}
	if c.Doc != nil {
		d.Doc = *c.Doc
	}
	if c.Colour != nil {
		d.Colour = *c.Colour
	}
	return d.Faults()
}

// The colours of reference layers that are given none.
const defaultColour = "#5254a3"

var (
	colour = regexp.MustCompile(`^#[0-9a-f]{6}$`)
	// taken are names that no reference layer may have: below some of our addresses a
	// layer's name stands beside names of ours.
	taken = regexp.MustCompile(`^(default|staging|successors|(pg|gpkg|rtree|sqlite|hatang|withdrawn)_.*)$`)
)

// Kinds are the kinds of field.
func Kinds() []Kind { return []Kind{Text, Integer, Number, Boolean, Date, Timestamp, TextList} }

// Bare is a text without the marks of its letters, đ and Đ being d, in NFD otherwise.
func Bare(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == 'đ', r == 'Đ':
			return 'd'
		case unicode.Is(unicode.Mn, r):
			return -1
		}
		return r
	}, norm.NFD.String(s))
}

// NormaliseName brings a name to the form that names of layers and fields have: lower
// case, Latin letters without marks, underscores between words, at most 41 characters.
// It is "" where nothing is left of it.
func NormaliseName(s string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(Bare(s)) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' && b.Len() > 0 {
			b.WriteRune(r)
		} else if b.Len() > 0 && !strings.HasSuffix(b.String(), "_") {
			b.WriteByte('_')
		}
	}
	name := strings.TrimRight(b.String(), "_")
	if len(name) > MaxNameBytes {
		name = strings.TrimRight(name[:MaxNameBytes], "_")
	}
	return name
}

// MaxNameBytes is the length of the longest name of a layer or field.
const MaxNameBytes = 41

// Complete fills in what nobody has said: texts that are in one language alone stand for
// the other, too, title or name for the title, and so on.
func (d *Definition) Complete(title string) {
	both := func(text *geo.Text, otherwise geo.Text) {
		switch {
		case text.VI == "" && text.EN == "":
			*text = otherwise
		case text.VI == "":
			text.VI = text.EN
		case text.EN == "":
			text.EN = text.VI
		}
	}
	if strings.TrimSpace(title) == "" {
		title = d.Name
	}
	both(&d.Title, t(title, title))
	both(&d.Doc, t("Lớp tham khảo: "+d.Title.VI+".", "Reference layer: "+d.Title.EN+"."))
	if d.Colour == "" {
		d.Colour = defaultColour
	}
	if d.StorageSRID == 0 {
		d.StorageSRID = SRID
	}
}

// Faults returns everything that keeps the definition from becoming a layer, at the
// members' JSON pointers.
func (d *Definition) Faults() Faults {
	var faults Faults
	if !identifier.MatchString(d.Name) || taken.MatchString(d.Name) {
		faults.Add("/name", "%.60q không dùng được làm tên lớp: chữ thường không dấu, chữ số và gạch dưới, bắt đầu bằng chữ, dài nhất %d ký tự, không phải tên dành riêng",
			"%.60q cannot be the name of a layer: lower-case letters, digits and underscores, a letter first, at most %d characters, no reserved name", d.Name, MaxNameBytes)
	}
	for i, text := range []geo.Text{d.Title, d.Doc} {
		if badText(text.VI) || badText(text.EN) {
			faults.Add([]string{"/title", "/description"}[i], "phải có văn bản tiếng Việt và tiếng Anh, mỗi bản không quá %d byte", "must have a text in Vietnamese and in English, each of at most %d bytes", MaxTextBytes)
		}
	}
	if !colour.MatchString(d.Colour) {
		faults.Add("/colour", "màu phải có dạng #rrggbb", "a colour has the form #rrggbb")
	}
	if _, ok := geo.LookupCRS(d.StorageSRID); !ok {
		faults.Add("/storage_srid", "không có hệ toạ độ EPSG:%d", "there is no reference system EPSG:%d", d.StorageSRID)
	}
	return append(faults, d.fieldFaults()...)
}

func badText(s string) bool {
	return strings.TrimSpace(s) == "" || len(s) > MaxTextBytes || !PlainText(s)
}

// PlainText reports whether the database's text can hold s: UTF-8 without NUL.
func PlainText(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

func (d *Definition) fieldFaults() Faults {
	var faults Faults
	if len(d.Fields) > MaxReferenceFields {
		faults.Add("/fields", "%d trường, nhiều nhất là %d", "%d fields, at most %d may be", len(d.Fields), MaxReferenceFields)
	}
	seen := ReservedFields()
	for _, f := range d.Fields {
		at := "/fields/" + f.Name
		if !identifier.MatchString(f.Name) || seen[f.Name] || !PlainText(f.Column) || badText(f.Title.VI) || badText(f.Title.EN) {
			faults.Add(at, "không dùng được làm tên trường, hoặc đã có", "cannot be the name of a field, or is there already")
		}
		if !slices.Contains(Kinds(), f.Kind) {
			faults.Add(at, "không có kiểu %q", "there is no kind %q", f.Kind)
		}
		seen[f.Name] = true
	}
	return faults
}

// ReservedFields are names that no field of a reference layer may have: those of the
// common fields, of what stands beside fields in tables and files, or is searched as a list
// of other names, and PostgreSQL's own.
func ReservedFields() map[string]bool {
	reserved := map[string]bool{GeometryName: true}
	for _, name := range []string{"id", "fid", "ogc_fid", "geom", "geom_stored", "aliases", "tableoid", "ctid", "xmin", "xmax", "cmin", "cmax"} {
		reserved[name] = true
	}
	for _, f := range commonFields() {
		reserved[f.Name] = true
	}
	return reserved
}

// Layer returns the layer that a definition makes. Its fields are recognised in a file by
// the names of their columns, and by their own where no other field's column is called so.
func (r Reference) Layer() Layer {
	l := Layer{
		Name: r.Name, Title: r.Title, Doc: r.Doc, Group: GroupReference, Geometry: r.Geometry, Colour: r.Colour,
		Fields: slices.Clone(commonFields()), Reference: &r,
	}
	columns := make([]string, len(l.Fields), len(l.Fields)+len(r.Fields))
	for i, f := range l.Fields {
		columns[i] = r.Common[f.Name]
	}
	for _, d := range r.Fields {
		columns = append(columns, d.Column)
		l.Fields = append(l.Fields, Field{Name: d.Name, Kind: d.Kind, Title: d.Title, Doc: t("Cột "+d.Column+" của tệp.", "Column "+d.Column+" of the file.")})
	}
	for i := range l.Fields {
		f := &l.Fields[i]
		f.Aliases, f.importAs = nil, []string{}
		if columns[i] != "" {
			f.importAs = append(f.importAs, columns[i])
		}
		if !slices.Contains(columns, f.Name) {
			f.importAs = append(f.importAs, f.Name)
		}
	}
	return l
}
