package permit

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"hatang/internal/layer"
)

// attachable is a kind of file that may be attached: its name ends so, its media type is
// that, and its content is looked at.
type attachable struct {
	ends      string
	mediaType string
	is        func(io.ReaderAt, int64) bool
}

// attachables are all kinds. What browsers run or draw as a page is none of them.
func attachables() []attachable {
	const office = "application/vnd.openxmlformats-officedocument."
	const opendoc = "application/vnd.oasis.opendocument."
	ole := "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"
	return []attachable{
		{".pdf", "application/pdf", begins("%PDF-")},
		{".png", "image/png", begins("\x89PNG\r\n\x1a\n")},
		{".jpg", "image/jpeg", begins("\xFF\xD8\xFF")}, {".jpeg", "image/jpeg", begins("\xFF\xD8\xFF")},
		{".tif", "image/tiff", begins("II*\x00", "MM\x00*")}, {".tiff", "image/tiff", begins("II*\x00", "MM\x00*")},
		{".webp", "image/webp", begins("RIFF")},
		{".docx", office + "wordprocessingml.document", holds("word/document.xml")},
		{".xlsx", office + "spreadsheetml.sheet", holds("xl/workbook.xml")},
		{".pptx", office + "presentationml.presentation", holds("ppt/presentation.xml")},
		{".odt", opendoc + "text", holds("content.xml")}, {".ods", opendoc + "spreadsheet", holds("content.xml")},
		{".doc", "application/msword", begins(ole)}, {".xls", "application/vnd.ms-excel", begins(ole)}, {".ppt", "application/vnd.ms-powerpoint", begins(ole)},
		{".dwg", "image/vnd.dwg", begins("AC10")},
		{".dxf", "image/vnd.dxf", isDXF},
		{".gpkg", "application/geopackage+sqlite3", begins("SQLite format 3\x00")},
		{".fgb", "application/flatgeobuf", begins("fgb")},
		{".kml", "application/vnd.google-earth.kml+xml", isText("<kml")}, {".kmz", "application/vnd.google-earth.kmz", holds("")},
		{".geojson", "application/geo+json", isJSON}, {".json", "application/json", isJSON},
		{".csv", "text/csv", isText("")}, {".txt", "text/plain", isText("")},
		{".zip", "application/zip", holds("")},
	}
}

// AttachmentTypes lists the media types of what may be attached, each once.
func AttachmentTypes() []string {
	var types []string
	for _, a := range attachables() {
		if !slices.Contains(types, a.mediaType) {
			types = append(types, a.mediaType)
		}
	}
	return types
}

// MediaTypeOf returns the media type of a file of so many bytes, by the end of its name and
// by its content, which must agree, whatever its sender calls it. *layer.InvalidError where
// they do not, where it is of no kind that may be attached, and for an empty one.
func MediaTypeOf(name string, content io.ReaderAt, size int64) (string, error) {
	var faults layer.Faults
	kinds := attachables()
	i := slices.IndexFunc(kinds, func(a attachable) bool { return a.ends == strings.ToLower(path.Ext(name)) })
	switch {
	case size == 0:
		faults.Add("", "tệp rỗng", "the file is empty")
	case i < 0:
		ends := make([]string, len(kinds))
		for j, a := range kinds {
			ends[j] = a.ends
		}
		faults.Add("name", "không đính kèm được loại tệp này; các loại: %s", "files of this kind cannot be attached; there are: %s", strings.Join(ends, " "))
	case !kinds[i].is(content, size):
		faults.Add("", "nội dung không phải của tệp %s", "the content is not that of a %s file", kinds[i].ends)
	default:
		return kinds[i].mediaType, nil
	}
	return "", faults.Err()
}

// CheckAttachmentName returns the name of a file in NFC, without spaces around it, and adds
// what is wrong with it: every system can keep a file under it, it names no folder, and
// shows as it is.
func CheckAttachmentName(name string, faults *layer.Faults) string {
	if !utf8.ValidString(name) {
		faults.Add("name", "không phải văn bản UTF-8", "is no UTF-8 text")
		return ""
	}
	name = norm.NFC.String(strings.TrimSpace(name))
	bare, _, _ := strings.Cut(strings.ToUpper(name), ".")
	switch {
	case name == "" || utf8.RuneCountInString(name) > MaxAttachmentNameRunes || len(name) > maxAttachmentNameBytes:
		faults.Add("name", "tên tệp phải có từ 1 đến %d ký tự, không quá %d byte", "the file's name must have 1 to %d characters, and at most %d bytes", MaxAttachmentNameRunes, maxAttachmentNameBytes)
	case strings.ContainsAny(name, `/\:*?"<>|`) || strings.ContainsFunc(name, unshown) || strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") || reserved(bare):
		faults.Add("name", `tên tệp không được có / \ : * ? " < > | hay ký tự điều khiển, không bắt đầu hay kết thúc bằng dấu chấm, không phải tên riêng của hệ thống`,
			`the file's name must not have / \ : * ? " < > | or characters of control, begin or end with a dot, or be one that systems keep for themselves`)
	}
	return name
}

// unshown reports whether a character is not shown, or changes how others are.
func unshown(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || !unicode.IsGraphic(r)
}

// reserved reports whether Windows keeps the name for a device.
func reserved(bare string) bool {
	if slices.Contains([]string{"CON", "PRN", "AUX", "NUL"}, bare) {
		return true
	}
	return len(bare) == len("COM1") && (strings.HasPrefix(bare, "COM") || strings.HasPrefix(bare, "LPT")) && bare[3] >= '0' && bare[3] <= '9'
}

// head is the beginning of a content, so much of it at most.
func head(content io.ReaderAt, size int64, most int) []byte {
	first := make([]byte, min(size, int64(most)))
	n, err := content.ReadAt(first, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil
	}
	return first[:n]
}

// begins is about contents that begin with any of the marks.
func begins(marks ...string) func(io.ReaderAt, int64) bool {
	return func(content io.ReaderAt, size int64) bool {
		first := head(content, size, attachmentSniffedAtFirst)
		return slices.ContainsFunc(marks, func(mark string) bool { return bytes.HasPrefix(first, []byte(mark)) })
	}
}

// holds is about ZIP archives with an entry, "" for any; those with macros are none.
func holds(entry string) func(io.ReaderAt, int64) bool {
	return func(content io.ReaderAt, size int64) bool {
		// An archive may lie about how many it has, so they are counted before they are read.
		if n := bytes.Count(head(content, size, MaxAttachmentBytes), []byte("PK\x01\x02")); n == 0 || n > maxArchiveEntries {
			return false
		}
		archive, err := zip.NewReader(content, size)
		if err != nil {
			return false
		}
		found := entry == ""
		for _, f := range archive.File {
			found = found || f.Name == entry
			if strings.HasSuffix(f.Name, "vbaProject.bin") {
				return false
			}
		}
		return found
	}
}

// isDXF is about drawings, as text in whatever encoding or binary.
func isDXF(content io.ReaderAt, size int64) bool {
	first := head(content, size, attachmentSniffedAtFirst)
	if bytes.HasPrefix(first, []byte("AutoCAD Binary DXF")) {
		return true
	}
	words := bytes.Fields(first)
	return len(words) > 1 && (string(words[0]) == "0" && string(words[1]) == "SECTION" || string(words[0]) == "999")
}

// isText is about UTF-8 text without other characters of control than those of lines, in
// whose beginning the mark stands.
func isText(mark string) func(io.ReaderAt, int64) bool {
	return func(content io.ReaderAt, size int64) bool {
		all := head(content, size, MaxAttachmentBytes)
		return int64(len(all)) == size && utf8.Valid(all) && !bytes.ContainsFunc(all, func(r rune) bool { return unicode.IsControl(r) && !strings.ContainsRune("\t\r\n\f", r) }) &&
			bytes.Contains(all[:min(len(all), attachmentSniffedAtFirst)], []byte(mark))
	}
}

// isJSON is about one JSON value.
func isJSON(content io.ReaderAt, size int64) bool {
	all := head(content, size, MaxAttachmentBytes)
	return int64(len(all)) == size && utf8.Valid(all) && json.Valid(bytes.TrimPrefix(all, []byte("\uFEFF")))
}
