package intake

import (
	"hatang/geo"
	"hatang/internal/layer"
)

// unitReader finds the codes of the units that rows name.
type unitReader struct {
	gazetteer *Gazetteer
	date      geo.Date
	own       Level // of the layer's own rows, where they are units
	commune   unitColumns
	district  unitColumns
}

// unitColumns are where a row has a unit: the field for its code, and the columns of code and
// name, -1 for none.
type unitColumns struct {
	field      string // "" where the layer has none
	code, name int
}

// newUnitReader is nil where nobody knows units.
func newUnitReader(l *layer.Layer, c Columns, o *Options) *unitReader {
	if o.Gazetteer == nil {
		return nil
	}
	u := &unitReader{gazetteer: o.Gazetteer, date: o.Date, own: map[string]Level{"provinces": Province, "districts": District, "communes": Commune}[l.Name]}
	columns := func(field, target string) unitColumns {
		of := unitColumns{code: c.Index(field), name: c.Index(target)}
		if l.Has(field) && l.Reference == nil {
			of.field = field
		}
		return of
	}
	u.commune, u.district = columns("commune_code", ToCommune), columns("district_code", ToDistrict)
	return u
}

// read fills in the codes of units in a row's properties, and returns the faults by column.
func (u *unitReader) read(r *Record, columns Columns, report *Report) {
	district := ""
	if u.district.code >= 0 || u.district.name >= 0 {
		district = u.unit(r, columns, report, u.district, Named{Level: District})
	}
	if u.commune.code >= 0 || u.commune.name >= 0 {
		u.unit(r, columns, report, u.commune, Named{Level: Commune, District: district})
	}
	if u.own != "" {
		u.ownCode(r, columns, report, district)
	}
}

// unit finds one unit of a row, and returns its code.
func (u *unitReader) unit(r *Record, columns Columns, report *Report, at unitColumns, n Named) string {
	n.Date = u.date
	n.Code, n.Name = r.text(at.code), r.text(at.name)
	unit, how, f := u.gazetteer.Find(n)
	if f != nil {
		column := at.name
		if n.Code != "" {
			column = at.code
		}
		r.Faults = append(r.Faults, f.in(r.Row, columns[column].Name))
		return ""
	}
	if unit.Code == "" {
		return ""
	}
	written := n.Name
	if n.Code != "" {
		written = n.Code
	}
	report.addUnit(written, unit, how)
	if at.field != "" {
		r.Feature.Properties[at.field] = unit.Code
	}
	return unit.Code
}

// ownCode gives a unit without a code that of the unit of its name, which then stays as it
// is called; and a code its leading zeros, where there is a unit with them.
func (u *unitReader) ownCode(r *Record, columns Columns, report *Report, district string) {
	n := Named{Level: u.own, Date: u.date}
	if u.own == Commune {
		n.District = district
	}
	code, _ := r.Feature.Properties["code"].(string)
	if code != "" {
		n.Code = code
		if found, how := u.gazetteer.withCode(code, n); len(found) > 0 && how == UnitByPaddedCode {
			unit := u.gazetteer.units[found[0]]
			report.addUnit(code, unit, how)
			r.Feature.Properties["code"] = unit.Code
		}
		return
	}
	n.Name, _ = r.Feature.Properties["name"].(string)
	unit, how, f := u.gazetteer.Find(n)
	if f != nil {
		r.Faults = append(r.Faults, f.in(r.Row, columns[columns.Index("name")].Name))
		return
	}
	if unit.Code != "" {
		report.addUnit(n.Name, unit, how)
		r.Feature.Properties["code"] = unit.Code
		delete(r.Feature.Properties, "name")
	}
}
