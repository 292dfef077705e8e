package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/mail"
	"slices"
	"strings"
	"time"

	"hatang/geo"
	"hatang/internal/notice"
	"hatang/internal/permit"
	"hatang/internal/postgis"
)

type noticeCommand struct {
	List  listNoticesCommand `cmd:"" help:"List what became of notices to each receiver, the newest first."`
	Again noticeAgainCommand `cmd:"" help:"Have notices that failed sent again, by a server that runs."`
}

type listNoticesCommand struct {
	State string `help:"Only those in this state: waiting, delivered, failed or dropped."`
	Limit int    `default:"100" help:"How many at most."`
	JSON  bool   `name:"json" help:"Write them as JSON."`
}

// Run lists notices.
func (c *listNoticesCommand) Run(ctx context.Context, g *globals, env *environment) error {
	state := permit.NoticeState(c.State)
	if c.State != "" && !slices.Contains(permit.NoticeStates(), state) {
		return usageError{fmt.Errorf("--state is one of %v", permit.NoticeStates())}
	}
	var found []permit.SentNotice
	err := g.withStore(ctx, env, func(_ *database, s *postgis.Store) (err error) {
		found, err = s.SentNotices(ctx, env.viewer(), permit.NoticeQuery{State: state, Limit: c.Limit})
		return err
	})
	if err != nil || c.JSON {
		return firstError(err, func() error { return writeJSON(env.stdout, found) })
	}
	text := func(s *string) string {
		if s == nil {
			return "-"
		}
		return strings.Join(strings.Fields(*s), " ")
	}
	return table(env.stdout, "NOTICE\tSTATE\tATTEMPTS\tMADE\tKIND\tABOUT\tTO\tERROR", len(found), func(i int) string {
		n := found[i]
		about, to := text(n.Sharing), text(n.Person)
		if n.Proposal != nil {
			about = fmt.Sprint("proposal ", *n.Proposal)
		}
		if n.Organisation != nil {
			to = "webhook of " + *n.Organisation
		}
		return strings.Join([]string{fmt.Sprint(n.ID), string(n.State), fmt.Sprint(n.Attempts), n.MadeAt.UTC().Format(time.RFC3339), string(n.Kind), about, to, text(n.Error)}, "\t")
	})
}

type noticeAgainCommand struct {
	ID []int64 `arg:"" help:"Ids of notices."`
}

// Run has notices sent again, up to the first that cannot be.
func (c *noticeAgainCommand) Run(ctx context.Context, g *globals, env *environment) error {
	return g.withStore(ctx, env, func(_ *database, s *postgis.Store) error {
		for _, id := range c.ID {
			if err := s.SendNoticeAgain(ctx, env.viewer(), id); err != nil {
				return fmt.Errorf("notice %d: %w", id, err)
			}
			fmt.Fprintf(env.stdout, "%d waits to be sent\n", id)
		}
		return nil
	})
}

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
func (c *serveCommand) courier(store *postgis.Store, today func() geo.Date, log *slog.Logger) (*notice.Courier, error) {
	mailer, err := c.mailer(c.PublicURL)
	if err != nil {
		return nil, err
	}
	return &notice.Courier{Queue: store, Mail: mailer, Wait: notice.Wait, Today: today, Log: log,
		Hooks: &notice.Webhooks{Networks: c.WebhookNetworks, PublicURL: c.PublicURL, Now: time.Now}}, nil
}
