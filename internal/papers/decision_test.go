package papers

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/internal/permit"
)

// A map shows what lies in its frame, and is well-formed XML.
func TestMap(t *testing.T) {
	for name, place := range map[string]orb.Geometry{"point": orb.Point{103.0165, 21.3826}, "line": orb.MultiLineString{{{103.0, 21.3}, {103.1, 21.5}}}, "beyond the grid": orb.Point{10, 50}} {
		m := mapOf(place, "ở <đây> & \"kia\"")
		m.Title, m.North = "Bản đồ <1>", "B"
		d, err := m.Draw()
		if err != nil {
			t.Fatal(err)
		}
		for _, shape := range d.Shapes {
			for _, path := range shape.Paths {
				for _, p := range path {
					if p[0] < -4 || p[0] > mapWidth+4 || p[1] < -4 || p[1] > d.Height {
						t.Errorf("%s: a line goes to %v", name, p)
					}
				}
			}
			if shape.Text != nil && (shape.Text.Line == "Far" || shape.Text.Line == "Xa tít") {
				t.Errorf("%s: what lies outside is told", name)
			}
		}
		svg := d.SVG(m.Title)
		for decoder := xml.NewDecoder(strings.NewReader(svg)); ; {
			if _, err := decoder.Token(); err != nil {
				if !errors.Is(err, io.EOF) {
					t.Errorf("%s: %v", name, err)
				}
				break
			}
		}
		if bound := place.Bound(); !m.Frame.Box().Contains(bound.Min) || !m.Frame.Box().Contains(bound.Max) {
			t.Errorf("%s: the frame %v does not hold %v", name, m.Frame.Box(), bound)
		}
		if place == (orb.Point{103.0165, 21.3826}) && !strings.Contains(svg, "HT-0028") {
			t.Error("the evidence has no label")
		}
	}
	f := NewFrame(orb.Bound{Min: orb.Point{103, 21}, Max: orb.Point{103, 21}}, geo.CRS{})
	if f.Scale() != 15000 {
		t.Errorf("around a point the scale is 1:%d", f.Scale())
	}
}

// decisionOf is an approval with two features, as its organisation sees it.
func decisionOf(t testing.TB) Decision {
	t.Helper()
	name, reasons := "Trạm Noong Hẹt", "Chưa đủ khoảng cách."
	answer := json.RawMessage(`{"verdict":"conditional","findings":[{"rule":"COND-dd1","outcome":"fail","message":{"vi":"Cột QH-0297 chỉ cách 138,9 m.","en":"Mast QH-0297 is only 138.9 m away."}}],"date":"2020-12-31","rule_set":"song-lam@3","provisional":true}`)
	text, err := permit.FileVerdict(geo.NewDate(2020, 12, 31), []permit.CheckedFeature{{FeatureID: permit.FeatureID{Collection: "bts_sites", ID: 1}, Number: "V-2026-AAAA-BBBB-CCCC", Answer: answer}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return Decision{
		RegisteredDecision: permit.RegisteredDecision{Number: "2026-0001", Outcome: permit.Approved, DecidedOn: geo.NewDate(2026, 11, 29), Organisation: "VIETTEL", Conditions: []string{"Phải sơn báo hiệu hàng không."}, State: permit.Expired, ExpiresOn: geo.NewDate(2027, 11, 29),
			Features: []permit.DecidedFeature{{Collection: "bts_sites", ID: 1, Code: "VT-1", Name: &name, Status: "planned", Properties: map[string]json.RawMessage{"mast_type": json.RawMessage(`"A2b"`), "height_m": json.RawMessage("42")}}, {Collection: "ducts", ID: 2, Code: "CB-2", Status: "planned"}}},
		File: &permit.File{ID: 7, Title: "Bổ sung hai trạm", Verdict: text, Features: []permit.FiledFeature{{Collection: "bts_sites", ID: 1, Code: "VT-1"}},
			Steps: []permit.FileStep{{Action: permit.Refuse, Reasons: &reasons}}},
		Places: []orb.Geometry{orb.Point{103.05, 21.36}, nil},
	}
}

func TestDecisionIsPrinted(t *testing.T) {
	d := decisionOf(t)
	s := settingOf(t, "vi")
	var err error
	printed := func(d Decision) string {
		t.Helper()
		p, err := d.Paper(s)
		if err != nil {
			t.Fatal(err)
		}
		return run(t, pdfOf(t, p), "pdftotext", "-layout", "FILE", "-")
	}
	shows := func(name, text string, wants ...string) {
		t.Helper()
		for _, want := range wants {
			if bare, absent := strings.CutPrefix(want, "!"); strings.Contains(text, bare) == absent {
				t.Errorf("%s: %q\n%s", name, want, text)
			}
		}
	}
	ours := []string{"Số: 2026-0001", "CHẤP THUẬN CÓ ĐIỀU KIỆN", "Phải sơn báo hiệu hàng không.", "Trạm Noong Hẹt", "A2b – cồng kềnh", "Chiều cao (m): 42", "quy hoạch", "504.989,24 m", "CB-2", "29/11/2027", "đã hết hiệu lực mà chưa xây dựng"}
	shows("with the proposal", printed(d), append(ours, "Bổ sung hai trạm", "Cột QH-0297 chỉ cách 138,9 m.", "V-2026-AAAA-BBBB-CCCC")...)
	file := d.File
	nevertheless := "Không còn chỗ nào khác."
	d.File = &permit.File{Steps: []permit.FileStep{{Action: permit.Approve, Reasons: &nevertheless}}}
	shows("against the check", printed(d), "Lý do", nevertheless)
	d.File = nil
	shows("for the public", printed(d), append(ours, "!Bổ sung", "!QH-0297", "!V-2026-AAAA")...)
	d.Outcome, d.Conditions, d.Features, d.Places = permit.Refused, nil, nil, nil
	shows("refused", printed(d), "KHÔNG CHẤP THUẬN", "sổ công khai không nêu", "!Chưa đủ khoảng cách.", "!Đối tượng")
	d.File = file
	shows("refused, for who proposed it", printed(d), "Chưa đủ khoảng cách.")
	answer := json.RawMessage(`{"verdict":"refused","point":[103.05,21.36]}`)
	if d.File.Verdict, err = permit.FileVerdict(geo.NewDate(2020, 12, 31), []permit.CheckedFeature{{FeatureID: permit.FeatureID{Collection: "bts_sites", ID: 1}, Answer: answer}}, nil); err != nil {
		t.Fatal(err)
	}
	if err := d.Propose(); err != nil {
		t.Fatal(err)
	}
	p, err := d.Paper(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, section := range p.Sections {
		for _, table := range section.Tables {
			width := 0.0
			for _, c := range table.Columns {
				width += c.Width
			}
			if width != 170 {
				t.Errorf("%s: a table is %v mm wide", section.Title, width)
			}
		}
	}
	shows("refused, with what was proposed", printed(d), "Đối tượng đã đề nghị", "VT-1", "504.989,24 m", "!chấp thuận:", "!Đối tượng được chấp thuận", "!Tình trạng")
	d.File = &permit.File{Verdict: json.RawMessage(`[]`)}
	if _, err := d.Paper(s); err == nil {
		t.Error("what cannot be read is printed")
	}
	for _, body := range []string{`{"answer":[],"question":{}}`, `{"answer":{},"question":{"geometry":{}}}`, `[]`} {
		if _, err := ReadVerdict(permit.Record{Body: []byte(body)}); err == nil {
			t.Errorf("%s is a verdict", body)
		}
	}
}
