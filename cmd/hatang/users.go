package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/term"

	"hatang/internal/account"
	"hatang/internal/postgis"
)

type userCommand struct {
	Add      userAddCommand      `cmd:"" help:"Add a person. The password is read from the terminal, or from standard input."`
	List     userListCommand     `cmd:"" help:"List the people."`
	Password userPasswordCommand `cmd:"" help:"Set a person's password; the person's sessions end."`
	Disable  userDisableCommand  `cmd:"" help:"Keep a person out at once: sessions and keys end."`
	Enable   userEnableCommand   `cmd:"" help:"Let a person in again."`
	Grant    userGrantCommand    `cmd:"" help:"Give a person a grant."`
	Notices  userNoticesCommand  `cmd:"" help:"Say whether a person is sent notices by mail, where to and in which language."`
	Withdraw userWithdrawCommand `cmd:"" help:"Take a grant from a person, and with it from the person's keys."`
}

type userAddCommand struct {
	Login        string `arg:"" help:"Name to sign in with."`
	Name         string `required:"" help:"Name of the person."`
	Email        string `help:"Address, by which single sign-on finds the person the first time."`
	Organisation string `help:"Code of the person's organisation."`
	grantFlags
	NoPassword bool `help:"The person signs in elsewhere."`
	JSON       bool `name:"json" help:"Write {\"id\"}."`
}

// Run adds a person.
func (c *userAddCommand) Run(ctx context.Context, g *globals, env *environment) error {
	login, err := account.NormaliseLogin(c.Login)
	if err != nil {
		return usageError{err}
	}
	p := account.NewPerson{Login: login, Name: c.Name, Email: c.Email, Organisation: c.Organisation, Grants: []account.Grant{c.grant()}}
	if !c.NoPassword {
		if p.PasswordHash, err = env.newPassword(ctx, login); err != nil {
			return err
		}
	}
	return g.withStore(ctx, env, func(_ *database, s *postgis.Store) error {
		id, err := s.AddPerson(ctx, env.viewer(), p)
		switch {
		case err != nil:
			return err
		case c.JSON:
			return writeJSON(env.stdout, map[string]int64{"id": id})
		}
		fmt.Fprintf(env.stdout, "%s may sign in.\n", login)
		return nil
	})
}

// newPassword asks for a password twice on a terminal, reads it from standard input
// otherwise, and hashes it.
func (env *environment) newPassword(ctx context.Context, login string) (string, error) {
	password, err := env.readPassword()
	if err != nil {
		return "", err
	}
	if err := account.CheckPassword(password, login); err != nil {
		return "", err
	}
	return account.NewPasswords(account.DefaultHashMemory).Hash(ctx, password)
}

func (env *environment) readPassword() (string, error) {
	in, ok := env.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		line, err := bufio.NewReader(io.LimitReader(env.stdin, 4096)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("read the password: %w", err)
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	var typed [2]string
	for i, prompt := range []string{"Password: ", "Once more: "} {
		fmt.Fprint(env.stderr, prompt)
		raw, err := term.ReadPassword(int(in.Fd()))
		fmt.Fprintln(env.stderr)
		if err != nil {
			return "", fmt.Errorf("read the password: %w", err)
		}
		typed[i] = string(raw)
	}
	if typed[0] != typed[1] {
		return "", usageError{errors.New("the two passwords differ")}
	}
	return typed[0], nil
}

type userListCommand struct {
	JSON bool `name:"json" help:"Write the people as JSON."`
}

// Run lists the people.
func (c *userListCommand) Run(ctx context.Context, g *globals, env *environment) error {
	var people []account.Person
	err := g.withStore(ctx, env, func(_ *database, s *postgis.Store) (err error) {
		people, err = s.People(ctx)
		return err
	})
	if err != nil || c.JSON {
		return firstError(err, func() error { return writeJSON(env.stdout, people) })
	}
	return table(env.stdout, "LOGIN\tNAME\tORGANISATION\tMAY\tGRANTS\tSTATE", len(people), func(i int) string {
		p := people[i]
		state := "may sign in"
		if p.DisabledAt != nil {
			state = "disabled " + p.DisabledAt.Format(time.DateOnly)
		}
		ids := make([]string, len(p.Grants))
		for j, g := range p.Grants {
			ids[j] = strconv.FormatInt(g.ID, 10)
		}
		return strings.Join([]string{p.Login, p.Name, p.Organisation, grantsText(p.Grants), strings.Join(ids, ","), state}, "\t")
	})
}

// personFlag names a person.
type personFlag struct {
	Login string `arg:"" help:"Name that the person signs in with."`
}

// change does something to the person and says what was done.
func (c personFlag) change(ctx context.Context, g *globals, env *environment, done string, work func(*postgis.Store, account.Person) error) error {
	return g.withStore(ctx, env, func(_ *database, s *postgis.Store) error {
		people, err := s.People(ctx)
		if err != nil {
			return err
		}
		login, err := account.NormaliseLogin(c.Login)
		if err != nil {
			return usageError{err}
		}
		i := slices.IndexFunc(people, func(p account.Person) bool { return p.Login == login })
		if i < 0 {
			return fmt.Errorf("there is nobody with the login %q", login)
		}
		if err := work(s, people[i]); err != nil {
			return err
		}
		fmt.Fprintf(env.stdout, "%s: %s.\n", login, done)
		return nil
	})
}

type userPasswordCommand struct{ personFlag }

// Run sets a password.
func (c *userPasswordCommand) Run(ctx context.Context, g *globals, env *environment) error {
	hash, err := env.newPassword(ctx, c.Login)
	if err != nil {
		return err
	}
	return c.change(ctx, g, env, "the password is set", func(s *postgis.Store, p account.Person) error {
		return s.ChangePerson(ctx, env.viewer(), p.ID, account.PersonChange{PasswordHash: &hash})
	})
}

type userDisableCommand struct{ personFlag }

// Run keeps a person out.
func (c *userDisableCommand) Run(ctx context.Context, g *globals, env *environment) error {
	disabled := true
	return c.change(ctx, g, env, "disabled", func(s *postgis.Store, p account.Person) error {
		return s.ChangePerson(ctx, env.viewer(), p.ID, account.PersonChange{Disabled: &disabled})
	})
}

type userEnableCommand struct{ personFlag }

// Run lets a person in again.
func (c *userEnableCommand) Run(ctx context.Context, g *globals, env *environment) error {
	disabled := false
	return c.change(ctx, g, env, "may sign in again", func(s *postgis.Store, p account.Person) error {
		return s.ChangePerson(ctx, env.viewer(), p.ID, account.PersonChange{Disabled: &disabled})
	})
}

type userNoticesCommand struct {
	personFlag
	On       *bool   `negatable:"" help:"Send notices; --no-on sends none."`
	Email    *string `help:"Address they are sent to; empty for none."`
	Language *string `enum:"vi,en" help:"Language of the notices, vi or en."`
}

// Run says what notices a person is sent.
func (c *userNoticesCommand) Run(ctx context.Context, g *globals, env *environment) error {
	if c.Email != nil && *c.Email != "" {
		if parsed, err := mail.ParseAddress(*c.Email); err != nil || parsed.Address != *c.Email {
			return usageError{fmt.Errorf("%q is no e-mail address", *c.Email)}
		}
	}
	return c.change(ctx, g, env, "the notices are set", func(s *postgis.Store, p account.Person) error {
		return s.ChangePerson(ctx, env.viewer(), p.ID, account.PersonChange{Notices: c.On, Email: c.Email, Language: c.Language})
	})
}

type userGrantCommand struct {
	personFlag
	grantFlags
}

// Run gives a grant.
func (c *userGrantCommand) Run(ctx context.Context, g *globals, env *environment) error {
	return c.change(ctx, g, env, "the grant is given", func(s *postgis.Store, p account.Person) error {
		_, err := s.AddGrant(ctx, env.viewer(), p.ID, c.grant())
		return err
	})
}

type userWithdrawCommand struct {
	personFlag
	Grant int64 `arg:"" help:"Number of the grant, as list shows it."`
}

// Run withdraws a grant.
func (c *userWithdrawCommand) Run(ctx context.Context, g *globals, env *environment) error {
	return c.change(ctx, g, env, "the grant is withdrawn", func(s *postgis.Store, p account.Person) error {
		return s.WithdrawGrant(ctx, env.viewer(), p.ID, c.Grant)
	})
}

type auditCommand struct {
	Limit int  `default:"50" help:"How many entries to show, the newest."`
	JSON  bool `name:"json" help:"Write the entries as JSON."`
}

// Run shows the audit and checks its chain.
func (c *auditCommand) Run(ctx context.Context, g *globals, env *environment) error {
	var page account.AuditPage
	var broken int64
	err := g.withStore(ctx, env, func(_ *database, s *postgis.Store) (err error) {
		if broken, err = s.AuditBrokenAt(ctx); err == nil {
			page, err = s.AuditEntries(ctx, 0, c.Limit)
		}
		return err
	})
	if err != nil {
		return err
	}
	entries := page.Entries
	if c.JSON {
		err = writeJSON(env.stdout, map[string]any{"intact": broken == 0, "first_broken": broken, "entries": entries})
	} else {
		err = table(env.stdout, "ENTRY\tAT\tWHO\tACTION\tSUBJECT", len(entries), func(i int) string {
			e := entries[i]
			return strings.Join([]string{strconv.FormatInt(e.ID, 10), e.At.UTC().Format(time.RFC3339), e.Who, e.Action, e.Subject}, "\t")
		})
	}
	if err == nil && broken != 0 {
		fmt.Fprintf(env.stderr, "hatang: the audit is not as it was written, from entry %d on\n", broken)
		return errFindings
	}
	return err
}
