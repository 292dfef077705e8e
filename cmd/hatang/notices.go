package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/mail"
	"time"

	"hatang/internal/notice"
	"hatang/internal/postgis"
)

// smtpFlags say by which mail server notices are sent.
type smtpFlags struct {
	Address  string `env:"HATANG_SMTP_ADDRESS" placeholder:"HOST:PORT" help:"Mail server by which people are sent notices; default none is sent. Needs --smtp-from."`
	Security string `env:"HATANG_SMTP_SECURITY" enum:"starttls,tls,none" default:"starttls" help:"How the connection to it is protected: starttls, tls from the first byte, or none."`
	User     string `env:"HATANG_SMTP_USER" placeholder:"NAME" help:"Name to sign in with there; default without."`
	Password string `env:"HATANG_SMTP_PASSWORD" placeholder:"SECRET" help:"Password to sign in with there; better given by the environment, which other users of the machine do not see."`
	From     string `env:"HATANG_SMTP_FROM" placeholder:"ADDRESS" help:"Of whom the notices are, such as 'Hatang <hatang@example.vn>'."`
}

// mailer returns what sends mail as the flags say; nil for nothing.
func (f smtpFlags) mailer(publicURL string) (*notice.Mailer, error) {
	if f.Address == "" {
		if f.User != "" || f.Password != "" || f.From != "" {
			return nil, usageError{errors.New("--smtp-user, --smtp-password and --smtp-from go with --smtp-address")}
		}
		return nil, nil
	}
	if _, _, err := net.SplitHostPort(f.Address); err != nil {
		return nil, usageError{fmt.Errorf("--smtp-address: %w", err)}
	}
	from, err := mail.ParseAddress(f.From)
	if err != nil {
		return nil, usageError{fmt.Errorf("--smtp-from: %w", err)}
	}
	if (f.User == "") != (f.Password == "") {
		return nil, usageError{errors.New("--smtp-user and --smtp-password go together")}
	}
	return &notice.Mailer{Address: f.Address, Security: notice.Security(f.Security), User: f.User, Password: f.Password, From: *from, PublicURL: publicURL}, nil
}

// courier returns what delivers notices.
func (c *serveCommand) courier(store *postgis.Store, log *slog.Logger) (*notice.Courier, error) {
	mailer, err := c.mailer(c.PublicURL)
	if err != nil {
		return nil, err
	}
	return &notice.Courier{Queue: store, Mail: mailer, Wait: notice.Wait, Log: log,
		Hooks: &notice.Webhooks{Networks: c.WebhookNetworks, PublicURL: c.PublicURL, Now: time.Now}}, nil
}
