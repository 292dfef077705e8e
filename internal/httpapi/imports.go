package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/formats"
	"hatang/internal/intake"
	"hatang/internal/layer"
)

// Importer keeps files that come into layers while nobody waits for them. Every method but the
// first knows only the viewer's own, for an administrator all, and returns ErrNotFound for
// others.
type Importer interface {
	Mappings
	// AddImport keeps the file at path, to be imported; ErrConflict while another of the
	// viewer's is under way.
	AddImport(ctx context.Context, v account.Viewer, l *layer.Layer, n layer.NewImport, path string) (id int64, err error)
	// Imports returns at most so many, the newest first, behind the one of the id where that is not 0.
	Imports(ctx context.Context, v account.Viewer, after int64, limit int) ([]layer.Import, error)
	ImportOf(ctx context.Context, v account.Viewer, id int64) (layer.Import, error)
	// ImportCorrections returns the rows that an import has refused, intake.Corrections as JSON;
	// ErrNotFound where there are none.
	ImportCorrections(ctx context.Context, v account.Viewer, id int64) ([]byte, error)
	// CancelImport returns when nothing of it is left; ErrConflict for one that is over.
	CancelImport(ctx context.Context, v account.Viewer, id int64) error
}

// Imports of a page.
const (
	defaultImports = 100
	mostImports    = 1000
)

// Limits of imports: of one user under way, and that one server works on at a time. How many
// of one user are remembered is layer.KeptImports.
const (
	OwnImports    = 1
	ServerImports = 2
)

func importQuery() []string {
	return []string{"collection", "dry_run", "on_conflict", "in_force", "good_rows", "crs", "table", "jurisdiction", "own_sites", "complete", "accept_gaps", "accept_overlaps", "mapping", "source", "axis", "unshifted", "allow_outside", "strict", "header_row", "encoding", "separator"}
}

// onConflicts are what an import may do with codes that are there already.
var onConflicts = []string{"update", "skip", "fail"}

// importDocument is an import with its pace and its addresses.
type importDocument struct {
	layer.Import
	Pace  importPace `json:"pace"`
	Links []link     `json:"links"`
}

// importPace is how fast an import is; null while nobody knows, and once it is over.
type importPace struct {
	DoneRatio float64  `json:"done_ratio"`
	RowsPerS  *float64 `json:"rows_per_s"`
	LeftS     *float64 `json:"left_s"`
}

func (a *api) importOf(r *request, i layer.Import) importDocument {
	d := importDocument{Import: i, Pace: importPace{DoneRatio: i.Progress.Done(i.Bytes)}, Links: []link{
		{Href: a.href(r, importPath(i.ID), nil), Rel: "self", Type: typeJSON}, {Href: a.href(r, "/collections/"+i.Collection, nil), Rel: "about", Type: typeJSON}}}
	if i.Report != nil && i.Report.Corrections != nil {
		for n, f := range correctionFormats {
			d.Links = append(d.Links, link{Href: a.href(r, importPath(i.ID)+"/corrections", url.Values{"f": {f}}), Rel: "enclosure", Type: correctionTypes[n],
				Title: geo.Text{VI: "Các hàng bị từ chối, để sửa và gửi lại", EN: "The refused rows, to be filled in and sent back"}.In(r.language())})
		}
	}
	switch {
	case i.State == layer.ImportDone:
		d.Pace.DoneRatio = 1
	case !i.State.Over() && i.State != layer.ImportWaiting:
		if rate, left, ok := i.Progress.Pace(i.Bytes); ok {
			rate, leftS := math.Round(rate), math.Ceil(left.Seconds())
			d.Pace.RowsPerS, d.Pace.LeftS = &rate, &leftS
		}
	}
	return d
}

func importPath(id int64) string { return "/imports/" + strconv.FormatInt(id, 10) }

// addImport keeps the file that is the body, to be imported by whichever server has a turn.
func (a *api) addImport(w http.ResponseWriter, r *request) error {
	l, n, faults := wishesOfImport(r)
	if len(faults) > 0 {
		return faultsProblem(invalidParameter, faults)
	}
	err := mayWrite(r.viewer, l)
	if err != nil {
		return err
	}
	if n.Wishes.Complete && !r.viewer.Pen(l.Name).All {
		return problem(forbidden, "Cả cơ cấu đơn vị chỉ do người được sửa lớp này trên toàn địa bàn nhập.", "The structure of a level of units is brought in by those who may write all of them.")
	}
	saved, err := a.readingOf(r, l, n.Wishes.Mapping)
	if err != nil {
		return err
	}
	if saved != nil {
		reading := saved
		if n.Wishes.Reading != nil {
			asked := n.Wishes.Reading.Over(*saved)
			reading = &asked
		}
		n.Wishes.Reading = reading
	}
	// The answer may come later than the server's time for it, which began with the headers.
	if err := unlessUnsupported(http.NewResponseController(w).SetWriteDeadline(time.Now().Add(2 * uploadTime))); err != nil {
		return err
	}
	path, err := receive(w, r, maxUploadBytes)
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(path) }() // nobody finds it any more, whatever becomes of it
	ctx, cancel := context.WithTimeout(r.Context(), uploadTime)
	defer cancel()
	id, err := a.Importer.AddImport(ctx, r.viewer, l, n, path)
	if errors.Is(err, layer.ErrConflict) {
		return problem(conflict, "Bạn đang có một tệp chờ nhập hoặc đang được nhập; hãy đợi, hoặc hủy nó: /imports.", "You have a file that waits or is being imported; wait for it, or cancel it: /imports.")
	}
	if err != nil {
		return err
	}
	w.Header().Set("Location", a.href(r, importPath(id), nil))
	return reply(w, r, http.StatusAccepted, map[string]int64{"id": id})
}

// wishesOfImport reads the parameters of an import, all faults of them at once.
func wishesOfImport(r *request) (*layer.Layer, layer.NewImport, layer.Faults) {
	var faults layer.Faults
	for _, name := range importQuery() {
		if !plainText(r.values.Get(name)) {
			faults.Add(name, "không phải văn bản UTF-8", "is no UTF-8 text")
		}
	}
	collection := r.values.Get("collection")
	l, known := r.layers.Get(collection)
	switch {
	case collection == "":
		faults.Add("collection", "phải nêu lớp: collection", "the collection is needed: collection")
	case !known:
		faults.Add("collection", "không có lớp %q", "there is no collection %q", clip(collection))
	}
	wishes := layer.ImportWishes{DryRun: flag(r.values, "dry_run", &faults), GoodRows: flag(r.values, "good_rows", &faults), OnConflict: onConflicts[0],
		CRS: r.values.Get("crs"), Table: r.values.Get("table"), Jurisdiction: r.values.Get("jurisdiction"), OwnSites: r.values.Get("own_sites"), Mapping: norm.NFC.String(r.values.Get("mapping"))}
	if wishes.OwnSites != "" && (collection != "operator_positions" || !slices.Contains(geo.MastTypes(), geo.MastType(wishes.OwnSites))) {
		faults.Add("own_sites", "own_sites là loại cột (%s), dành cho operator_positions", "own_sites is a mast type (%s), for operator_positions", joined(geo.MastTypes()))
	}
	wishes.Complete, wishes.AcceptGaps, wishes.AcceptOverlaps = flag(r.values, "complete", &faults), flag(r.values, "accept_gaps", &faults), flag(r.values, "accept_overlaps", &faults)
	if r.values.Has("on_conflict") {
		wishes.OnConflict = r.values.Get("on_conflict")
		if !slices.Contains(onConflicts, wishes.OnConflict) {
			faults.Add("on_conflict", "on_conflict phải là một trong: %s", "on_conflict must be one of: %s", joined(onConflicts))
		}
	}
	if r.values.Has("in_force") {
		var err error
		if wishes.InForce, err = geo.ParseDate(r.values.Get("in_force")); err != nil {
			faults.Add("in_force", "in_force phải là ngày dạng YYYY-MM-DD", "in_force must be a date of the form YYYY-MM-DD")
		}
	}
	wishes.AllowOutside, wishes.Strict = flag(r.values, "allow_outside", &faults), flag(r.values, "strict", &faults)
	if known {
		wishes.Reading = readingIn(r, l, &faults)
	}
	wholeStructure(wishes, collection, &faults)
	if wishes.AcceptOverlaps && known {
		if _, asked := l.Coverage(); !asked {
			faults.Add("accept_overlaps", "accept_overlaps dành cho đơn vị hành chính và các lớp vùng", "accept_overlaps is for administrative units and zones")
		}
	}
	parseCRS(r.values, "crs", &faults)
	name := clip(r.values.Get("source"))
	if name == "" {
		name = collection
	}
	return l, layer.NewImport{Collection: collection, FileName: name, Wishes: wishes}, faults
}

// readingIn is how the parameters say that a file is read, beside its table and its reference
// system; nil where they say nothing.
func readingIn(r *request, l *layer.Layer, faults *layer.Faults) *layer.Reading {
	reading := layer.Reading{Axis: r.values.Get("axis"), Unshifted: optionalFlag(r.values, "unshifted", faults), HeaderRow: int(numberIn(r, "header_row", 0, 1<<20, faults)),
		Encoding: r.values.Get("encoding"), Separator: r.values.Get("separator")}
	for _, f := range intake.CheckReading(l, reading) {
		*faults = append(*faults, layer.Fault{At: strings.TrimPrefix(f.At, "/"), Detail: f.Detail})
	}
	if reflect.ValueOf(reading).IsZero() {
		return nil
	}
	return &reading
}

// wholeStructure adds what is wrong with wishes for the whole structure of a level of units.
func wholeStructure(w layer.ImportWishes, collection string, faults *layer.Faults) {
	if w.Complete && (layer.LevelOf(collection) == "" || w.InForce.IsZero()) {
		faults.Add("complete", "complete là thay đổi cả cơ cấu đơn vị: cần in_force, và dành cho provinces, districts, communes", "complete is a change of a structure of units: it needs in_force, and is for provinces, districts and communes")
	}
	if w.AcceptGaps && !w.Complete {
		faults.Add("accept_gaps", "accept_gaps đi cùng complete; các lần nhập khác nêu chỗ hở và không từ chối", "accept_gaps goes with complete; other imports tell of gaps and refuse none")
	}
}

// flag reads a parameter that is true or false, false where it is not given.
func flag(values url.Values, name string, faults *layer.Faults) bool {
	switch values.Get(name) {
	case "true":
		return true
	case "false":
		return false
	}
	if values.Has(name) {
		faults.Add(name, "%s phải là true hoặc false", "%s must be true or false", name)
	}
	return false
}

// optionalFlag reads a parameter that is true or false, nil where it is not given.
func optionalFlag(values url.Values, name string, faults *layer.Faults) *bool {
	if !values.Has(name) {
		return nil
	}
	said := flag(values, name, faults)
	return &said
}

// listImports lists the viewer's imports, the newest first; to administrators all.
func (a *api) listImports(w http.ResponseWriter, r *request) error {
	var faults layer.Faults
	after, limit := numberIn(r, "after", 0, 1<<62, &faults), int(numberIn(r, "limit", defaultImports, mostImports, &faults))
	if len(faults) > 0 {
		return faultsProblem(invalidParameter, faults)
	}
	found, err := a.Importer.Imports(r.Context(), r.viewer, after, limit+1) // whether there are more
	if err != nil {
		return err
	}
	links := []link{}
	if len(found) > limit {
		found = found[:limit]
		next := url.Values{"limit": {strconv.Itoa(limit)}, "after": {strconv.FormatInt(found[limit-1].ID, 10)}}
		links = append(links, link{Href: a.href(r, "/imports", next), Rel: "next", Type: typeJSON})
	}
	list := make([]importDocument, len(found))
	for i := range found {
		shorten(found[i].Report)
		list[i] = a.importOf(r, found[i])
	}
	return reply(w, r, http.StatusOK, map[string]any{"imports": list, "links": links})
}

// shorten leaves out of a report what the import's own document lists.
func shorten(r *layer.ImportReport) {
	if r == nil {
		return
	}
	r.Refused, r.File, r.Changes = []layer.RefusedRow{}, nil, nil
	if r.Areas != nil {
		r.Areas.NewOverlaps.Largest = []layer.Defect{}
	}
	if r.Areas != nil && r.Areas.Coverage != nil {
		r.Areas.Coverage.Overlaps.Largest, r.Areas.Coverage.Gaps.Largest = []layer.Defect{}, []layer.Defect{}
	}
}

func (a *api) showImport(w http.ResponseWriter, r *request) error {
	id, err := numberOf(r, "importId")
	if err != nil {
		return err
	}
	i, err := a.Importer.ImportOf(r.Context(), r.viewer, id)
	if err != nil {
		return err
	}
	return reply(w, r, http.StatusOK, a.importOf(r, i))
}

// How the rows that an import has refused are sent: by media type, and by f.
var (
	correctionTypes   = []string{typeCSV, typeXLSX}
	correctionFormats = []string{"csv", "xlsx"}
)

// sendCorrections sends the rows that an import has refused, to be filled in and sent back.
func (a *api) sendCorrections(w http.ResponseWriter, r *request) error {
	id, err := numberOf(r, "importId")
	if err != nil {
		return err
	}
	raw, err := a.Importer.ImportCorrections(r.Context(), r.viewer, id)
	if err != nil {
		return err
	}
	var c intake.Corrections
	if err := json.Unmarshal(raw, &c); err != nil {
		return fmt.Errorf("read the rows that import %d has refused: %w", id, err)
	}
	mediaType := preferred(r.Header.Get("Accept"), correctionTypes)
	if i := slices.Index(correctionFormats, r.values.Get("f")); i >= 0 {
		mediaType = correctionTypes[i]
	}
	var body bytes.Buffer
	name := "corrections.csv"
	if mediaType == typeXLSX {
		name = "corrections.xlsx"
		err = formats.WriteTable(&body, c.Sheet(r.language()), func(rows io.Writer) error { return c.WriteRows(rows, r.language()) })
	} else {
		err = c.WriteCSV(&body, r.language())
	}
	var long *formats.UnfitError
	if errors.As(err, &long) {
		return parameterFault("f", "Có ô dài hơn 32 767 ký tự, Excel không chứa được: hãy chọn f=csv.", "A cell has more than the 32 767 characters that Excel can hold: choose f=csv.")
	}
	if err != nil {
		return err
	}
	w.Header()["Cache-Control"] = noStore
	w.Header().Set("Content-Language", r.language())
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	sendStatus(w, r, http.StatusOK, mediaType, body.Bytes())
	return nil
}

// cancelImport answers when nothing of the import is left.
func (a *api) cancelImport(w http.ResponseWriter, r *request) error {
	id, err := numberOf(r, "importId")
	if err != nil {
		return err
	}
	if err = a.Importer.CancelImport(r.Context(), r.viewer, id); errors.Is(err, layer.ErrConflict) {
		return problem(conflict, "Lần nhập này đã kết thúc; không hủy được nữa.", "The import is over; it cannot be cancelled any more.")
	}
	if err != nil {
		return err
	}
	return done(w)
}

// FileFaults says what is wrong with a file that could not be read; nothing of other errors.
func FileFaults(err error) layer.Faults {
	var invalid *layer.InvalidError
	var known *problemError
	if errors.As(err, &invalid) || !errors.As(fileProblem(err), &known) {
		return nil
	}
	if len(known.Faults) > 0 {
		return known.Faults
	}
	return layer.Faults{{Detail: known.Detail}}
}
