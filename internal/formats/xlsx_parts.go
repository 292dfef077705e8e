package formats

import (
	"encoding/xml"
	"fmt"
	"strings"

	"hatang/internal/layer"
)

// Styles of cells: their places in the list of stylesheet.
const (
	styleNone = iota
	styleDate
	styleInstant
	styleHeader
	styleText // stays text when the cell is edited, whatever is typed
)

const (
	spreadsheet   = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
	relationships = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
	packaged      = "http://schemas.openxmlformats.org/package/2006/"
	contentType   = "application/vnd.openxmlformats-officedocument.spreadsheetml."

	// sheetStart begins a sheet whose first row stays in view.
	sheetStart = xml.Header + `<worksheet xmlns="` + spreadsheet + `"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetData>`

	stylesheet = xml.Header + `<styleSheet xmlns="` + spreadsheet + `">` +
		`<numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\-mm\-dd"/><numFmt numFmtId="165" formatCode="yyyy\-mm\-dd\ hh:mm:ss"/></numFmts>` +
		`<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts>` +
		`<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>` +
		`<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>` +
		`<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="5">` +
		`<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>` +
		`<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>` +
		`<xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>` +
		`<xf numFmtId="49" fontId="1" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyFont="1"/>` +
		`<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>` +
		`</cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>`
)

// sheetNames are what the two sheets are called: at most 31 characters each, not alike.
func sheetNames(l *layer.Layer) (rows, fields string) {
	rows, fields = l.Name[:min(len(l.Name), 31)], "fields" // names of layers are ASCII
	if rows == fields {
		fields = "_fields"
	}
	return rows, fields
}

// parts writes everything but the first sheet.
func (x *workbook) parts() error {
	rows, fields := sheetNames(x.sheet.Layer)
	if err := x.frame(rows, fields); err != nil {
		return err
	}
	return x.zip.text(sheetPart(2), fieldsSheet(x.sheet.Layer))
}

// sheetPart is where a sheet is, from 1, in the workbook's file.
func sheetPart(n int) string { return fmt.Sprintf("xl/worksheets/sheet%d.xml", n) }

// frame writes all of a workbook but its sheets, which have these names.
func (x *workbook) frame(sheets ...string) error {
	var types, list, links strings.Builder
	for i, name := range sheets {
		n := i + 1
		fmt.Fprintf(&types, `<Override PartName="/%s" ContentType="%sworksheet+xml"/>`, sheetPart(n), contentType)
		fmt.Fprintf(&list, `<sheet name="%s" sheetId="%d" r:id="rId%[2]d"/>`, escaped(name), n)
		fmt.Fprintf(&links, `<Relationship Id="rId%d" Type="%s/worksheet" Target="worksheets/sheet%[1]d.xml"/>`, n, relationships)
	}
	for _, part := range [][2]string{
		{"[Content_Types].xml", xml.Header + `<Types xmlns="` + packaged + `content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
			`<Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="` + contentType + `sheet.main+xml"/>` +
			types.String() + `<Override PartName="/xl/styles.xml" ContentType="` + contentType + `styles+xml"/></Types>`},
		{"_rels/.rels", xml.Header + `<Relationships xmlns="` + packaged + `relationships"><Relationship Id="rId1" Type="` + relationships + `/officeDocument" Target="xl/workbook.xml"/></Relationships>`},
		{"xl/workbook.xml", xml.Header + `<workbook xmlns="` + spreadsheet + `" xmlns:r="` + relationships + `"><sheets>` + list.String() + `</sheets></workbook>`},
		{"xl/_rels/workbook.xml.rels", xml.Header + `<Relationships xmlns="` + packaged + `relationships">` + links.String() +
			fmt.Sprintf(`<Relationship Id="rId%d" Type="%s/styles" Target="styles.xml"/></Relationships>`, len(sheets)+1, relationships)},
		{"xl/styles.xml", stylesheet},
	} {
		if err := x.zip.text(part[0], part[1]); err != nil {
			return err
		}
	}
	return nil
}

// fieldsSheet says what the fields are: a row for each, and one for each allowed value.
func fieldsSheet(l *layer.Layer) string {
	var b strings.Builder
	b.WriteString(sheetStart)
	row := 0
	write := func(style int, cells ...string) {
		row++
		fmt.Fprintf(&b, `<row r="%d">`, row)
		for i, text := range cells {
			if text != "" {
				fmt.Fprintf(&b, `<c r="%s%d" s="%d" t="inlineStr"><is><t xml:space="preserve">%s</t></is></c>`, columnLetters(i), row, style, appendXML(nil, escapeControls([]byte(text))))
			}
		}
		b.WriteString("</row>")
	}
	write(styleHeader, "field", "kind", "unit", "title_vi", "title_en", "description_vi", "description_en", "value", "value_vi", "value_en")
	for _, f := range l.Properties() {
		kind := string(f.Kind)
		if f.Kind == layer.Timestamp {
			kind += " (UTC)"
		}
		write(styleText, f.Name, kind, f.Unit, f.Title.VI, f.Title.EN, f.Doc.VI, f.Doc.EN)
		for _, v := range f.Values {
			write(styleText, f.Name, "", "", "", "", "", "", v.Code, v.Title.VI, v.Title.EN)
		}
	}
	b.WriteString("</sheetData></worksheet>")
	return b.String()
}
