package tables

import (
	"archive/zip"
	"context"
	"errors"
	"path"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"hatang/internal/layer"
)

// openZIP opens an archive: a workbook, or the one file in it that is meant.
func openZIP(ctx context.Context, path string, o Options) (_ Table, err error) {
	a, err := openArchive(path)
	if err != nil {
		return nil, err
	}
	table, err := a.table(ctx, o)
	if err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return table, nil
}

// companions are the endings of files that belong to others, and say nothing alone.
var companions = []string{".dbf", ".shx", ".prj", ".cpg", ".sbn", ".sbx", ".qpj", ".qix", ".qmd", ".idx", ".mid", ".map", ".dat", ".id", ".ind", ".xml", ".xsd", ".qgs", ".qml", ".lyr", ".mxd", ".sld",
	".pdf", ".doc", ".docx", ".png", ".jpg", ".jpeg", ".gif", ".md", ".rtf"}

// table opens what is meant of the archive, which is closed with it.
func (a *archive) table(ctx context.Context, o Options) (Table, error) {
	if isWorkbook(a) {
		return openWorkbook(ctx, a, o)
	}
	if len(a.files) > MaxArchiveFiles {
		return nil, tooManyFiles(MaxArchiveFiles)
	}
	if a.find(func(name string) bool {
		return strings.HasSuffix(strings.ToLower(name), "content.xml") && !strings.Contains(name, "/")
	}) != nil {
		return nil, layer.Wrong("không đọc tệp OpenDocument; hãy lưu thành .xlsx, hoặc: ogr2ogr -f XLSX out.xlsx in.ods", "files of OpenDocument are not read; save it as .xlsx, or: ogr2ogr -f XLSX out.xlsx in.ods")
	}
	if a.find(func(name string) bool { return strings.Contains(strings.ToLower(name), ".gdb/") }) != nil {
		return nil, layer.Wrong("không đọc File Geodatabase; hãy chuyển đổi: ogr2ogr -f GPKG out.gpkg in.gdb", "a File Geodatabase is not read; convert it: ogr2ogr -f GPKG out.gpkg in.gdb")
	}
	f, within, err := a.choose(o.Table)
	if err != nil {
		return nil, err
	}
	o.Table = within
	inner := a.member(f)
	start, err := inner.head(ctx, headBytes)
	if err != nil {
		return nil, err
	}
	if begins("PK\x03\x04", "PK\x05\x06")(start) {
		return nil, layer.Wrong("tệp nén chứa tệp nén khác (%s): hãy giải nén trước", "the archive holds another archive (%s): unpack it first", inner.name)
	}
	table, err := openFile(ctx, inner, start, o)
	if errors.Is(err, errNoPlacemarks) && f.Name == mainKML && len(a.main(false)) > 1 {
		return a.linked(ctx, o) // it does nothing but link to the others
	}
	if err != nil {
		return nil, err
	}
	return &inArchive{table, a, shown(f)}, nil
}

// mainKML is what a KMZ file is about.
const mainKML = "doc.kml"

// linked opens the file of the archive that is meant other than the main one.
func (a *archive) linked(ctx context.Context, o Options) (Table, error) {
	a.files = slices.DeleteFunc(a.files, func(f *zip.File) bool { return f.Name == mainKML })
	return a.table(ctx, o)
}

// main are the files that are not empty and hidden; those that belong to others only if all.
func (a *archive) main(all bool) []*zip.File {
	var main []*zip.File
	for _, f := range a.files {
		base := path.Base(f.Name)
		belongs := slices.Contains(companions, strings.ToLower(path.Ext(base)))
		if !strings.HasPrefix(base, ".") && !strings.HasPrefix(f.Name, "__MACOSX/") && f.UncompressedSize64 > 0 && (all || !belongs) {
			main = append(main, f)
		}
	}
	return main
}

// choose finds the file that is meant: the one of the name, with its ending and folders or
// without, or else the only one that is no companion of another; in that the name may be of
// a table, which is then returned.
func (a *archive) choose(name string) (f *zip.File, within string, err error) {
	main := a.main(false)
	if len(main) == 0 {
		main = a.main(true) // attributes alone, perhaps
	}
	var names []string
	for _, f := range main {
		names = append(names, shown(f))
	}
	var chosen []*zip.File
	for _, f := range main {
		if name == "" || called(shown(f), name) {
			chosen = append(chosen, f)
		}
	}
	switch {
	case len(main) == 0:
		return nil, "", layer.Wrong("tệp nén không chứa tệp nào đọc được", "the archive holds no file that is read")
	case len(chosen) == 1:
		return chosen[0], "", nil
	case len(main) == 1:
		return main[0], name, nil
	case name == "" && len(main) > 1:
		if kml := slices.IndexFunc(main, func(f *zip.File) bool { return f.Name == mainKML }); kml >= 0 {
			return main[kml], "", nil
		}
		// Beside another file a text says what that is, as FIELDS.txt in Shapefiles of ours.
		others := slices.DeleteFunc(slices.Clone(main), func(f *zip.File) bool { return strings.EqualFold(path.Ext(f.Name), ".txt") })
		if len(others) == 1 {
			return others[0], "", nil
		}
	}
	return nil, "", &WhichError{names}
}

// shown is how a file of an archive is called in what is said of it: in NFC, and in UTF-8 where
// the archive has it in something else.
func shown(f *zip.File) string { return norm.NFC.String(cut(f.Name, maxNameBytes)) }

// called reports whether a file of an archive goes by a name.
func called(file, name string) bool {
	base, name := path.Base(file), norm.NFC.String(name)
	for _, form := range []string{file, base, strings.TrimSuffix(file, path.Ext(file)), strings.TrimSuffix(base, path.Ext(base))} {
		if strings.EqualFold(form, name) {
			return true
		}
	}
	return false
}

// inArchive is a table of a file in an archive.
type inArchive struct {
	Table
	archive *archive
	name    string
}

// Guesses implements Table.
func (i *inArchive) Guesses() []Guess {
	return append([]Guess{{"table", i.name, "the file of the archive that is read"}}, i.Table.Guesses()...)
}

// Close implements Table.
func (i *inArchive) Close() error { return errors.Join(i.Table.Close(), i.archive.Close()) }
