package postgis_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"

	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/permit"
)

// attached is a file of a content, for the answer of an agency or "".
func attached(content, agency string) permit.NewAttachment {
	sum := sha256.Sum256([]byte(content))
	return permit.NewAttachment{Name: "x.txt", MediaType: "text/plain", Bytes: int64(len(content)), SHA256: sum[:], Agency: agency, Content: strings.NewReader(content)}
}

// attach has the viewer attach a small file.
func (f *filing) attach(v account.Viewer, id int64, agency string) (int64, error) {
	return f.AttachFile(context.Background(), v, id, attached("tệp của "+v.Name, agency))
}

func (f *filing) mustAttach(v account.Viewer, id int64, agency string) int64 {
	f.t.Helper()
	file, err := f.attach(v, id, agency)
	if err != nil {
		f.t.Fatalf("%s: %v", v.Name, err)
	}
	return file
}

// seesFiles returns the ids of what the viewer is told of, which are those that he can read.
func (f *filing) seesFiles(v account.Viewer, id int64, all []int64) []int64 {
	f.t.Helper()
	ctx := context.Background()
	list, err := f.Attachments(ctx, v, id)
	if err != nil && !errors.Is(err, layer.ErrNotFound) {
		f.t.Fatal(err)
	}
	ids := []int64{}
	for _, a := range list {
		ids = append(ids, a.ID)
	}
	readable := []int64{}
	for _, one := range all {
		a, err := f.Attachment(ctx, v, id, one)
		if err == nil && a.ID == one {
			readable = append(readable, one)
		} else if !errors.Is(err, layer.ErrNotFound) {
			f.t.Errorf("%s, %d: %v", v.Name, one, err)
		}
	}
	whole, err := f.Proposal(ctx, v, id)
	if err != nil && !errors.Is(err, layer.ErrNotFound) {
		f.t.Fatal(err)
	}
	shown := []int64{}
	for _, a := range whole.Attachments {
		shown = append(shown, a.ID)
	}
	if diff := cmp.Diff([][]int64{ids, ids}, [][]int64{readable, shown}); diff != "" {
		f.t.Errorf("%s: what is listed, read and shown with the proposal\n%s", v.Name, diff)
	}
	return ids
}

// Files are for who sees the proposal whole, those of an answer for staff and the agency;
// to all others they are not there, and nothing counts them.
func TestWhoSeesAttachments(t *testing.T) {
	f := newFiling(t)
	id := f.file(f.draft)
	drawing := f.mustAttach(f.operator, id, "")
	f.must(f.officer, id, permit.Decision{Action: permit.Consult, Agencies: []string{"SXD", "BCHQS"}})
	opinion := f.mustAttach(f.agency, id, "")
	recorded := f.mustAttach(f.officer, id, "BCHQS")
	note := f.mustAttach(f.officer, id, "")
	all := []int64{drawing, opinion, recorded, note}
	for _, tt := range []struct {
		as   account.Viewer
		want []int64
	}{
		{f.operator, []int64{drawing, note}}, {f.colleague, []int64{drawing, note}}, {f.officer, all}, {f.approver, all},
		{f.agency, []int64{drawing, opinion, note}}, {f.stranger, []int64{drawing, recorded, note}},
		{f.rival, []int64{}}, {f.far, []int64{}}, {f.farApprover, []int64{}}, {account.Anonymous(), []int64{}},
		{account.Viewer{Name: "key:ducts", Organisation: "VNPT", Grants: []account.Grant{{Role: account.Operator, Layers: []string{"ducts"}}}}, []int64{}},
	} {
		if diff := cmp.Diff(tt.want, f.seesFiles(tt.as, id, all)); diff != "" {
			t.Errorf("%s of %s (-want +got)\n%s", tt.as.Name, tt.as.Organisation, diff)
		}
	}
	// Of the steps, too, the organisation sees none that is an agency's affair, and no names.
	seen, err := f.Proposal(t.Context(), f.operator, id)
	if err != nil || len(seen.Steps) != 4 {
		t.Fatalf("%d steps, %v", len(seen.Steps), err)
	}
	if a := seen.Attachments[1]; a.Who != nil || a.Organisation != nil || seen.Attachments[0].Who == nil {
		t.Errorf("it is told who: %+v", seen.Attachments)
	}
	f.must(f.officer, id, permit.Decision{Action: permit.AnswerFor, Agency: "BCHQS", Answer: "agreed", Attachment: recorded})
	if err := f.decide(f.agency, id, permit.Decision{Action: permit.AnswerFor, Answer: "agreed", Attachment: recorded}); !isInvalid(err) {
		t.Errorf("an agency answers with another's file: %v", err)
	}
	f.must(f.agency, id, permit.Decision{Action: permit.AnswerFor, Answer: "agreed", Attachment: opinion})
	seen, err = f.Proposal(t.Context(), f.agency, id)
	if err != nil || len(seen.Consultations) != 1 || *seen.Consultations[0].Attachment != opinion {
		t.Errorf("answered: %+v, %v", seen.Consultations, err)
	}
	if _, err := f.attach(f.agency, id, ""); !errors.Is(err, layer.ErrConflict) {
		t.Errorf("an agency attaches behind its answer: %v", err)
	}
	if _, err := f.conn.Exec(t.Context(), "UPDATE consultations SET withdrawn_at = NULL, attachment = $1 WHERE agency = 'SXD'", recorded); err == nil {
		t.Error("the database takes another agency's file for an answer")
	}
}

// Who may attach, when: as the table of steps says; and each file is a step, that tells who
// decides on what he has read that there is more.
func TestWhoAttaches(t *testing.T) {
	f := newFiling(t)
	id := f.file(f.draft)
	try := func(when string, want map[string]error) {
		t.Helper()
		for name, v := range map[string]account.Viewer{"operator": f.operator, "officer": f.officer, "approver": f.approver, "agency": f.agency, "rival": f.rival, "far": f.far, "own": f.ownApprover, "turncoat": f.turncoat} {
			if _, err := f.attach(v, id, ""); !errors.Is(err, want[name]) {
				t.Errorf("%s, %s: %v, want %v", when, name, err, want[name])
			}
		}
	}
	no, none, never := layer.ErrConflict, layer.ErrNotFound, layer.ErrForbidden
	try("filed", map[string]error{"approver": never, "agency": none, "rival": none, "far": none, "own": never, "turncoat": never})
	if err := f.decide(f.approver, id, permit.Decision{Action: permit.Approve, Revision: 1}); !errors.Is(err, layer.ErrStale) {
		t.Errorf("approved on what was read before: %v", err)
	}
	due, err := f.Proposal(t.Context(), f.officer, id)
	if err != nil || due.DueOn.IsZero() {
		t.Errorf("a file takes the date away: %+v, %v", due, err)
	}
	f.must(f.officer, id, permit.Decision{Action: permit.AskMore, Reasons: "x"})
	try("more asked", map[string]error{"approver": never, "agency": none, "rival": none, "far": none, "own": never, "turncoat": never})
	f.must(f.operator, id, permit.Decision{Action: permit.Supplement, Verdict: []byte("{}")})
	f.must(f.officer, id, permit.Decision{Action: permit.Consult, Agencies: []string{"SXD"}})
	try("consulting", map[string]error{"approver": never, "rival": none, "far": none, "own": never, "turncoat": never})
	if _, err := f.attach(f.officer, id, "BCHQS"); !isInvalid(err) {
		t.Errorf("for an agency that is not asked: %v", err)
	}
	f.must(f.approver, id, permit.Decision{Action: permit.Approve})
	var refused *permit.RefusedError
	if _, err := f.attach(f.operator, id, ""); !errors.As(err, &refused) || !strings.Contains(refused.Detail.EN, "takes no more files") {
		t.Errorf("why not: %v", err)
	}
	try("approved", map[string]error{"operator": no, "officer": no, "approver": no, "agency": none, "rival": none, "far": none, "own": no, "turncoat": no})
}

// The bytes come back as they were, and the database takes none that are not those of a step.
func TestBytesOfAttachments(t *testing.T) {
	f := newFiling(t)
	id := f.file(f.draft)
	content := strings.Repeat("0123456789abcdef", 1<<16) + strings.Repeat("rest", 1000) // a chunk, and some
	file, err := f.AttachFile(t.Context(), f.operator, id, attached(content, ""))
	if err != nil {
		t.Fatal(err)
	}
	a, err := f.Attachment(t.Context(), f.officer, id, file)
	if err != nil {
		t.Fatal(err)
	}
	var read bytes.Buffer
	if err := f.ReadAttachment(t.Context(), a, &read); err != nil || read.String() != content {
		t.Errorf("%d bytes of %d, %v", read.Len(), len(content), err)
	}
	broken := attached("whole", "")
	broken.Content = strings.NewReader("who")
	if _, err := f.AttachFile(t.Context(), f.operator, id, broken); !errors.Is(err, layer.ErrConflict) {
		t.Errorf("a file that broke off: %v", err)
	}
	forged := attached("whole", "")
	forged.Content = strings.NewReader("other")
	if _, err := f.AttachFile(t.Context(), f.operator, id, forged); !errors.Is(err, layer.ErrConflict) {
		t.Errorf("a file that is another: %v", err)
	}
	app := connect(t, f.url)
	run(t, app, "SET ROLE hatang_app")
	for _, sql := range []string{
		fmt.Sprintf("INSERT INTO attachment_chunks VALUES (%d, 3, 'x')", file),
		fmt.Sprintf("INSERT INTO proposal_steps (proposal, revision, action, party, organisation) VALUES (%d, 3, 'attach', 'organisation', 'VNPT')", id),                  // without a file
		fmt.Sprintf("INSERT INTO attachments (proposal, revision, name, media_type, bytes, sha256) VALUES (%d, 1, 'x', 'text/plain', 1, sha256('x'))", id),                // at another step
		fmt.Sprintf("INSERT INTO attachments (proposal, revision, agency, name, media_type, bytes, sha256) VALUES (%d, 2, 'SXD', 'x', 'text/plain', 1, sha256('x'))", id), // a second at one step
	} {
		if _, err := app.Exec(t.Context(), sql); code(err) != "HT021" && code(err) != "23505" {
			t.Errorf("%s: %v", sql, err)
		}
	}
	if got := scalar[int64](t, f.conn, "SELECT revision FROM proposals WHERE id = $1", id); got != 2 {
		t.Errorf("what was refused has left revision %d", got)
	}
}

// One below, at and above each limit; also where many attach at once.
func TestAttachmentsAtTheirLimits(t *testing.T) {
	f := newFiling(t)
	id, other := f.file(f.draft), int64(0)
	f.must(f.officer, id, permit.Decision{Action: permit.Consult, Agencies: []string{"SXD", "BCHQS"}})
	// Files that are as large as they say take no room here.
	claimed := func(proposal, revision int64, action, party, organisation, agency string, bytes int64) {
		t.Helper()
		run(t, f.conn, "SET session_replication_role = replica")
		run(t, f.conn, fmt.Sprintf("INSERT INTO proposal_steps (proposal, revision, action, party, organisation, who, before, after) VALUES (%d, %d, '%s', '%s', nullif('%s', ''), 'x', 'filed', 'filed')", proposal, revision, action, party, organisation))
		run(t, f.conn, fmt.Sprintf("INSERT INTO attachments (id, proposal, revision, agency, name, media_type, bytes, sha256) VALUES (%d, %d, %d, nullif('%s', ''), 'x', 'text/plain', %d, sha256(''))", proposal+revision, proposal, revision, agency, bytes))
		run(t, f.conn, "SET session_replication_role = DEFAULT")
	}
	for i := range permit.MaxAttachments - 1 {
		claimed(id, 1000+int64(i), "attach", "agency", "SXD", "SXD", 1)
	}
	var wait sync.WaitGroup
	var mu sync.Mutex
	taken := 0
	for range 4 {
		wait.Go(func() {
			_, err := f.attach(f.agency, id, "")
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				taken++
			} else if !errors.Is(err, layer.ErrConflict) {
				t.Error(err)
			}
		})
	}
	if wait.Wait(); taken != 1 {
		t.Errorf("%d files were taken where there was room for one", taken)
	}
	f.mustAttach(f.stranger, id, "") // another side has its own
	other = f.file(f.rest)
	small := int64(len("tệp của " + f.operator.Name))
	claimed(other, 1000, "attach", "organisation", "VNPT", "", permit.MaxAttachedBytes-small)
	f.mustAttach(f.operator, other, "")
	if _, err := f.attach(f.operator, other, ""); !errors.Is(err, layer.ErrConflict) {
		t.Errorf("over the bytes of a side: %v", err)
	}
	f.must(f.operator, id, permit.Decision{Action: permit.Withdraw})
	third := draftOf(t, f.Store, f.sites, "VNPT", "Third", orb.Point{103.1, 21.7})
	last := f.file(third)
	claimed(id, 2000, "attach", "organisation", "VNPT", "", permit.MaxOrganisationBytes) // of one that is over it does not count
	rest := int64(permit.MaxOrganisationBytes - permit.MaxAttachedBytes)
	claimed(other, 1001, "attach", "organisation", "VNPT", "", rest-small)
	f.mustAttach(f.operator, last, "")
	if _, err := f.attach(f.operator, last, ""); !errors.Is(err, layer.ErrConflict) {
		t.Errorf("over the bytes of an organisation: %v", err)
	}

	// Who does not see these learns nothing of them by being refused: a key for other layers, or an
	// agency that is not asked any more.
	point := sitesFiled()
	point.Features = []permit.FiledFeature{{Collection: "postal_points", ID: draftOf(t, f.Store, get(t, f.layers, "postal_points"), "VNPT", "P1", orb.Point{103.7, 21.5})}}
	unseen, err := f.FileProposal(t.Context(), f.operator, point)
	if err != nil {
		t.Fatal(err)
	}
	points := account.Viewer{Name: "key:points", Organisation: "VNPT", Grants: []account.Grant{{Role: account.Operator, Layers: []string{"postal_points"}}}}
	f.mustAttach(points, unseen, "")
	if _, err := f.attach(f.operator, unseen, ""); !errors.Is(err, layer.ErrConflict) {
		t.Errorf("over the bytes of an organisation, elsewhere: %v", err)
	}
	f.must(officer(), unseen, permit.Decision{Action: permit.Consult, Agencies: []string{"SXD"}})
	claimed(last, 3000, "attach", "agency", "SXD", "SXD", permit.MaxOrganisationBytes)
	f.mustAttach(f.agency, unseen, "")
}
