package permit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/geo/zoning"
	"hatang/internal/account"
	"hatang/internal/permit"
)

// neighbours are a register in which two drafts stand in one spot in the countryside.
type neighbours struct {
	*recording
	at           orb.Point
	own, another int64 // ids of the drafts
	memory       *permit.Memory
	staff, rival account.Viewer
}

func newNeighbours(t *testing.T) *neighbours {
	t.Helper()
	n := &neighbours{recording: newRecording(t), at: orb.Point{103.226566, 21.144375}, staff: officer(),
		rival: account.Viewer{Name: "person:rival", Organisation: "VIETTEL", Grants: []account.Grant{{Role: account.Operator}}}}
	for i, id := range []*int64{&n.own, &n.another} {
		if err := n.conn.QueryRow(t.Context(), `INSERT INTO bts_sites (code, valid_from, jurisdiction, status, mast_type, owner_organisation, geom)
			VALUES ('NEXT-' || $1::int, '2019-01-01', '11', 'draft', 'A2b', 'VNPT', ST_SetSRID(ST_MakePoint($2, $3), 4326)) RETURNING id`, i, n.at[0], n.at[1]).Scan(id); err != nil {
			t.Fatal(err)
		}
	}
	n.memory = permit.NewMemory(n.Store, always(day(t, "2020-06-30")), quiet())
	return n
}

func (n *neighbours) question(v account.Viewer) permit.Question {
	return permit.Question{Viewer: v, Date: day(n.t, "2020-06-30")}
}

// body is the question about a mast at a place, of a feature; 0: of none.
func (n *neighbours) body(at orb.Point, feature int64) json.RawMessage {
	named := ""
	if feature != 0 {
		named = fmt.Sprintf(`,"feature":%d`, feature)
	}
	return json.RawMessage(fmt.Sprintf(`{"lon":%v,"lat":%v,"mast_type":"A2b","height_m":42,"structure":"self_supporting"%s}`, at[0], at[1], named))
}

// met are the codes of the drafts that an answer finds too near.
func met(t *testing.T, answer []byte) []string {
	t.Helper()
	var a struct {
		Findings []struct {
			Outcome  string
			Evidence *struct{ Collection, Code, Status string }
		}
	}
	if err := json.Unmarshal(answer, &a); err != nil {
		t.Fatalf("%v: %s", err, answer)
	}
	codes := []string{}
	for _, f := range a.Findings {
		if f.Outcome == "fail" && f.Evidence != nil && (f.Evidence.Status == "draft" || f.Evidence.Collection == "proposals") {
			codes = append(codes, f.Evidence.Code)
		}
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

// TestTheMastAskedAboutIsLeftOut: the mast that is named does not count, where it stands or from where it
// is moved, however far; its neighbours do, in the very same spot. From memory, from the
// database, in lists, and of rows alike.
func TestTheMastAskedAboutIsLeftOut(t *testing.T) {
	n := newNeighbours(t)
	far := geo.Destination(n.at, 90, 30_000)
	for _, tt := range []struct {
		name    string
		at      orb.Point
		feature int64
		want    []string
	}{
		{"none is named", n.at, 0, []string{"NEXT-0", "NEXT-1"}},
		{"where it stands", n.at, n.own, []string{"NEXT-1"}},
		{"moved a little", geo.Destination(n.at, 0, 50), n.own, []string{"NEXT-1"}},
		{"moved far", far, n.own, []string{}},
	} {
		q := n.question(n.staff)
		fromMemory := n.memory.Checker()
		for who, checker := range map[string]*permit.Checker{"memory": fromMemory, "database": permit.NewChecker(n.Store)} {
			if who == "memory" {
				n.memory.Keep(n.staff, q.Date)
				caught(t, n.memory, n.staff, q.Date)
			}
			answer, err := checker.AppendAnswer(t.Context(), q, nil, n.body(tt.at, tt.feature))
			if err != nil {
				t.Fatalf("%s, %s: %v", tt.name, who, err)
			}
			if diff := cmp.Diff(tt.want, met(t, answer)); diff != "" {
				t.Errorf("%s, from %s (-want +got)\n%s", tt.name, who, diff)
			}
			answers, err := checker.Answers(t.Context(), q, []json.RawMessage{n.body(tt.at, tt.feature)})
			if err != nil || answers[0].Invalid != nil || cmp.Diff(tt.want, met(t, answers[0].Answer)) != "" {
				t.Errorf("%s, listed, from %s: %v, %+v", tt.name, who, err, answers)
			}
			for _, result := range n.rows(checker, q, fmt.Sprintf("%v,%v,A2b,42,self_supporting,%s", tt.at[0], tt.at[1], strings.TrimPrefix(fmt.Sprint(tt.feature), "0"))) {
				if diff := cmp.Diff(tt.want, met(t, result)); diff != "" {
					t.Errorf("%s, as a row, from %s (-want +got)\n%s", tt.name, who, diff)
				}
			}
		}
	}
}

// rows asks about rows of CSV.
func (n *neighbours) rows(checker *permit.Checker, q permit.Question, lines ...string) []json.RawMessage {
	n.t.Helper()
	b := checker.Batch(q)
	b.Format, b.Out, b.Language = permit.CSV, permit.OutResults, "en"
	var out bytes.Buffer
	if _, err := b.Run(n.t.Context(), strings.NewReader("lon,lat,mast_type,height_m,structure,feature\n"+strings.Join(lines, "\n")), &out); err != nil {
		n.t.Fatal(err)
	}
	var r struct{ Results []json.RawMessage }
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		n.t.Fatal(err)
	}
	return r.Results
}

// TestAMastThatIsNotSeenIsNone: who names a draft of others is told what he is told who names
// one that there is not, in every way to ask; and it can neither be recorded.
func TestAMastThatIsNotSeenIsNone(t *testing.T) {
	n := newNeighbours(t)
	q := n.question(n.rival)
	var none int64
	if err := n.conn.QueryRow(t.Context(), "SELECT nextval(pg_get_serial_sequence('bts_sites', 'id'))").Scan(&none); err != nil {
		t.Fatal(err)
	}
	n.memory.Keep(n.rival, q.Date)
	caught(t, n.memory, n.rival, q.Date)
	checkers := map[string]*permit.Checker{"memory": n.memory.Checker(), "database": permit.NewChecker(n.Store)}
	for who, checker := range checkers {
		told := func(feature int64) (said []string) {
			body := n.body(n.at, feature)
			say := func(err error) {
				if err == nil {
					t.Fatalf("%d is judged, from %s", feature, who)
				}
				invalid, ok := permit.Faults(err)
				if !ok || len(invalid.Faults) != 1 || invalid.Faults[0].At != "/feature" {
					t.Fatalf("%d, from %s: %v", feature, who, err)
				}
				said = append(said, asJSON(t, invalid.Faults))
			}
			_, err := checker.AppendAnswer(t.Context(), q, nil, body)
			say(err)
			for _, each := range []bool{false, true} {
				q := q
				q.EachOther = each
				answers, err := checker.Answers(t.Context(), q, []json.RawMessage{body})
				if err != nil {
					t.Fatal(err)
				}
				say(answers[0].Invalid)
				for _, result := range n.rows(checker, q, fmt.Sprintf("%v,%v,A2b,42,self_supporting,%d", n.at[0], n.at[1], feature)) {
					said = append(said, string(result))
				}
			}
			judged, err := n.Judge(t.Context(), n.rival, q.Date, permit.Placement, []json.RawMessage{body})
			if err != nil || judged[0].Invalid == nil {
				t.Fatalf("%d is recorded: %+v, %v", feature, judged, err)
			}
			say(judged[0].Invalid)
			for i := range said {
				said[i] = strings.ReplaceAll(said[i], fmt.Sprint(feature), "N")
			}
			return said
		}
		hidden, missing := told(n.own), told(none)
		if diff := cmp.Diff(missing, hidden); diff != "" {
			t.Errorf("from %s, of one that is not there and one that is hidden\n%s", who, diff)
		}
	}
}

// TestListedMastsAreMetAsProposed: of drafts that are named in a list the others of it meet
// what is proposed, and not where they were.
func TestListedMastsAreMetAsProposed(t *testing.T) {
	n := newNeighbours(t)
	q := n.question(n.staff)
	q.EachOther = true
	away := geo.Destination(n.at, 90, 3000)
	results := n.rows(permit.NewChecker(n.Store), q,
		fmt.Sprintf("%v,%v,A2b,42,self_supporting,%d", away[0], away[1], n.own), // moved away
		fmt.Sprintf("%v,%v,A2b,42,self_supporting,%d", n.at[0], n.at[1], n.another),
		fmt.Sprintf("%v,%v,A2b,42,self_supporting,", n.at[0], n.at[1]))
	for i, want := range [][]string{{}, {"#3"}, {"#2"}} {
		if diff := cmp.Diff(want, met(t, results[i])); diff != "" {
			t.Errorf("row %d (-want +got)\n%s", i+1, diff)
		}
	}
}

// TestVerdictsOfEarlierForms: what was recorded before masts were named is proved, and made
// again as it was: a draft in the very place was taken for the mast itself.
func TestVerdictsOfEarlierForms(t *testing.T) {
	n := newNeighbours(t)
	ctx, body := context.Background(), n.body(n.at, 0)
	keep := func(j permit.Judged) string {
		sealed, err := n.Seal(j, 0, nil)
		if err == nil {
			err = n.RecordVerdict(ctx, n.staff, sealed)
		}
		if err != nil {
			t.Fatal(err)
		}
		return j.Number
	}
	judged, err := n.Judge(ctx, n.staff, day(t, "2020-06-30"), permit.Placement, []json.RawMessage{body, n.body(n.at, n.own)})
	if err != nil || judged[0].Invalid != nil || judged[1].Invalid != nil {
		t.Fatal(judged, err)
	}
	// As the second form had it: neither of the two drafts counts.
	p, err := permit.ParseProposal(body, day(t, "2020-06-30"))
	if err != nil {
		t.Fatal(err)
	}
	p.Drafts = zoning.DraftsElsewhere
	then, err := permit.NewChecker(n.Store).CheckAsKnown(ctx, n.staff, []zoning.Proposal{p}, judged[0].KnownAt())
	if err != nil {
		t.Fatal(err)
	}
	second := keep(judged[0].OfSecondType(then[0].AppendJSON(nil, permit.DetailFull)))
	third := keep(judged[1])
	n.sql(n.conn, "UPDATE bts_sites SET geom = ST_Translate(geom, 0.0001, 0) WHERE id = ANY ($1)", []int64{n.own, n.another})
	n.sql(n.conn, "DELETE FROM bts_sites WHERE id = $1", n.own)
	for number, want := range map[string][]string{second: {}, third: {"NEXT-1"}} {
		rec, _ := n.kept(n.staff, number)
		again, err := n.Replay(ctx, rec)
		if err != nil || n.wrong(number) != "" {
			t.Fatalf("%s: %v, %s", number, err, n.wrong(number))
		}
		if diff := cmp.Diff(want, met(t, again.Answer)); diff != "" {
			t.Errorf("made again (-want +got)\n%s", diff)
		}
		if !again.Same {
			t.Errorf("made again as another:\n%s\n%s", rec.Body, again.Answer)
		}
	}
}
