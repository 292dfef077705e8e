package httpapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/formats"
	"hatang/internal/intake"
	"hatang/internal/layer"
)

// Publisher makes reference layers of files, changes and withdraws them. Its methods
// return the errors of package layer, and of files those of package formats.
type Publisher interface {
	// Publish makes a layer; where Published has faults nothing was made.
	Publish(ctx context.Context, v account.Viewer, f File) (Published, error)
	ChangeLayer(ctx context.Context, v account.Viewer, name string, c layer.ReferenceChange) error
	WithdrawLayer(ctx context.Context, v account.Viewer, name string) error
}

// File is a file to be made a layer, and what is wished of it; "" and 0 for what the file
// says, or a rule.
type File struct {
	Path         string // where it is
	Source       string // what it is called
	Name         string
	Title, Doc   geo.Text
	Colour       string
	Code         string        // column that codes come from
	Table        string        // of a GeoPackage
	CRS          string        // of the file
	Reading      layer.Reading // how it is read otherwise: unshifted, header row, encoding, separator
	AllowOutside bool          // features outside the territory are taken, too
	StorageSRID  int           // of the layer
	StaffOnly    bool
	Jurisdiction string
}

// Published is the layer that was made of a file.
type Published struct {
	layer.Definition
	StaffOnly      bool
	Read           int // features
	NotTaken       []string
	HeightsDropped bool
	File           *intake.Report // what the file was found to mean
	Faults         layer.Faults   // of features, at pointers into the file
}

// Limits of files.
const (
	maxUploadBytes = 200 << 20
	uploadTime     = 10 * time.Minute // of its coming, and once more of the work on it
	maxUploads     = 2                // at a time
	ownUploads     = 1                // of one client

	// MaxFileFeatures is how many features a file may have.
	MaxFileFeatures = 1_000_000
	// MaxFileFaults is how many of a file's faults are told, and after how many features
	// with faults it is read no further.
	MaxFileFaults = 1000
)

// typeGeoPackage is the media type of GeoPackages.
const typeGeoPackage = "application/geopackage+sqlite3"

var uploadTypes = []string{typeGeoJSON, typeJSON, typeGeoPackage, "application/x-sqlite3", "application/octet-stream"}

// importTypes are the types under which files of any format are sent to be imported; what
// they are their contents say.
var importTypes = append(slices.Clone(uploadTypes), typeCSV, typeXLSX, "application/zip",
	"application/vnd.google-earth.kml+xml", "application/vnd.google-earth.kmz", "application/flatgeobuf", "application/geo+json-seq", "image/vnd.dxf")

func publishQuery() []string {
	return []string{"name", "title_vi", "title_en", "description_vi", "description_en", "colour", "code", "table", "crs", "axis", "unshifted", "header_row", "encoding", "separator", "allow_outside", "storage_crs", "visibility", "jurisdiction", "source"}
}

// publishLayer makes a layer of the file that is the body.
func (a *api) publishLayer(w http.ResponseWriter, r *request) error {
	f, faults := wishesOf(r)
	if len(faults) > 0 {
		return faultsProblem(invalidParameter, faults)
	}
	// The answer may come later than the server's time for it, which began with the headers.
	if err := unlessUnsupported(http.NewResponseController(w).SetWriteDeadline(time.Now().Add(2 * uploadTime))); err != nil {
		return err
	}
	var err error
	if f.Path, err = receive(w, r, maxUploadBytes); err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Path) }() // nobody finds it any more, whatever becomes of it
	ctx, cancel := context.WithTimeout(r.Context(), uploadTime)
	defer cancel()
	made, err := a.Publisher.Publish(ctx, r.viewer, f)
	if err != nil {
		return fileProblem(err)
	}
	if len(made.Faults) > 0 {
		return featuresProblem(made.Faults)
	}
	w.Header().Set("Location", a.href(r, "/collections/"+made.Name, nil))
	return reply(w, r, http.StatusCreated, made.document())
}

// wishesOf reads the parameters that say what layer is wanted.
func wishesOf(r *request) (File, layer.Faults) {
	var faults layer.Faults
	values := r.values
	f := File{
		Source: clip(values.Get("source")), Name: values.Get("name"), Colour: values.Get("colour"), Code: values.Get("code"), Table: values.Get("table"), CRS: values.Get("crs"),
		Title: geo.Text{VI: values.Get("title_vi"), EN: values.Get("title_en")}, Doc: geo.Text{VI: values.Get("description_vi"), EN: values.Get("description_en")},
		Jurisdiction: values.Get("jurisdiction"), StaffOnly: values.Get("visibility") == "staff",
	}
	for _, name := range publishQuery() {
		if !plainText(values.Get(name)) {
			faults.Add(name, "không phải văn bản UTF-8", "is no UTF-8 text")
		}
	}
	if f.Source == "" {
		f.Source = f.Name
	}
	parseCRS(values, "crs", &faults)
	f.StorageSRID = parseCRS(values, "storage_crs", &faults).SRID()
	switch values.Get("visibility") {
	case "", "public", "staff":
	default:
		faults.Add("visibility", "visibility phải là public hoặc staff", "visibility must be public or staff")
	}
	f.AllowOutside = flag(values, "allow_outside", &faults)
	if reading := readingIn(r, &layer.Layer{}, &faults); reading != nil {
		f.Reading = *reading
	}
	if f.Name == "" {
		faults.Add("name", "phải nêu tên của lớp: name", "the layer's name is needed: name")
	}
	return f, faults
}

// receive writes the body, of so many bytes at most, to a file of its own, whose path it returns.
func receive(w http.ResponseWriter, r *request, most int64) (path string, err error) {
	if r.ContentLength > most {
		return "", &http.MaxBytesError{Limit: most}
	}
	file, err := os.CreateTemp("", "hatang-upload-*")
	if err != nil {
		return "", err
	}
	body := &pacedBody{body: r.Body, paced: paced{http.NewResponseController(w), bodyPaceTime}, bytes: bodyPaceBytes, until: time.Now().Add(uploadTime)}
	_, err = io.Copy(file, http.MaxBytesReader(w, body, most))
	var tooLarge *http.MaxBytesError
	var onDisk *os.PathError
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = problem(tooSlow, "Nội dung gửi lên đến quá chậm.", "The body came too slowly.")
	} else if err != nil && !errors.As(err, &tooLarge) && !errors.As(err, &onDisk) {
		err = problem(unreadableBody, "Nội dung gửi lên bị đứt giữa chừng.", "The body broke off.")
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return "", errors.Join(err, os.Remove(file.Name()))
	}
	return file.Name(), nil
}

// fileProblem says what kept a file from becoming a layer.
func fileProblem(err error) error {
	var which *formats.WhichTableError
	var invalid *layer.InvalidError
	switch {
	case errors.As(err, &which):
		list := strings.Join(which.Tables, ", ")
		return parameterFault("table", "GeoPackage có nhiều bảng, hãy nêu một trong: "+list, "the GeoPackage has several tables, name one of: "+list)
	case errors.Is(err, formats.ErrUnknownFormat):
		return problem(unreadableBody, "Tệp không phải GeoJSON, cũng không phải GeoPackage.", "The file is neither GeoJSON nor a GeoPackage.")
	case errors.Is(err, formats.ErrNotGeoJSON):
		return problem(unreadableBody, "Tệp không phải GeoJSON đúng.", "The file is not GeoJSON, or is broken.")
	case errors.Is(err, formats.ErrNotGeoPackage):
		return problem(unreadableBody, "Tệp không phải GeoPackage đúng.", "The file is not a GeoPackage, or is broken.")
	case errors.Is(err, formats.ErrEmpty):
		return problem(unreadableBody, "Tệp không có đối tượng nào.", "The file holds no features.")
	case errors.Is(err, geo.ErrUnknownCRS):
		return parameterFault("crs", "tệp không nêu hệ tọa độ, hoặc nêu hệ không có ở đây: hãy nêu crs", "the file names no reference system, or one that is not known here: give crs")
	case errors.Is(err, layer.ErrNameTaken):
		return problem(conflict, "Tên này đã có; hãy chọn tên khác.", "The name is taken; choose another.")
	case errors.Is(err, layer.ErrTooManyLayers):
		return problem(conflict, fmt.Sprintf("Đã có %d lớp tham khảo; hãy gỡ bớt.", layer.MaxReferences), fmt.Sprintf("There are %d reference layers already; withdraw some.", layer.MaxReferences))
	case errors.As(err, &invalid):
		return faultsProblem(invalidParameter, atParameters(invalid.Faults))
	}
	return err
}

// atParameters puts the faults of a definition where the parameters said it.
func atParameters(faults layer.Faults) layer.Faults {
	at := map[string]string{"/name": "name", "/title": "title_vi", "/description": "description_vi", "/colour": "colour", "/storage_srid": "storage_crs"}
	for i, f := range faults {
		if name, ok := at[f.At]; ok {
			faults[i].At = name
		}
	}
	return faults
}

// featuresProblem lists the faults of a file's features, as many as can be of use.
func featuresProblem(faults layer.Faults) error {
	p := faultsProblem(invalidBody, faults[:min(len(faults), MaxFileFaults)])
	p.Detail = geo.Text{
		VI: fmt.Sprintf("Không có gì được lưu. Đã thấy %d lỗi trong tệp; danh sách nêu %d lỗi đầu.", len(faults), len(p.Faults)),
		EN: fmt.Sprintf("Nothing was stored. %d faults were found in the file; the first %d are listed.", len(faults), len(p.Faults)),
	}
	return p
}

// document is what is told of a layer that was made.
func (p Published) document() map[string]any {
	fields := []map[string]any{}
	for _, f := range p.Fields {
		fields = append(fields, map[string]any{"name": f.Name, "kind": f.Kind, "column": f.Column})
	}
	return map[string]any{
		"collection": p.Name, "title": p.Title, "geometryType": p.Geometry, "visibility": visibility(p.StaffOnly), "features": p.Read,
		"fields": fields, "common_fields": p.Common, "code_of": p.CodeOf, "columns_not_taken": append([]string{}, p.NotTaken...), "heights_dropped": p.HeightsDropped, "file": p.File,
	}
}

func visibility(staffOnly bool) string {
	if staffOnly {
		return "staff"
	}
	return "public"
}
