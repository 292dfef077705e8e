package postgis_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/notice"
	"hatang/internal/notice/mailtest"
	"hatang/internal/permit"
	"hatang/internal/postgis"
)

// telling is a register with people who can be told: the login says what each is.
type telling struct {
	*filing
	ids map[string]int64
}

func newTelling(t *testing.T) *telling {
	t.Helper()
	f := &telling{newFiling(t), map[string]int64{}}
	run(t, f.conn, `INSERT INTO organisations (code, kind, name) VALUES ('VIETTEL', 'operator', '{"vi": "x", "en": "x"}')`)
	here, far := account.Grant{Role: account.Officer, Territory: "094"}, account.Grant{Role: account.Officer, Territory: "095"}
	for login, p := range map[string]account.NewPerson{
		"officer": {Grants: []account.Grant{here}}, "far": {Grants: []account.Grant{far}}, "ducts": {Grants: []account.Grant{{Role: account.Officer, Layers: []string{"ducts"}}}},
		"approver": {Grants: []account.Grant{{Role: account.Approver}}}, "administrator": {Grants: []account.Grant{{Role: account.Administrator}}},
		"lan": {Organisation: "VNPT", Grants: []account.Grant{{Role: account.Operator}}}, "hoa": {Organisation: "VNPT", Grants: []account.Grant{{Role: account.Operator}}},
		"reader": {Organisation: "VNPT"}, "own-officer": {Organisation: "VNPT", Grants: []account.Grant{here}}, "rival": {Organisation: "VIETTEL", Grants: []account.Grant{{Role: account.Operator}}},
		"sxd": {Organisation: "SXD", Grants: []account.Grant{{Role: account.Consulted}}}, "bchqs": {Organisation: "BCHQS", Grants: []account.Grant{{Role: account.Consulted}}},
		"no-address": {Grants: []account.Grant{here}}, "silent": {Grants: []account.Grant{here}}, "disabled": {Grants: []account.Grant{here}},
	} {
		p.Login, p.Name, p.Email = login, "Người "+login, login+"@example.vn"
		if login == "no-address" {
			p.Email = ""
		}
		id, err := f.AddPerson(t.Context(), keeper(), p)
		if err != nil {
			t.Fatalf("%s: %v", login, err)
		}
		f.ids[login] = id
	}
	yes, no := true, false
	f.changePerson("silent", account.PersonChange{Notices: &no})
	f.changePerson("disabled", account.PersonChange{Disabled: &yes})
	return f
}

func (f *telling) changePerson(login string, c account.PersonChange) {
	f.t.Helper()
	if err := f.ChangePerson(context.Background(), keeper(), f.ids[login], c); err != nil {
		f.t.Fatal(err)
	}
}

// spreadAll finds out whom all notices concern.
func (f *telling) spreadAll(mail bool) {
	f.t.Helper()
	for {
		n, err := f.SpreadNotices(context.Background(), mail)
		if err != nil {
			f.t.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
}

// told is whom the notices are for, by kind.
func (f *telling) told() map[string]string {
	f.t.Helper()
	rows, err := f.conn.Query(context.Background(), `SELECT kind, string_agg(who, ' ' ORDER BY who) FROM (SELECT n.kind || coalesce(' ' || n.agency, '') AS kind, coalesce(p.login, upper(d.organisation)) AS who
		FROM notices n LEFT JOIN notice_deliveries d ON d.notice = n.id LEFT JOIN people p ON p.id = d.person) t GROUP BY kind`)
	if err != nil {
		f.t.Fatal(err)
	}
	told := map[string]string{}
	var kind string
	var who *string
	if _, err = pgx.ForEachRow(rows, []any{&kind, &who}, func() error {
		if told[kind] = ""; who != nil {
			told[kind] = *who
		}
		return nil
	}); err != nil {
		f.t.Fatal(err)
	}
	return told
}

// setHook has a program of an organisation told.
func (f *telling) setHook(organisation, url string) []byte {
	f.t.Helper()
	secret := sha256.Sum256([]byte(organisation))
	if err := f.SetWebhook(context.Background(), keeper(), organisation, url, secret[:]); err != nil {
		f.t.Fatal(err)
	}
	return secret[:]
}

// toldOfShare is whom the notices of a request to share are for, in their order.
func (f *telling) toldOfShare(number string) []string {
	f.t.Helper()
	rows, err := f.conn.Query(context.Background(), `SELECT n.kind || ':' || coalesce((SELECT string_agg(' ' || coalesce(p.login, upper(d.organisation)), '' ORDER BY coalesce(p.login, upper(d.organisation)))
		FROM notice_deliveries d LEFT JOIN people p ON p.id = d.person WHERE d.notice = n.id), '') FROM notices n WHERE n.sharing = $1 ORDER BY n.id`, number)
	if err != nil {
		f.t.Fatal(err)
	}
	told, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		f.t.Fatal(err)
	}
	return told
}

// deadlines notes them twice, on a day, and finds out whom they concern: each is told once.
func (f *telling) deadlines(today geo.Date) {
	f.t.Helper()
	for range 2 {
		if err := f.NoteDeadlines(context.Background(), today); err != nil {
			f.t.Fatal(err)
		}
	}
	f.spreadAll(true)
}

// Of a request to share its parties are told what the others did, officers of the place what
// they may take up, all what is late, and nobody else anything.
func TestWhoIsToldOfSharing(t *testing.T) {
	f := newTelling(t)
	s := sharingIn(f.filing)
	f.setHook("VNPT", "https://vnpt.example.vn/")
	f.setHook("MOBIFONE", "https://mobifone.example.vn/")
	day := func(day int) geo.Date { return geo.NewDate(2026, 3, day) } // asked on the 2nd, an answer is due on the 23rd
	mediated := s.ask(s.request("ducts", s.duct))
	f.deadlines(day(19))
	f.deadlines(day(20))
	f.deadlines(day(24))
	late := declines()
	late.Today = day(24)
	s.steps(s.owner, mediated, late)
	s.steps(s.asker, mediated, permit.ShareDecision{Action: permit.ShareMediate, Today: day(24)}) // until 23 April
	f.deadlines(geo.NewDate(2026, 4, 22))
	s.steps(s.officer, mediated, permit.ShareDecision{Action: permit.ShareAgree, Agreement: offer(), Today: day(25)})

	refused := s.ask(s.request("bts_sites", s.mast))
	s.steps(s.owner, refused, declines())
	s.steps(s.officer, refused, permit.ShareDecision{Action: permit.ShareMediate})
	s.steps(s.officer, refused, permit.ShareDecision{Action: permit.ShareRefuse, Reasons: "hết tải"})

	together := s.ask(s.together())
	s.steps(s.owner, together, accepts())
	f.deadlines(day(21)) // of the one that has not answered
	s.steps(s.asker, together, permit.ShareDecision{Action: permit.ShareWithdraw})

	agreed := s.ask(s.request("bts_sites", s.mast))
	s.steps(s.owner, agreed, accepts())
	s.steps(s.asker, agreed, permit.ShareDecision{Action: permit.ShareAgree})
	f.spreadAll(true)
	const owner = " VNPT hoa lan"
	for number, want := range map[string][]string{
		mediated: {"sharing_asked:" + owner, "sharing_due:" + owner, "sharing_overdue: VNPT ducts hoa lan officer rival", "sharing_declined: ducts officer rival", "sharing_mediation: VNPT ducts hoa lan officer",
			"sharing_due: ducts officer", "sharing_agreed:" + owner + " rival"},
		refused:  {"sharing_asked:" + owner, "sharing_declined: officer rival", "sharing_mediation:" + owner + " rival", "sharing_refused:" + owner + " rival"},
		together: {"sharing_asked: MOBIFONE" + owner, "sharing_accepted: rival", "sharing_due: MOBIFONE", "sharing_withdrawn: MOBIFONE" + owner},
		agreed:   {"sharing_asked:" + owner, "sharing_accepted: rival", "sharing_agreed:" + owner},
	} {
		if diff := cmp.Diff(want, f.toldOfShare(number)); diff != "" {
			t.Errorf("whom notices are for (-want +got)\n%s", diff)
		}
	}
	// Sent, they say what their receivers may see: of the owner's people the asker learns nothing.
	mails := mailtest.Start(t, mailtest.Options{})
	if err := f.RemoveWebhook(t.Context(), keeper(), "VNPT"); err != nil {
		t.Fatal(err)
	}
	if err := f.RemoveWebhook(t.Context(), keeper(), "MOBIFONE"); err != nil {
		t.Fatal(err)
	}
	no := false
	f.changePerson("hoa", account.PersonChange{Notices: &no})
	f.work(f.courier(f.Store, mails, nil))
	got := map[string]int{}
	for _, m := range mails.Mails() {
		got[m.To[:strings.IndexByte(m.To, '@')]]++
		if !bytes.Contains(m.Data, []byte(mediated)) && !bytes.Contains(m.Data, []byte(refused)) && !bytes.Contains(m.Data, []byte(together)) && !bytes.Contains(m.Data, []byte(agreed)) {
			t.Errorf("a mail of no request: %s", m.Data)
		}
	}
	if diff := cmp.Diff(map[string]int{"lan": 12, "rival": 8, "officer": 5, "ducts": 4}, got); diff != "" {
		t.Errorf("mails (-want +got)\n%s", diff)
	}
	if sent, err := f.SentNotices(t.Context(), keeper(), permit.NoticeQuery{State: permit.NoticeDropped, Limit: 100}); err != nil || len(sent) != 12+12+3 || sent[0].Sharing == nil || sent[0].Proposal != nil {
		t.Errorf("%d are dropped, %v", len(sent), err)
	}
}

func TestWhoIsTold(t *testing.T) {
	f := newTelling(t)
	f.setHook("VNPT", "https://vnpt.example.vn/")
	f.setHook("SXD", "https://sxd.example.vn/")
	id := f.file(f.draft)
	f.must(f.officer, id, permit.Decision{Action: permit.AskMore, Reasons: "x"})
	f.must(f.operator, id, permit.Decision{Action: permit.Supplement, Verdict: []byte("{}")})
	f.must(f.officer, id, permit.Decision{Action: permit.Consult, Agencies: []string{"SXD", "BCHQS"}})
	f.must(f.agency, id, permit.Decision{Action: permit.AnswerFor, Answer: "agreed"})
	// An agency that answers what it is asked by itself is heard as well.
	asked, err := f.Consultations(t.Context(), f.stranger, account.ConsultationQuery{Limit: 2})
	if err != nil || len(asked) != 1 {
		t.Fatal(asked, err)
	}
	if err := f.ChangeConsultation(t.Context(), f.stranger, asked[0].ID, account.ConsultationChange{Answer: "agreed"}); err != nil {
		t.Fatal(err)
	}
	run(t, f.conn, "UPDATE proposals SET due_on = hatang_today() - 1")
	f.deadlines(askedOn)
	f.must(f.approver, id, permit.Decision{Action: permit.Approve})
	app := connect(t, f.url)
	run(t, app, "SET ROLE hatang_app")
	run(t, f.conn, "UPDATE proposals SET expires_on = hatang_today() + 31")
	f.deadlines(askedOn) // not yet; and whoever has the serving role's connection cannot have it noted sooner
	for _, asked := range []string{"31, 3", "2147483647, 3", "-1, 3", "-2147483648, 3", "NULL, 3", "30, 4", "30, -1", "30, NULL"} {
		if _, err := app.Exec(t.Context(), "SELECT hatang_note_deadlines("+asked+", '2026-03-02')"); code(err) != "22023" {
			t.Errorf("deadlines of %s days: %v", asked, err)
		}
	}
	for _, today := range []string{"'infinity'", "'-infinity'", "NULL"} {
		if _, err := app.Exec(t.Context(), "SELECT hatang_note_deadlines(30, 3, "+today+")"); code(err) != "22023" {
			t.Errorf("deadlines on %s: %v", today, err)
		}
	}
	run(t, f.conn, "UPDATE proposals SET expires_on = hatang_today() + 30")
	f.deadlines(askedOn)
	f.must(f.approver, id, permit.Decision{Action: permit.Renew})
	run(t, f.conn, "UPDATE proposals SET expires_on = hatang_today() - 1")
	f.deadlines(askedOn)
	f.must(f.officer, id, permit.Decision{Action: permit.Expire})
	other := f.file(f.rest)
	f.must(f.operator, other, permit.Decision{Action: permit.Withdraw})
	f.spreadAll(true)
	filers, officers := "VNPT hoa lan", "officer"
	want := map[string]string{"filed": "officer officer", "more_asked": filers, "supplemented": officers, "consulted SXD": "SXD sxd", "consulted BCHQS": "bchqs", "answered SXD": officers, "answered BCHQS": officers,
		"overdue": "VNPT hoa lan officer", "approved": filers, "expiring": filers, "renewed": filers, "not_built": filers, "expired": filers, "withdrawn": officers}
	if diff := cmp.Diff(want, f.told()); diff != "" {
		t.Errorf("whom notices are for (-want +got)\n%s", diff)
	}
	if got := scalar[int](t, f.conn, "SELECT count(*)::int FROM notices"); got != 15 {
		t.Errorf("%d notices", got)
	}
	for _, sql := range []string{"INSERT INTO notices (proposal, kind) VALUES (1, 'approved')", "DELETE FROM notices", "UPDATE notices SET kind = 'refused'", "DELETE FROM notice_deliveries", "UPDATE notice_deliveries SET person = 1",
		"UPDATE webhooks SET organisation = 'x'", "SELECT notices_of_steps()"} {
		if _, err := app.Exec(t.Context(), sql); code(err) != "42501" && code(err) != "0A000" {
			t.Errorf("%s: %v", sql, err)
		}
	}
}

// Where no mail is sent, none is kept for later.
func TestNoticesWithoutMail(t *testing.T) {
	f := newTelling(t)
	f.setHook("VNPT", "https://vnpt.example.vn/")
	id := f.file(f.draft)
	f.must(f.approver, id, permit.Decision{Action: permit.Refuse, Reasons: "x"})
	f.spreadAll(false)
	if diff := cmp.Diff(map[string]string{"filed": "", "refused": "VNPT"}, f.told()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// courier is one of a server that has its own connections to the register.
func (f *telling) courier(store *postgis.Store, s *mailtest.Server, hooks *notice.Webhooks) *notice.Courier {
	mailer := &notice.Mailer{Address: s.Address, Security: notice.StartTLS, From: mail.Address{Address: "hatang@example.vn"}, Roots: s.Roots}
	return &notice.Courier{Queue: store, Mail: mailer, Hooks: hooks, Wait: func(int) time.Duration { return 0 }, Log: slog.New(slog.DiscardHandler)}
}

// work has couriers at work at once until no notice waits.
func (f *telling) work(couriers ...*notice.Courier) {
	f.t.Helper()
	var working sync.WaitGroup
	for _, c := range couriers {
		working.Go(func() {
			for worked := true; worked; {
				var err error
				if worked, err = c.Work(context.Background()); err != nil {
					f.t.Error(err)
					return
				}
			}
		})
	}
	working.Wait()
}

// faults fails at each stage in each way, three times, and then no more.
func faults() func(mailtest.Stage, mailtest.Mail) mailtest.Fault {
	var mu sync.Mutex
	left := map[mailtest.Stage][]mailtest.Fault{}
	for range 3 {
		for stage, kinds := range map[mailtest.Stage][]mailtest.Fault{mailtest.Connected: {{Code: 421}, {}, {Drop: true}, {Code: 554}, {}}, mailtest.Sender: {{Code: 451}, {Drop: true}, {}, {Code: 550}},
			mailtest.Receiver: {{Code: 450}, {}, {Drop: true}}, mailtest.Content: {{Code: 452}, {Drop: true}, {}}, mailtest.Taken: {{Code: 451}}} {
			left[stage] = append(left[stage], kinds...)
		}
	}
	return func(at mailtest.Stage, _ mailtest.Mail) (f mailtest.Fault) {
		mu.Lock()
		defer mu.Unlock()
		if len(left[at]) > 0 {
			f, left[at] = left[at][0], left[at][1:]
		}
		return f
	}
}

// Of servers that share the work each with two couriers, with a mail server and a webhook that
// fail, each notice arrives once.
func TestEachNoticeArrivesOnce(t *testing.T) {
	f := newTelling(t)
	var mu sync.Mutex
	arrived := map[string]int{}
	calls := 0
	program := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if calls++; calls%3 != 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		arrived[r.Header.Get(notice.NoticeHeader)]++
	}))
	defer program.Close()
	hooks := &notice.Webhooks{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Roots: x509.NewCertPool(), Now: time.Now}
	hooks.Roots.AddCert(program.Certificate())
	s := mailtest.Start(t, mailtest.Options{Fault: faults()})
	f.setHook("VNPT", program.URL)
	second, err := postgis.Open(t.Context(), f.url, f.layers)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	for i, draft := range []int64{f.draft, f.rest} {
		id := f.file(draft)
		f.must(f.officer, id, permit.Decision{Action: permit.AskMore, Reasons: "thiếu bản vẽ"})
		f.must(f.operator, id, permit.Decision{Action: permit.Supplement, Verdict: []byte("{}")})
		f.must(f.officer, id, permit.Decision{Action: permit.Consult, Agencies: []string{"SXD"}})
		f.must(f.agency, id, permit.Decision{Action: permit.AnswerFor, Answer: "agreed"})
		f.must(f.approver, id, []permit.Decision{{Action: permit.Approve}, {Action: permit.Refuse, Reasons: "x"}}[i])
	}
	sharing := sharingIn(f.filing)
	asked := sharing.ask(sharing.request("bts_sites", sharing.mast))
	sharing.steps(sharing.owner, asked, declines())
	sharing.steps(sharing.asker, asked, permit.ShareDecision{Action: permit.ShareMediate})
	for _, store := range []*postgis.Store{f.Store, second, f.Store} {
		if err := store.NoteDeadlines(t.Context(), geo.NewDate(2026, 12, 1)); err != nil { // mediation is late
			t.Fatal(err)
		}
	}
	f.work(f.courier(f.Store, s, hooks), f.courier(f.Store, s, hooks), f.courier(second, s, hooks), f.courier(second, s, hooks))
	for _, m := range s.Mails() {
		read, err := mail.ReadMessage(bytes.NewReader(m.Data))
		if err != nil {
			t.Fatal(err)
		}
		id, _, _ := strings.Cut(strings.Trim(read.Header.Get("Message-Id"), "<>"), "@")
		arrived[id]++
	}
	sent, err := f.SentNotices(t.Context(), keeper(), permit.NoticeQuery{Limit: 100})
	// Of each proposal to the officer filed, supplemented, answered; to two people and a program more asked, and the end; to the agency. Of the request to share to the
	// owner's three that it is asked, to the asker and the officer that it is declined, to the owner and the officer mediation, to all five that it is late.
	if err != nil || len(sent) != 2*(3+3+1+3)+3+2+4+5 {
		t.Errorf("%d notices, %v", len(sent), err)
	}
	attempts := 0
	for _, n := range sent {
		attempts += n.Attempts
		if n.State != permit.NoticeDelivered || arrived[n.Message] != 1 {
			t.Errorf("%s of %v: %s after %d attempts, arrived %d times: %v", n.Kind, n.Proposal, n.State, n.Attempts, arrived[n.Message], n.Error)
		}
	}
	if len(arrived) != len(sent) || attempts < len(sent)+30 {
		t.Errorf("%d notices in %d attempts; %d arrived", len(sent), attempts, len(arrived))
	}
	t.Logf("%d notices in %d attempts", len(sent), attempts)
}

// Who may not see it any more, or wants none, when a notice is sent, is not told.
func TestNoticesOfWhatIsSeenNoMore(t *testing.T) {
	f := newTelling(t)
	s := mailtest.Start(t, mailtest.Options{})
	f.setHook("VNPT", "https://vnpt.example.vn/")
	f.setHook("SXD", "https://sxd.example.vn/")
	id := f.file(f.draft)
	f.must(f.officer, id, permit.Decision{Action: permit.AskMore, Reasons: "x"})
	f.must(f.operator, id, permit.Decision{Action: permit.Supplement, Verdict: []byte("{}")})
	f.must(f.officer, id, permit.Decision{Action: permit.Consult, Agencies: []string{"SXD"}})
	f.spreadAll(true)
	officer, err := f.Person(t.Context(), f.ids["officer"])
	if err != nil {
		t.Fatal(err)
	}
	if err := f.WithdrawGrant(t.Context(), keeper(), officer.ID, officer.Grants[0].ID); err != nil {
		t.Fatal(err)
	}
	no, yes, none, elsewhere := false, true, "", "VIETTEL"
	f.changePerson("lan", account.PersonChange{Notices: &no})
	f.changePerson("hoa", account.PersonChange{Organisation: &elsewhere})
	f.changePerson("bchqs", account.PersonChange{Email: &none, Disabled: &yes})
	run(t, f.conn, "UPDATE consultations SET withdrawn_at = now()")
	if err := f.RemoveWebhook(t.Context(), keeper(), "VNPT"); err != nil {
		t.Fatal(err)
	}
	f.work(f.courier(f.Store, s, &notice.Webhooks{Now: time.Now}))
	sent, err := f.SentNotices(t.Context(), keeper(), permit.NoticeQuery{State: permit.NoticeDropped, Limit: 100})
	all := scalar[int](t, f.conn, "SELECT count(*)::int FROM notice_deliveries")
	if err != nil || len(s.Mails()) != 0 || len(sent) != all || all != 7 {
		t.Errorf("%d of %d notices are dropped, %d mails were sent, %v", len(sent), all, len(s.Mails()), err)
	}
	// A mail says what its receiver may see: of answers an organisation hears nothing.
	if err := f.ChangePerson(t.Context(), keeper(), f.ids["lan"], account.PersonChange{Notices: &yes}); err != nil {
		t.Fatal(err)
	}
	f.must(f.approver, id, permit.Decision{Action: permit.Refuse, Reasons: "ngoài quy hoạch"})
	f.work(f.courier(f.Store, s, &notice.Webhooks{Now: time.Now}))
	if mails := s.Mails(); len(mails) != 1 || mails[0].To != "lan@example.vn" || bytes.Contains(mails[0].Data, []byte("SXD")) {
		t.Errorf("%d mails: %+v", len(mails), mails)
	}
}

// What cannot be delivered is tried again so often, and then administrators see why not.
func TestNoticesThatFail(t *testing.T) {
	f := newTelling(t)
	back := false // hoa's server
	s := mailtest.Start(t, mailtest.Options{Fault: func(at mailtest.Stage, m mailtest.Mail) mailtest.Fault {
		switch {
		case back:
		case at == mailtest.Receiver && strings.HasPrefix(m.To, "lan"):
			return mailtest.Fault{Code: 550}
		case at == mailtest.Receiver && strings.HasPrefix(m.To, "hoa"):
			return mailtest.Fault{Code: 451}
		}
		return mailtest.Fault{}
	}})
	id := f.file(f.draft)
	f.must(f.approver, id, permit.Decision{Action: permit.Refuse, Reasons: "x"})
	f.work(f.courier(f.Store, s, nil))
	failed, err := f.SentNotices(t.Context(), keeper(), permit.NoticeQuery{State: permit.NoticeFailed, Limit: 100})
	if err != nil || len(failed) != 2 {
		t.Fatalf("%+v, %v", failed, err)
	}
	got := map[string]string{}
	for _, n := range failed {
		got[*n.Person] = fmt.Sprint(n.Attempts, " ", (*n.Error)[:3])
	}
	if diff := cmp.Diff(map[string]string{"lan": "1 550", "hoa": fmt.Sprint(notice.Attempts, " 451")}, got); diff != "" || len(s.Mails()) != 1 {
		t.Errorf("what failed after how many attempts (-want +got)\n%s; %d mails", diff, len(s.Mails()))
	}
	if _, err := f.SentNotices(t.Context(), f.officer, permit.NoticeQuery{Limit: 1}); !errors.Is(err, layer.ErrForbidden) {
		t.Errorf("an officer: %v", err)
	}
	again := failed[slices.IndexFunc(failed, func(n permit.SentNotice) bool { return *n.Person == "hoa" })]
	for name, err := range map[string]error{"forbidden": f.SendNoticeAgain(t.Context(), f.officer, again.ID), "not found": f.SendNoticeAgain(t.Context(), keeper(), 1<<40)} {
		if got := outcomeOf(err); got != name {
			t.Errorf("sent again: %v, want %s", err, name)
		}
	}
	if err := f.SendNoticeAgain(t.Context(), keeper(), again.ID); err != nil {
		t.Fatal(err)
	}
	if err := f.SendNoticeAgain(t.Context(), keeper(), again.ID); !errors.Is(err, layer.ErrConflict) { // it waits
		t.Errorf("sent again twice: %v", err)
	}
	back = true
	f.work(f.courier(f.Store, s, nil))
	delivered, err := f.SentNotices(t.Context(), keeper(), permit.NoticeQuery{State: permit.NoticeDelivered, Limit: 100})
	if at := slices.IndexFunc(delivered, func(n permit.SentNotice) bool { return n.ID == again.ID }); err != nil || at < 0 || delivered[at].Attempts != 1 || delivered[at].Message != again.Message || len(s.Mails()) != 2 {
		t.Errorf("%+v, %v, %d mails", delivered, err, len(s.Mails()))
	}
	if err := f.SendNoticeAgain(t.Context(), keeper(), again.ID); !errors.Is(err, layer.ErrConflict) {
		t.Errorf("sent again once it has arrived: %v", err)
	}
	if got := scalar[string](t, f.conn, "SELECT string_agg(who || ' ' || subject, ' ') FROM audit WHERE action = 'notice.again'"); got != fmt.Sprint(keeper().Name, " notice:", again.ID) {
		t.Errorf("the audit: %s", got)
	}
	if _, err := f.conn.Exec(t.Context(), "UPDATE notice_deliveries SET state = 'waiting', ended_at = NULL"); code(err) != "23001" {
		t.Errorf("what has ended is sent again: %v", err)
	}
	waits := []time.Duration{}
	for i := range 7 {
		waits = append(waits, notice.Wait(i+1))
	}
	if want := []time.Duration{time.Minute, 4 * time.Minute, 16 * time.Minute, 64 * time.Minute, 256 * time.Minute, 6 * time.Hour, 6 * time.Hour}; !slices.Equal(waits, want) {
		t.Errorf("it waits %v", waits)
	}
}

// While one server has a notice nobody else takes it; once its time is up another does, and
// what the first says then counts no more.
func TestNoticesOfServersThatDie(t *testing.T) {
	f := newTelling(t)
	s := mailtest.Start(t, mailtest.Options{})
	f.file(f.draft)
	f.spreadAll(true)
	first, err := f.ClaimNotice(t.Context(), time.Minute, true)
	if err != nil || first == nil || first.Mail.Address != "officer@example.vn" {
		t.Fatalf("%+v, %v", first, err)
	}
	if f.work(f.courier(f.Store, s, nil)); len(s.Mails()) != 0 {
		t.Errorf("%d mails of what another server has", len(s.Mails()))
	}
	run(t, f.conn, "UPDATE notice_deliveries SET leased_until = now() - interval '1 second'")
	second, err := f.ClaimNotice(t.Context(), time.Minute, true)
	if err != nil || second == nil || second.Message != first.Message || second.Attempts != 2 {
		t.Fatalf("%+v, %v", second, err)
	}
	if err := f.EndNotice(t.Context(), first, permit.NoticeOutcome{State: permit.NoticeFailed}); !errors.Is(err, layer.ErrStale) {
		t.Errorf("the first: %v", err)
	}
	if err := f.EndNotice(t.Context(), second, permit.NoticeOutcome{State: permit.NoticeWaiting, Error: "x"}); err != nil {
		t.Error(err)
	}
	if f.work(f.courier(f.Store, s, nil)); len(s.Mails()) != 1 {
		t.Errorf("%d mails", len(s.Mails()))
	}
	// Servers that all die over it do not go on for ever.
	f.file(f.rest)
	f.spreadAll(true)
	run(t, f.conn, "UPDATE notice_deliveries SET attempts = $1 WHERE state = 'waiting'", notice.Attempts)
	f.work(f.courier(f.Store, s, nil))
	if failed, err := f.SentNotices(t.Context(), keeper(), permit.NoticeQuery{State: permit.NoticeFailed, Limit: 9}); err != nil || len(failed) != 1 || len(s.Mails()) != 1 {
		t.Errorf("%+v, %v, %d mails", failed, err, len(s.Mails()))
	}
}

func TestWebhooksAreKept(t *testing.T) {
	f := newTelling(t)
	secret := f.setHook("VNPT", "https://a.example.vn:8443/hooks/hidden-path?token=hidden-query")
	f.setHook("VNPT", "https://b.example.vn/")
	list, err := f.Webhooks(t.Context(), keeper())
	if err != nil || len(list) != 1 || list[0].URL != "https://b.example.vn/" || list[0].SetBy != keeper().Name {
		t.Errorf("%+v, %v", list, err)
	}
	for name, err := range map[string]error{
		"none such": f.SetWebhook(t.Context(), keeper(), "NOBODY", "https://x.example.vn/", secret), "none to remove": f.RemoveWebhook(t.Context(), keeper(), "SXD"),
	} {
		if !errors.Is(err, layer.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, listed := f.Webhooks(t.Context(), f.officer)
	for name, err := range map[string]error{"set": f.SetWebhook(t.Context(), f.operator, "VNPT", "https://x.example.vn/", secret), "removed": f.RemoveWebhook(t.Context(), f.officer, "VNPT"), "listed": listed} {
		if !errors.Is(err, layer.ErrForbidden) {
			t.Errorf("%s by others: %v", name, err)
		}
	}
	if audited := scalar[string](t, f.conn, "SELECT string_agg(action || ' ' || subject || ' ' || detail::text, '; ' ORDER BY id) FROM audit WHERE action LIKE 'webhook%'"); audited != `webhook.set organisation:VNPT {"host": "a.example.vn:8443"}; webhook.set organisation:VNPT {"host": "b.example.vn"}` {
		t.Errorf("the audit: %s", audited)
	}
	for url, want := range map[string]string{"https://c.vn?key=hidden": "c.vn", "https://user:hidden@c.vn/x@hidden": "c.vn", "https://[2001:db8::1]:9/hidden": "[2001:db8::1]:9", `https://c.vn\hidden`: "c.vn", "https://c.vn#hidden": "c.vn"} {
		f.setHook("VNPT", url)
		if got := scalar[string](t, f.conn, "SELECT detail ->> 'host' FROM audit ORDER BY id DESC LIMIT 1"); got != want {
			t.Errorf("of %s the audit has %s", url, got)
		}
	}
}
