package intake

import (
	"slices"

	"hatang/internal/layer"
)

// rowIDs are what readers of files call the column of a row's own id, folded.
var rowIDs = []string{"id", "fid", "ogc fid", "objectid"}

// takeCodes has the rows' own ids feed the codes of a reference layer that was published with
// these for codes. Where the file it came from had a field called so, it is that field.
func (x *lexicon) takeCodes(c Columns) {
	if x.layer.Reference == nil || x.layer.Reference.CodeOf != layer.CodeOfID || c.Index("code") >= 0 {
		return
	}
	i := slices.IndexFunc(c, func(column Column) bool {
		return column.To == ToNothing && column.How == ByHeading && slices.Contains(rowIDs, fold(column.Name))
	})
	if i >= 0 {
		c[i] = x.column(c[i].Name, "", meaning{"code", ByHeading, rankHeading})
	}
}

// codesAreNumbers reports whether the rows of a file have their numbers in it for codes, as
// those of the file had that a reference layer was published from. Rows that were sent back
// to be corrected have not: they were others' neighbours before.
func (c Columns) codesAreNumbers(l *layer.Layer) bool {
	return l.Reference != nil && l.Reference.CodeOf == layer.CodeOfRow && c.Index("code") < 0 && !slices.ContainsFunc(c, func(column Column) bool {
		for _, headings := range correctionHeadings {
			if fold(column.Name) == fold(headings[0]) {
				return true
			}
		}
		return false
	})
}
