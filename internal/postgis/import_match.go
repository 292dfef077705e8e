package postgis

import (
	"context"
	"fmt"
	"strings"

	"hatang/geo"
	"hatang/internal/layer"
)

// day is the one on which rows in force are matched: that of the change, if it is one.
func (im *importer) day() geo.Date {
	if !im.o.InForce.IsZero() {
		return im.o.InForce
	}
	return im.o.Date
}

// match finds for each code the row in force on the day: one that all may see, or for a
// draft of the file its owner's draft. It finds no row that the viewer does not see.
func (im *importer) match(ctx context.Context) error {
	var c conditions
	day := c.bind(im.day().Time())
	c.visible(im.viewer.Sight(im.layer.Name), im.layer)
	c.add("t.valid_from <= %s::date AND (t.valid_to IS NULL OR t.valid_to > %s::date)", day, day)
	_, err := im.tx.Exec(ctx, fmt.Sprintf(`UPDATE staging s SET _match = m.id FROM (
			SELECT s._row, min(t.id) AS id FROM staging s JOIN (SELECT * FROM %s AS t%s) t ON t.code = s.code AND %s GROUP BY s._row) m
		WHERE m._row = s._row`, quote(im.layer.Name), c.where(), im.alike("s", "t")), c.args...)
	return err
}

// taker is the condition on a row that it takes its code and what is once a day: a draft
// takes nothing. What the file says nothing of is no draft.
func (im *importer) taker(row string) string {
	if !im.layer.HasDrafts() {
		return "true"
	}
	return "(" + row + ".status IS DISTINCT FROM " + literal(layer.Draft) + ")"
}

// alike is the condition on two rows that both take their code, or both are drafts of one
// owner: a file never changes a draft by the code of a row that all may see.
func (im *importer) alike(a, b string) string {
	if !im.layer.HasDrafts() {
		return "true"
	}
	return fmt.Sprintf("%[3]s = %[4]s AND (%[3]s OR %[1]s.owner_organisation IS NOT DISTINCT FROM %[2]s.owner_organisation)", a, b, im.taker(a), im.taker(b))
}

// mayWrite is layer.ErrForbidden for a viewer who may write nothing of the layer. What
// an organisation brings that writes nothing but its own drafts is taken for these.
func (im *importer) mayWrite() error {
	drafts := im.pen.Drafts && im.layer.HasDrafts()
	if !im.pen.All && len(im.pen.Territories) == 0 && !drafts {
		return fmt.Errorf("%s: %w", im.viewer.Name, layer.ErrForbidden)
	}
	if drafts && len(im.pen.Territories) == 0 {
		defaults := map[string]any{"status": layer.Draft, "owner_organisation": im.viewer.Organisation}
		for name, value := range im.o.Defaults {
			if _, ok := defaults[name]; !ok {
				defaults[name] = value
			}
		}
		im.o.Defaults = defaults
	}
	return nil
}

// refuseOthers refuses rows that the viewer may not write as they are or as they would be
// (see inPen), and takes them out at once: nothing else that is wrong with them is his to
// know.
func (im *importer) refuseOthers(ctx context.Context) error {
	if im.pen.All {
		return nil
	}
	var c conditions
	given := func(name string) string {
		return fmt.Sprintf("CASE WHEN t.id IS NULL OR %[1]s = ANY (s._given) THEN s.%[2]s ELSE t.%[2]s END", literal(name), quote(name))
	}
	may := func(geom, status, owner string) string {
		any := []string{"false"}
		for _, code := range im.pen.Territories {
			any = append(any, "ST_Covers((SELECT hatang_territory("+c.bind(code)+")), "+geom+")")
		}
		if im.pen.Drafts && im.layer.HasDrafts() {
			any = append(any, fmt.Sprintf("%s = %s AND %s = %s", status, c.bind(layer.Draft), owner, c.bind(im.viewer.Organisation)))
		}
		return "coalesce(" + strings.Join(any, " OR ") + ", false)"
	}
	status := ""
	if im.layer.HasDrafts() {
		status = given("status")
	}
	after := may(fmt.Sprintf("coalesce(ST_Transform(s.geom, %d), t.geom)", layer.SRID), status, given("owner_organisation"))
	before := may("t.geom", "t.status", "t.owner_organisation")
	if err := im.refuse(ctx, "", "không được ghi đối tượng này: nó nằm ngoài địa bàn được giao, hoặc không phải bản thảo của tổ chức mình%s",
		"you may not write this feature: it lies outside your territory, or is no draft of your organisation's%s",
		fmt.Sprintf("SELECT s._row, '' FROM staging s LEFT JOIN %s t ON t.id = s._match WHERE NOT (%s AND (t.id IS NULL OR %s))", quote(im.layer.Name), after, before), c.args...); err != nil {
		return err
	}
	return im.dropRefused(ctx)
}
