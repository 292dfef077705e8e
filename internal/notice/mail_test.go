package notice_test

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/notice"
	"hatang/internal/notice/mailtest"
	"hatang/internal/permit"
)

// told is a notice that more is asked, to a person who reads Vietnamese.
func told() *permit.Notice {
	reasons := "Thiếu bản vẽ móng.\n.Dấu chấm đầu dòng"
	return &permit.Notice{Message: "00000000-0000-4000-8000-000000000001", Kind: permit.NoticeMoreAsked, MadeAt: time.Date(2026, 11, 29, 1, 2, 3, 0, time.UTC), Revision: 2, Party: permit.Organisation,
		File: permit.File{ID: 7, Organisation: "VNPT", Title: "Cột ăng ten tại phường Mường Thanh, thành phố Điện Biên Phủ, tỉnh Điện Biên", State: permit.MoreAsked, DueOn: geo.NewDate(2026, 12, 24),
			Steps: []permit.FileStep{{Revision: 1, Number: 1}, {Revision: 2, Number: 2, After: permit.MoreAsked, Reasons: &reasons}}},
		Mail: &permit.NoticeMail{Name: "Nguyễn Thị Lan", Address: "lan@example.vn", Language: "vi"}}
}

// toldOfSharing is a notice that what VIETTEL asks VNPT for is declined.
func toldOfSharing() *permit.Notice {
	n := told()
	code, reasons := "DB-17", "Cột không đủ tải."
	n.Kind, n.Party, n.File = permit.NoticeShareDeclined, permit.Party(permit.ShareAsker), permit.File{}
	n.Share = &permit.ShareRequest{Number: "S-2026-0000-0000-0000", Asker: "VIETTEL", Partners: []permit.SharingPartner{{Organisation: "VNPT"}}, Collection: "bts_sites", Code: &code, State: permit.ShareDeclined,
		Revision: 2, DueOn: geo.NewDate(2026, 12, 24), Steps: []permit.ShareStep{{Revision: 1}, {Revision: 2, After: permit.ShareDeclined, Reasons: &reasons}}}
	return n
}

func mailerTo(s *mailtest.Server, security notice.Security) *notice.Mailer {
	return &notice.Mailer{Address: s.Address, Security: security, From: mail.Address{Name: "Hatang – Điện Biên", Address: "hatang@example.vn"}, PublicURL: "https://hatang.example.vn/", Roots: s.Roots}
}

// What arrives is a mail that any program reads: headers in encoded words, short lines, text
// in quoted-printable.
func TestMailsAreWellFormed(t *testing.T) {
	s := mailtest.Start(t, mailtest.Options{})
	if err := mailerTo(s, notice.StartTLS).Send(t.Context(), told()); err != nil {
		t.Fatal(err)
	}
	got := s.Mails()
	if len(got) != 1 || !got[0].Secure || got[0].From != "hatang@example.vn" || got[0].To != "lan@example.vn" {
		t.Fatalf("%+v", got)
	}
	for i, line := range bytes.Split(got[0].Data, []byte("\r\n")) {
		if len(line) > 100 || bytes.ContainsAny(line, "\r\n") || bytes.ContainsFunc(line, func(r rune) bool { return r > 126 }) {
			t.Errorf("line %d: %q", i+1, line)
		}
	}
	m, err := mail.ReadMessage(bytes.NewReader(got[0].Data))
	if err != nil {
		t.Fatal(err)
	}
	var decoder mime.WordDecoder
	subject, err := decoder.DecodeHeader(m.Header.Get("Subject"))
	if want := "Hồ sơ cần bổ sung: " + told().File.Title; err != nil || subject != want {
		t.Errorf("subject %q, %v", subject, err)
	}
	for header, want := range map[string]string{"From": "Hatang – Điện Biên", "To": "Nguyễn Thị Lan"} {
		if list, err := m.Header.AddressList(header); err != nil || len(list) != 1 || list[0].Name != want {
			t.Errorf("%s: %v, %v", header, list, err)
		}
	}
	for header, want := range map[string]string{"Message-Id": "<00000000-0000-4000-8000-000000000001@example.vn>", "Content-Type": `text/plain; charset="utf-8"`, "Mime-Version": "1.0", "Auto-Submitted": "auto-generated",
		"Date": "Sun, 29 Nov 2026 01:02:03 +0000"} {
		if got := m.Header.Get(header); got != want {
			t.Errorf("%s: %q, want %q", header, got, want)
		}
	}
	text, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Hồ sơ cần bổ sung.\r\n", "(7)\r\n", "Đơn vị nộp: VNPT\r\n", "Trạng thái: chờ bổ sung\r\n", "Hạn của bước tiếp theo: 24/12/2026\r\n", "Nội dung: Thiếu bản vẽ móng.\r\n.Dấu chấm đầu dòng\r\n", "Mở trên trang: https://hatang.example.vn/#proposal=7\r\n", "API: https://hatang.example.vn/api/v1/proposals/7\r\n"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
}

// Every kind has its words in both languages, and what is no letter of ASCII stays what it is
// in a subject, however long.
func TestTextsOfNotices(t *testing.T) {
	seen := map[string]bool{}
	for _, kind := range permit.NoticeKinds() {
		n := told()
		n.Kind, n.Agency = kind, "SXD"
		for _, text := range []geo.Text{notice.Subject(n), notice.Body(n, "")} {
			if text.VI == text.EN || seen[text.VI] || seen[text.EN] || strings.HasPrefix(text.VI, ":") || strings.HasPrefix(text.EN, ":") {
				t.Errorf("%s: %+v", kind, text)
			}
			seen[text.VI], seen[text.EN] = true, true
		}
	}
	for _, state := range permit.States() {
		n := told()
		n.File.State, n.File.Steps[1].After = state, state
		if text := notice.Body(n, ""); strings.Contains(text.VI, "Trạng thái: \n") || strings.Contains(text.EN, "State: \n") {
			t.Errorf("%s has no name", state)
		}
	}
	for _, kind := range permit.ShareNoticeKinds() {
		n := toldOfSharing()
		if n.Kind = kind; seen[notice.Subject(n).VI] || seen[notice.Subject(n).EN] || !strings.HasSuffix(notice.Subject(n).VI, ": cột ăng ten DB-17 (VIETTEL → VNPT)") {
			t.Errorf("%s: %+v", kind, notice.Subject(n))
		}
		seen[notice.Subject(n).VI], seen[notice.Subject(n).EN] = true, true
	}
	for _, state := range permit.ShareStates() {
		n := toldOfSharing()
		n.Share.State, n.Share.Steps[1].After = state, state
		if text := notice.Body(n, ""); strings.Contains(text.VI, "Trạng thái: \n") || strings.Contains(text.EN, "State: \n") {
			t.Errorf("%s has no name", state)
		}
	}
	for _, layer := range permit.SharedLayers() {
		n := toldOfSharing()
		n.Share.Collection, n.Share.Code = layer, nil
		if text := notice.Subject(n); strings.Contains(text.VI, "dựng  (") || strings.Contains(text.EN, "a  together") {
			t.Errorf("%s has no name: %+v", layer, text)
		}
	}
	if got, want := notice.Body(toldOfSharing(), "https://hatang.example.vn/").VI, "Đề nghị dùng chung không được chấp nhận.\n\nĐề nghị: cột ăng ten DB-17 (VIETTEL → VNPT)\nSố: S-2026-0000-0000-0000\nTrạng thái: không được chấp nhận\n"+
		"Hạn của bước tiếp theo: 24/12/2026\nNội dung: Cột không đủ tải.\n\nMở trên trang: https://hatang.example.vn/#sharing=S-2026-0000-0000-0000\nAPI: https://hatang.example.vn/api/v1/sharing-requests/S-2026-0000-0000-0000\n"; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	// What came after the step that it is about is told apart, and what has been answered is said.
	n := told()
	n.Kind, n.Agency, n.File.State = permit.NoticeAnswered, "SXD", permit.Approved
	n.File.Steps[1].Action, n.File.Steps[1].After, n.File.Steps[1].Detail = permit.AnswerFor, permit.Consulting, []byte(`{"agency":"SXD","answer":"objected"}`)
	if text := notice.Body(n, "").EN; !strings.Contains(text, "Agency: SXD\nAnswer: objected\nState: agencies are asked\nBy now: approved\nReasons") {
		t.Errorf("got %s", text)
	}
	for _, answer := range account.Answers() {
		n.File.Steps[1].Detail = fmt.Appendf(nil, `{"answer":%q}`, answer)
		if text := notice.Body(n, "").VI; !strings.Contains(text, "\nTrả lời: ") || strings.Contains(text, "Trả lời: \n") {
			t.Errorf("%s has no name in %s", answer, text)
		}
	}
	s := mailtest.Start(t, mailtest.Options{})
	var decoder mime.WordDecoder
	for i, title := range []string{"plain", "=?utf-8?q?no?=", strings.Repeat("ế", permit.MaxTitleRunes), strings.Repeat("long ", 60), "a\r\nBcc: x@example.vn"} {
		n := told()
		n.File.Title, n.Mail.Language = title, "en"
		if err := mailerTo(s, notice.None).Send(t.Context(), n); err != nil {
			t.Fatal(err)
		}
		m, err := mail.ReadMessage(bytes.NewReader(s.Mails()[i].Data))
		if err != nil {
			t.Fatalf("%.20q: %v\n%s", title, err, s.Mails()[i].Data)
		}
		if subject, err := decoder.DecodeHeader(m.Header.Get("Subject")); err != nil || subject != "More is asked about your proposal: "+title || m.Header.Get("Bcc") != "" {
			t.Errorf("%.20q: %q, %v", title, subject, err)
		}
	}
}

func TestConnectionsToMailServers(t *testing.T) {
	plain, secure := mailtest.Start(t, mailtest.Options{NoTLS: true}), mailtest.Start(t, mailtest.Options{TLS: true})
	asks := mailtest.Start(t, mailtest.Options{User: "hatang", Password: "bí mật"})
	signsIn := mailerTo(asks, notice.StartTLS)
	signsIn.User, signsIn.Password = "hatang", "bí mật"
	wrong := *signsIn
	wrong.Password = "x"
	strange := mailerTo(secure, notice.TLS)
	strange.Roots = nil
	got := map[string]bool{}
	for name, m := range map[string]*notice.Mailer{"none": mailerTo(plain, notice.None), "no STARTTLS there": mailerTo(plain, notice.StartTLS), "tls": mailerTo(secure, notice.TLS), "tls to a plain one": mailerTo(plain, notice.TLS),
		"a certificate that nobody knows": strange, "signed in": signsIn, "wrong password": &wrong, "not signed in": mailerTo(asks, notice.StartTLS)} {
		err := m.Send(t.Context(), told())
		if got[name] = err == nil; notice.Refused(err) {
			t.Errorf("%s: %v is taken for the receiver's", name, err)
		}
	}
	want := map[string]bool{"none": true, "no STARTTLS there": false, "tls": true, "tls to a plain one": false, "a certificate that nobody knows": false, "signed in": true, "wrong password": false, "not signed in": false}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what is sent (-want +got)\n%s", diff)
	}
	if mails := asks.Mails(); len(mails) != 1 || mails[0].User != "hatang" || !mails[0].Secure {
		t.Errorf("%+v", mails)
	}
}

// What a server says of the receiver, or of the mail, for good stays; all else may pass.
func TestRefusalsOfMailServers(t *testing.T) {
	for _, tt := range []struct {
		stage mailtest.Stage
		fault mailtest.Fault
		stays bool
		taken int
	}{
		{mailtest.Connected, mailtest.Fault{Code: 421}, false, 0}, {mailtest.Connected, mailtest.Fault{Code: 554}, false, 0}, {mailtest.Connected, mailtest.Fault{Drop: true}, false, 0},
		{mailtest.Sender, mailtest.Fault{Code: 451}, false, 0}, {mailtest.Sender, mailtest.Fault{Code: 550}, false, 0}, {mailtest.Sender, mailtest.Fault{Drop: true}, false, 0},
		{mailtest.Receiver, mailtest.Fault{Code: 450}, false, 0}, {mailtest.Receiver, mailtest.Fault{Code: 550}, true, 0}, {mailtest.Receiver, mailtest.Fault{Drop: true}, false, 0},
		{mailtest.Content, mailtest.Fault{Code: 452}, false, 0}, {mailtest.Content, mailtest.Fault{Drop: true}, false, 0},
		{mailtest.Taken, mailtest.Fault{Code: 451}, false, 0}, {mailtest.Taken, mailtest.Fault{Code: 554}, true, 0}, {mailtest.Taken, mailtest.Fault{Drop: true}, false, 1},
	} {
		s := mailtest.Start(t, mailtest.Options{Fault: func(at mailtest.Stage, _ mailtest.Mail) mailtest.Fault {
			if at == tt.stage {
				return tt.fault
			}
			return mailtest.Fault{}
		}})
		err := mailerTo(s, notice.None).Send(t.Context(), told())
		if err == nil || notice.Refused(err) != tt.stays || len(s.Mails()) != tt.taken {
			t.Errorf("%s %+v: %v, for good: %t, %d mails", tt.stage, tt.fault, err, notice.Refused(err), len(s.Mails()))
		}
	}
}
