package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"sync/atomic"
	"testing"

	"hatang/internal/notice/mailtest"
	"hatang/internal/permit"
)

// TestProposalsAtWork: what an operator files comes to an officer by mail and is worked on at
// the terminal.
func TestProposalsAtWork(t *testing.T) {
	t.Parallel()
	var known atomic.Bool // to the mail server: the other officer
	mails := mailtest.Start(t, mailtest.Options{Fault: func(at mailtest.Stage, m mailtest.Mail) mailtest.Fault {
		if at == mailtest.Receiver && m.To == "other@example.vn" && !known.Load() {
			return mailtest.Fault{Code: 550}
		}
		return mailtest.Fault{}
	}})
	dir, key := demoDir(t)
	s := serve(t, dir, key, "--demo", "--smtp-address", mails.Address, "--smtp-security", "none", "--smtp-from", "Hatang <hatang@example.vn>", "--public-url", "https://hatang.example.vn")
	s.command(t, "user", "add", "officer", "--name", "Lò Thị Mai", "--role", "officer", "--email", "mai@example.vn", "--no-password").wants(t, exitDone, "")
	s.command(t, "user", "add", "other", "--name", "Lò Văn Nam", "--role", "officer", "--email", "other@example.vn", "--no-password").wants(t, exitDone, "")
	operator := bearer(newKey(t, s, "operator", "--organisation", "VNPT"))
	post := func(path, contentType, body string) int64 {
		t.Helper()
		a := s.call(t, "POST", path, body, append(operator, "Content-Type", contentType)...)
		if a.status != 201 {
			t.Fatalf("%s: %d %s", a.request, a.status, a.body)
		}
		return idIn(a)
	}
	draft := post("/api/v1/collections/bts_sites/items", "application/geo+json", `{"type":"Feature","properties":{"code":"PW-1","status":"draft","jurisdiction":"11","owner_organisation":"VNPT","mast_type":"A1a","height_m":12,"valid_from":"2020-12-31"},"geometry":{"type":"Point","coordinates":[103.0165,21.3826]}}`)
	id := post("/api/v1/proposals", "application/json", fmt.Sprintf(`{"title":"Cột mới ở Mường Thanh","features":[{"collection":"bts_sites","id":%d}]}`, draft))
	file := post(fmt.Sprintf("/api/v1/proposals/%d/attachments?name=b%%E1%%BA%%A3n.txt", id), "text/plain", "bản vẽ")
	until(t, "the mail", func() bool { return len(mails.Mails()) > 0 })
	m, err := mail.ReadMessage(bytes.NewReader(mails.Mails()[0].Data))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil || mails.Mails()[0].To != "mai@example.vn" || !strings.Contains(string(text), "Hồ sơ mới nộp") || !strings.Contains(string(text), fmt.Sprint("https://hatang.example.vn/api/v1/proposals/", id)) {
		t.Errorf("%+v, %v\n%s", m.Header, err, text)
	}
	if a := s.call(t, "GET", fmt.Sprintf("/api/v1/proposals/%d/attachments/%d", id, file), "", operator...); string(a.body) != "bản vẽ" || !strings.HasPrefix(a.header.Get("Content-Disposition"), "attachment") {
		t.Errorf("%d %q %v", a.status, a.body, a.header)
	}
	number := fmt.Sprint(id)
	s.command(t, "proposal", "list").wants(t, exitDone, "Cột mới ở Mường Thanh")
	s.command(t, "proposal", "list", "--state", "approved").wants(t, exitDone, "")
	var shown permit.File
	if err := json.Unmarshal([]byte(s.command(t, "proposal", "show", number).stdout), &shown); err != nil || shown.Revision != 2 || len(shown.Attachments) != 1 || shown.Attachments[0].Name != "bản.txt" {
		t.Errorf("%+v, %v", shown, err)
	}
	s.command(t, "proposal", "step", number, "ask_more").wants(t, exitUsage, "--reasons")
	s.command(t, "proposal", "step", number, "answer", "--agency", "SXD", "--answer", "maybe").wants(t, exitUsage, "--answer")
	s.command(t, "proposal", "step", number, "consult").wants(t, exitUsage, "--agency")
	s.command(t, "proposal", "step", number, "approve").wants(t, exitUsage, "ask_more")
	s.command(t, "proposal", "step", number, "build").wants(t, exitFindings, "build")
	s.command(t, "proposal", "step", number, "ask_more", "--reasons", "thiếu bản vẽ", "--revision", "1").wants(t, exitFindings, "changed")
	s.command(t, "proposal", "step", number, "ask_more", "--reasons", "thiếu bản vẽ", "--revision", "2").wants(t, exitDone, "more_asked, at revision 3")
	s.command(t, "proposal", "show", "1").wants(t, exitFindings, "not found")
	delivered := func() (ids []string) {
		var list []permit.SentNotice
		if err := json.Unmarshal([]byte(s.command(t, "notice", "list", "--state", "delivered", "--json").stdout), &list); err != nil {
			t.Fatal(err)
		}
		for _, n := range list {
			ids = append(ids, fmt.Sprint(n.ID))
		}
		return ids
	}
	until(t, "the notice that it is delivered", func() bool { return len(delivered()) == 1 })
	s.command(t, "notice", "list").wants(t, exitDone, "filed  proposal "+number)
	s.command(t, "notice", "list", "--state", "lost").wants(t, exitUsage, "waiting delivered")
	s.command(t, "notice", "again", delivered()[0]).wants(t, exitFindings, "is delivered")
	s.command(t, "notice", "again", "999999").wants(t, exitFindings, "not found")
	until(t, "the failure", func() bool {
		return strings.Contains(s.command(t, "notice", "list", "--state", "failed").stdout, "550")
	})
	known.Store(true)
	s.command(t, "notice", "again", s.sql(t, "SELECT id::text FROM notice_deliveries WHERE state = 'failed'")).wants(t, exitDone, "waits to be sent")
	until(t, "the mail that failed", func() bool { return len(mails.Mails()) == 2 })
}
