package main

import (
	"testing"

	"hatang/internal/notice"
)

// What is said of a mail server is whole, or wrong use.
func TestMailServerOfTheFlags(t *testing.T) {
	whole := smtpFlags{Address: "mail.example.vn:587", Security: "starttls", User: "hatang", Password: "x", From: "Hatang <hatang@example.vn>"}
	m, err := whole.mailer("https://hatang.example.vn")
	if err != nil || m.Address != whole.Address || m.Security != notice.StartTLS || m.From.Address != "hatang@example.vn" || m.PublicURL == "" {
		t.Errorf("%+v, %v", m, err)
	}
	if m, err := (smtpFlags{Security: "starttls"}).mailer(""); m != nil || err != nil {
		t.Errorf("none: %+v, %v", m, err)
	}
	for name, change := range map[string]func(*smtpFlags){
		"no server": func(f *smtpFlags) { f.Address = "" }, "no port": func(f *smtpFlags) { f.Address = "mail.example.vn" }, "no sender": func(f *smtpFlags) { f.From = "" },
		"no address": func(f *smtpFlags) { f.From = "Hatang" }, "no password": func(f *smtpFlags) { f.Password = "" }, "no user": func(f *smtpFlags) { f.User = "" },
	} {
		f := whole
		change(&f)
		if _, err := f.mailer(""); exitCode(err, &environment{stderr: t.Output()}) != exitUsage {
			t.Errorf("%s: %v", name, err)
		}
	}
}
