package layer

import "hatang/geo"

// CheckNew returns the faults of a feature that is to become a row: what is
// required and missing, and valid time out of order.
func (l *Layer) CheckNew(f Feature) Faults {
	var faults Faults
	for i := range l.Fields {
		field := &l.Fields[i]
		if field.Required && !field.ReadOnly && f.Properties[field.Name] == nil && field.Kind != Boolean {
			faults.Add("/properties/"+field.Name, "bắt buộc phải có", "is required")
		}
	}
	if f.Geometry == nil && f.GeometryZ == nil && !l.MayLackGeometry() {
		faults.Add("/geometry", "bắt buộc phải có", "is required")
	}
	return append(faults, l.CheckPeriod(f)...)
}

// CheckPeriod returns a fault where valid time ends before it starts.
func (l *Layer) CheckPeriod(f Feature) Faults {
	var faults Faults
	from, okFrom := f.Properties["valid_from"].(geo.Date)
	to, okTo := f.Properties["valid_to"].(geo.Date)
	if okFrom && okTo && !from.Before(to) {
		faults.Add("/properties/valid_to", "phải sau valid_from (%s)", "must be after valid_from (%s)", from)
	}
	return faults
}
