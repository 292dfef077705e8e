package tables

import (
	"bytes"
	"context"
	"regexp"
	"strings"

	"golang.org/x/text/encoding/unicode"

	"hatang/internal/layer"
)

// Open opens a file of whatever format it is and finds out what it must know before its
// rows are read. Errors that are the file's are *layer.ValueError, those that need a table
// to be named *WhichError; others are the system's.
func Open(ctx context.Context, path string, o Options) (Table, error) {
	if o.HeaderRow > MaxHeaderRow {
		return nil, layer.Wrong("dòng tiêu đề phải trong %d dòng đầu", "the row of names must be one of the first %d", MaxHeaderRow)
	}
	f, err := onDisk(path)
	if err != nil {
		return nil, err
	}
	start, err := f.head(ctx, headBytes)
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(start, []byte("PK\x03\x04")) || bytes.HasPrefix(start, []byte("PK\x05\x06")) {
		return openZIP(ctx, path, o)
	}
	if o.BytesRead != nil {
		f = f.counted(o.BytesRead)
	}
	return openFile(ctx, f, start, o)
}

// headBytes is how much of a file's start is looked at to know its format.
const headBytes = 64 << 10

// reader is a format that is read.
type reader struct {
	is   func(start []byte) bool
	open func(ctx context.Context, f file, o Options) (Table, error)
}

// readers are the formats of single files, but for text in lines, which nothing marks.
func readers() []reader {
	return []reader{
		{begins(sqliteMagic), openGeoPackage},
		{begins(fgbMagic), openFGB},
		{isShapefile, openShapefile},
		{matches(`(?i)^version\s+\d+\s*\r?\n`), openMIF},
		{matches(`^(999[ \t]*\r?\n.*\r?\n\s*)*0[ \t]*\r?\nSECTION`), openDXF},
		{isGeoJSON, openGeoJSON},
		{isDBF, openDBFTable},
		{matches(`(?s)^(<\?xml.*?\?>\s*)?(<!--.*?-->\s*|<!DOCTYPE[^>]*>\s*)*<(\w+:)?kml[\s/>]`), openKML},
	}
}

// openFile opens a file by what it starts with.
func openFile(ctx context.Context, f file, start []byte, o Options) (Table, error) {
	if len(start) == 0 {
		return nil, errNothing()
	}
	for _, r := range readers() {
		if r.is(start) {
			return r.open(ctx, f, o)
		}
	}
	if err := refuse(start); err != nil {
		return nil, err
	}
	return openCSV(ctx, f, o)
}

// begins is a test of a file's first bytes.
func begins(marks ...string) func([]byte) bool {
	return func(start []byte) bool {
		for _, m := range marks {
			if bytes.HasPrefix(start, []byte(m)) {
				return true
			}
		}
		return false
	}
}

// matches is a test of a file's start as text.
func matches(pattern string) func([]byte) bool {
	compiled := regexp.MustCompile(pattern)
	return func(start []byte) bool { return compiled.Match(text(start)) }
}

// text is the start of a file without a mark and blanks before it.
func text(start []byte) []byte {
	return bytes.TrimLeft(bytes.TrimPrefix(start, []byte("\ufeff")), " \t\r\n")
}

// refused is a format that is known and not read.
type refused struct {
	is   func(start []byte) bool
	name string
	how  string // a command that makes of it what is read, "" for the words
	vi   string
	en   string
}

const (
	excel   = "hãy mở bằng Excel rồi lưu thành .xlsx"
	excelEN = "open it in Excel and save it as .xlsx"
	zipVI   = "hãy giải nén rồi nén lại thành .zip"
	zipEN   = "unpack it and pack it as .zip"
)

// notRead are the formats that are told from text and refused with a way round.
func notRead() []refused {
	contains := func(word string) func([]byte) bool {
		wide, _ := unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewEncoder().Bytes([]byte(word))
		return func(start []byte) bool {
			return begins("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")(start) && bytes.Contains(start, wide)
		}
	}
	return []refused{
		{is: matches(`(?i)^!table`), name: "MapInfo TAB", how: "ogr2ogr -f GPKG out.gpkg in.tab"},
		{is: begins("\x08\x05\x17\x00", "\x08\x09\xfe\x02", "\xc8\x09\xfe\x02"), name: "MicroStation DGN", how: "ogr2ogr -f GPKG out.gpkg in.dgn"},
		{is: contains("EncryptedPackage"), name: "Excel (mật khẩu / password)", vi: "hãy bỏ mật khẩu rồi lưu lại", en: "take the password off and save it again"},
		{is: contains("Dgn"), name: "MicroStation DGN V8", vi: "hãy lưu thành DGN V7 hoặc DXF trong MicroStation; DGN V7: ogr2ogr -f GPKG out.gpkg in.dgn",
			en: "save it as DXF, or as DGN V7, in MicroStation; of DGN V7: ogr2ogr -f GPKG out.gpkg in.dgn"},
		{is: contains("Workbook"), name: "Excel 97–2003 (.xls)", how: "ogr2ogr -f XLSX out.xlsx in.xls", vi: excel, en: excelEN},
		{is: begins("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), name: "Excel 97–2003 (.xls), Office, DGN V8", how: "ogr2ogr -f XLSX out.xlsx in.xls", vi: excel, en: excelEN},
		{is: begins("\x00\x01\x00\x00Standard"), name: "Microsoft Access (.mdb, .accdb)", how: "ogr2ogr -f GPKG out.gpkg in.mdb"},
		{is: begins("Rar!\x1a\x07"), name: "RAR", vi: zipVI, en: zipEN},
		{is: begins("7z\xbc\xaf\x27\x1c"), name: "7-Zip", vi: zipVI, en: zipEN},
		{is: begins("\x1f\x8b", "BZh", "\xfd7zXZ", "\x28\xb5\x2f\xfd"), name: "gzip, bzip2, xz, zstd", vi: zipVI, en: zipEN},
		{is: begins("AutoCAD Binary DXF"), name: "DXF (nhị phân / binary)", vi: "hãy lưu thành DXF dạng văn bản (ASCII)", en: "save it as a DXF of text (ASCII)"},
		{is: begins("AC10"), name: "AutoCAD DWG", vi: "hãy lưu thành DXF trong AutoCAD", en: "save it as DXF in AutoCAD"},
		{is: begins("%PDF"), name: "PDF", vi: "hãy gửi dữ liệu gốc", en: "send the data it was made of"},
		{is: matches(`(?i)^(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*(<!doctype html|<html|<table)`), name: "HTML", vi: excel, en: excelEN},
		{is: matches(`(?i)^<\?xml[^>]*>\s*<\?mso-application|^<\?xml[^>]*>\s*<(ss:)?workbook`), name: "Excel 2003 XML", vi: excel, en: excelEN},
		{is: matches(`^<[^>]*>?[^<]*(<!--[^>]*-->\s*)*<?[^>]*(opengis\.net/gml|FeatureCollection)`), name: "GML", how: "ogr2ogr -f GPKG out.gpkg in.gml"},
		{is: matches(`<gpx[ >]`), name: "GPX", how: "ogr2ogr -f GPKG out.gpkg in.gpx"},
		{is: matches(`^<(\?xml|[A-Za-z:]+[ >])`), name: "XML", how: "ogr2ogr -f GPKG out.gpkg in.xml"},
		{is: begins("\x89PNG", "\xff\xd8\xff", "II*\x00", "MM\x00*", "GIF8"), name: "ảnh / image", vi: "hãy gửi dữ liệu gốc", en: "send the data it was made of"},
		{is: begins("PAR1"), name: "Parquet", how: "ogr2ogr -f GPKG out.gpkg in.parquet"},
	}
}

// refuse says of a format that is known and not read how to make another of it; nil for one
// that is not known.
func refuse(start []byte) error {
	for _, r := range notRead() {
		if !r.is(start) {
			continue
		}
		vi, en := r.vi, r.en
		if r.how != "" {
			vi, en = alternative(vi, " hoặc ")+"hãy chuyển đổi: "+r.how, alternative(en, " or ")+"convert it: "+r.how
		}
		return layer.Wrong("không đọc tệp dạng %[1]s; %[2]s", "files of the format %[1]s are not read; %[3]s", r.name, vi, en)
	}
	if isWide(start) {
		decoded, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder().Bytes(start[:len(start)&^1])
		if err == nil && strings.ContainsAny(string(text(decoded)[:min(1, len(text(decoded)))]), "<{") {
			return layer.Wrong("tệp viết bằng UTF-16: hãy lưu thành UTF-8", "the file is written in UTF-16: save it as UTF-8")
		}
	}
	return nil
}

func alternative(words, or string) string {
	if words == "" {
		return ""
	}
	return words + or
}
