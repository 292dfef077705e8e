package plan

import (
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"time"

	"hatang/geo"
	"hatang/internal/layer"
	"hatang/internal/permit"
)

// check adds every fault of the pack's content.
func (p *Pack) check(faults *layer.Faults) {
	c := checker{faults}
	p.checkHead(c)
	p.checkPhases(c)
	p.checkLists(c)
	p.checkProjects(c)
	for i, t := range p.Tables {
		t.check(c, fmt.Sprintf("/tables/%d", i))
	}
	for i, d := range p.Discrepancies {
		at := fmt.Sprintf("/discrepancies/%d", i)
		c.text(at+"/title", d.Title)
		c.text(at+"/computed", d.Computed)
		c.text(at+"/conclusion", d.Conclusion)
		if d.Check != nil {
			d.Check.check(c, at+"/check")
		}
	}
}

// checker adds faults; its methods hold what several parts of a pack ask for.
type checker struct{ faults *layer.Faults }

func (c checker) text(at string, t geo.Text) {
	if t.VI == "" || t.EN == "" {
		c.faults.Add(at, "thiếu văn bản tiếng Việt hoặc tiếng Anh", "the text is missing in Vietnamese or English")
	}
}

func (c checker) filled(at, s string) {
	if s == "" {
		c.faults.Add(at, "không được để trống", "must not be empty")
	}
}

func (c checker) oneOf(at, s string, accepted ...string) {
	if !slices.Contains(accepted, s) {
		c.faults.Add(at, "không biết giá trị %q; các giá trị được nhận: %q", "unknown value %q; accepted: %q", s, accepted)
	}
}

func (c checker) date(at string, d geo.Date) {
	if d.IsZero() {
		c.faults.Add(at, "thiếu ngày", "the date is missing")
	}
}

// span checks that both days are given and in order.
func (c checker) span(at string, from, to geo.Date) {
	if from.IsZero() || to.IsZero() {
		c.faults.Add(at, "thiếu ngày bắt đầu hoặc ngày kết thúc", "the first or the last day is missing")
	} else if to.Before(from) {
		c.faults.Add(at, "ngày kết thúc %s trước ngày bắt đầu %s", "the last day %s is before the first day %s", to, from)
	}
}

// unique checks that keys are filled and different; at is the list's pointer.
func (c checker) unique(at string, keys []string) {
	seen := map[string]bool{}
	for i, k := range keys {
		where := fmt.Sprintf("%s/%d", at, i)
		c.filled(where, k)
		if seen[k] {
			c.faults.Add(where, "mã %q đã được dùng", "the id %q is already used", k)
		}
		seen[k] = true
	}
}

// known checks that every reference is among ids.
func (c checker) known(at string, references, ids []string) {
	for _, r := range references {
		if !slices.Contains(ids, r) {
			c.faults.Add(at, "không có mục %q", "there is no %q", r)
		}
	}
}

func keys[T any](list []T, key func(T) string) []string {
	out := make([]string, len(list))
	for i, item := range list {
		out[i] = key(item)
	}
	return out
}

func (p *Pack) checkHead(c checker) {
	if p.Format != 1 {
		c.faults.Add("/format", "định dạng %d không được hỗ trợ", "format %d is not supported", p.Format)
	}
	if p.Version < 1 {
		c.faults.Add("/version", "phiên bản phải từ 1", "the version is 1 or more")
	}
	c.filled("/id", p.ID)
	c.text("/title", p.Title)
	c.oneOf("/territory/level", p.Territory.Level, "province", "district", "commune")
	c.filled("/territory/code", p.Territory.Code)
	c.text("/territory/name", p.Territory.Name)
	c.filled("/jurisdiction", p.Jurisdiction)
	c.span("/period", p.Period.From, p.Period.To)
	c.date("/in_force_from", p.InForceFrom)
	c.date("/reference_date", p.ReferenceDate)
	if pi, err := p.ServiceRadius.Pi.Float64(); err != nil || pi < 3 || pi > 3.2 {
		c.faults.Add("/service_radius/pi", "số pi phải từ 3 đến 3,2", "pi must lie between 3 and 3.2")
	}
	c.text("/service_radius/source", p.ServiceRadius.Source)
	if _, err := time.LoadLocation(p.TimeZone); err != nil || p.TimeZone == "Local" {
		c.faults.Add("/time_zone", "không có múi giờ %q", "there is no time zone %q", p.TimeZone)
	}
	for i, d := range p.WorkingDays {
		c.oneOf(fmt.Sprintf("/working_days/%d", i), d, "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
	}
	if p.Days != nil || p.Years != nil {
		c.faults.Add("/days", "gói quy hoạch ghi ngày nghỉ trong holidays", "a pack has its days off in holidays")
	}
	for i, d := range p.Holidays {
		_, err := geo.ParseDate(d)
		if _, inEvery := geo.ParseDate("2000-" + d); err != nil && inEvery != nil {
			c.faults.Add(fmt.Sprintf("/holidays/%d", i), "%q không phải ngày dạng YYYY-MM-DD hay MM-DD", "%q is no day of the form YYYY-MM-DD or MM-DD", d)
		}
	}
	for i, n := range p.HolidayNames {
		at := fmt.Sprintf("/holiday_names/%d", i)
		c.text(at+"/name", n.Name)
		for _, d := range n.Days {
			if !slices.Contains(p.Holidays, d.String()) {
				c.faults.Add(at+"/days", "%s không phải ngày nghỉ của gói", "%s is no day off of the pack", d)
			}
		}
	}
	for _, of := range []struct {
		name string
		long int
	}{{"decide_working_days", p.Periods.DecideDays}, {"supplement_working_days", p.Periods.SupplementDays},
		{"consult_working_days", p.Periods.ConsultDays}, {"valid_months", p.Periods.ValidMonths},
		{"sharing_answer_working_days", p.Periods.SharingAnswerDays}, {"sharing_mediation_working_days", p.Periods.SharingMediationDays}} {
		if of.long < 1 || of.long > permit.LongestPeriod {
			c.faults.Add("/permit/"+of.name, "phải từ 1 đến %d", "must be from 1 to %d", permit.LongestPeriod)
		}
	}
}

// checkPhases checks that phases are in order, inside the period, without overlap.
func (p *Pack) checkPhases(c checker) {
	c.unique("/phases", keys(p.Phases, func(x Phase) string { return x.ID }))
	for i, ph := range p.Phases {
		at := fmt.Sprintf("/phases/%d", i)
		c.text(at+"/title", ph.Title)
		c.span(at, ph.From, ph.To)
		if ph.From.Before(p.Period.From) || p.Period.To.Before(ph.To) {
			c.faults.Add(at, "giai đoạn ra ngoài kỳ quy hoạch", "the phase leaves the plan's period")
		}
		if i > 0 && !p.Phases[i-1].To.Before(ph.From) {
			c.faults.Add(at, "giai đoạn chồng lên giai đoạn trước", "the phase overlaps the one before")
		}
	}
	if o := p.Orientation; o != nil {
		c.text("/orientation/title", o.Title)
		c.span("/orientation", p.Period.To, o.To)
	}
}

func (p *Pack) checkLists(c checker) {
	operators := keys(p.Operators, func(x Operator) string { return x.Code })
	discrepancies := keys(p.Discrepancies, func(x Discrepancy) string { return x.ID })
	c.unique("/operators", operators)
	c.unique("/agencies", keys(p.Agencies, func(x Agency) string { return x.Code }))
	c.unique("/indicators", keys(p.Indicators, func(x Indicator) string { return x.ID }))
	c.unique("/tables", keys(p.Tables, func(x Table) string { return x.ID }))
	c.unique("/discrepancies", discrepancies)
	for i, o := range p.Operators {
		c.text(fmt.Sprintf("/operators/%d/name", i), o.Name)
	}
	p.Papers.check(c, keys(p.Agencies, func(x Agency) string { return x.Code }))
	for i, a := range p.Agencies {
		c.text(fmt.Sprintf("/agencies/%d/name", i), a.Name)
	}
	for i, x := range p.Indicators {
		at := fmt.Sprintf("/indicators/%d", i)
		c.text(at+"/name", x.Name)
		c.text(at+"/unit", x.Unit)
		c.known(at+"/discrepancies", x.Discrepancies, discrepancies)
	}
	for i, t := range p.Tables {
		c.known(fmt.Sprintf("/tables/%d/discrepancies", i), t.Discrepancies, discrepancies)
	}
	for i, r := range p.ServiceRadius.Stated {
		if r.Operator != "" {
			c.known(fmt.Sprintf("/service_radius/stated/%d/operator", i), []string{r.Operator}, operators)
		}
	}
	if !slices.ContainsFunc(p.CRS.List, func(x CRS) bool { return x.EPSG == p.CRS.Preferred }) {
		c.faults.Add("/crs/preferred", "EPSG:%d không có trong danh sách", "EPSG:%d is not in the list", p.CRS.Preferred)
	}
}

// check checks that a table is rectangular, its totals included. That the totals
// are the sums of the rows is for the ledger to say: a plan may state wrong ones.
func (t Table) check(c checker, at string) {
	c.text(at+"/title", t.Title)
	c.text(at+"/unit", t.Unit)
	c.unique(at+"/columns", keys(t.Columns, func(x TableColumn) string { return x.ID }))
	c.unique(at+"/rows", keys(t.Rows, func(x TableRow) string { return x.UnitCode }))
	width := func(where string, values []json.Number) {
		if len(values) != len(t.Columns) {
			c.faults.Add(where, "có %d giá trị cho %d cột", "has %d values for %d columns", len(values), len(t.Columns))
		}
	}
	for i, r := range t.Rows {
		width(fmt.Sprintf("%s/rows/%d", at, i), r.Values)
	}
	width(at+"/stated_total", t.StatedTotal)
}

// check checks that the figure meant is named in full.
func (k Check) check(c checker, at string) {
	c.filled(at+"/id", k.ID)
	c.filled(at+"/of", k.Of)
	c.oneOf(at+"/basis", k.Basis, "position", "site", "plan")
	c.oneOf(at+"/stage", k.Stage, "built", "with_planned")
	c.oneOf(at+"/part", k.Part, "", "numerator", "denominator")
	c.date(at+"/date", k.Date)
	if k.Stated == "" && (k.StatedMin == "" || k.StatedMax == "") {
		c.faults.Add(at+"/stated", "thiếu số liệu của quy hoạch", "the plan's figure is missing")
	}
}

// checkProjects checks parents, and that each line's columns make its total exactly.
func (p *Pack) checkProjects(c checker) {
	var groups []string
	for _, x := range p.Projects.Items {
		if x.Group {
			groups = append(groups, x.ID)
		}
	}
	c.unique("/projects/items", keys(p.Projects.Items, func(x Project) string { return x.ID }))
	for i, x := range p.Projects.Items {
		at := fmt.Sprintf("/projects/items/%d", i)
		c.text(at+"/name", x.Name)
		if x.Parent != "" {
			c.known(at+"/parent", []string{x.Parent}, groups)
		}
		x.Money.check(c, at+"/money")
	}
}

func (m Money) check(c checker, at string) {
	sum, last := new(big.Rat), new(big.Rat)
	for _, s := range m.sums() {
		amount, ok := new(big.Rat).SetString(s)
		if !ok {
			c.faults.Add(at, "%q không phải số thập phân", "%q is not a decimal", s)
			return
		}
		sum.Add(sum, amount)
		last = amount
	}
	// The total was added too, so the sum is twice the total.
	if sum.Cmp(new(big.Rat).Add(last, last)) != 0 {
		c.faults.Add(at, "các cột không cộng thành tổng %s", "the columns do not add up to the total %s", m.Total)
	}
}

func (s *PaperStyle) check(c checker, agencies []string) {
	if s == nil {
		return
	}
	c.text("/papers/state", s.State)
	c.text("/papers/motto", s.Motto)
	c.text("/papers/place", s.Place)
	c.known("/papers/agency", []string{s.Agency}, agencies)
	if s.Above != "" {
		c.known("/papers/above", []string{s.Above}, agencies)
	}
}
