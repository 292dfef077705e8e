package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"hatang/internal/account"
	"hatang/internal/postgis"
)

type keyCommand struct {
	Create keyCreateCommand `cmd:"" help:"Make an API key and show it once."`
	List   keyListCommand   `cmd:"" help:"List the keys, without what is secret."`
	Revoke keyRevokeCommand `cmd:"" help:"End a key at once, on every server."`
}

// grantFlags are a grant on the command line.
type grantFlags struct {
	Role      string   `required:"" enum:"operator,consulted,officer,approver,administrator" help:"What it allows: ${enum}."`
	Territory string   `help:"Code of the unit it is limited to."`
	Layers    []string `help:"Names of the layers it is limited to, separated by commas."`
}

func (f grantFlags) grant() account.Grant {
	return account.Grant{Role: account.Role(f.Role), Layers: f.Layers, Territory: f.Territory}
}

type keyCreateCommand struct {
	Name         string `arg:"" help:"What the key is for."`
	Organisation string `help:"Code of the organisation it acts for."`
	grantFlags
	Expires time.Duration `help:"How long it is good for, such as 720h; default for ever."`
	JSON    bool          `name:"json" help:"Write {\"id\", \"key\"}."`
}

// Run makes a key.
func (c *keyCreateCommand) Run(ctx context.Context, g *globals, env *environment) error {
	id, key := account.NewKey()
	k := account.NewKeyRecord{ID: id, Hash: account.Hash(key), Name: c.Name, Organisation: c.Organisation, Grants: []account.Grant{c.grant()}}
	if c.Expires > 0 {
		k.Expires = time.Now().Add(c.Expires)
	}
	err := g.withStore(ctx, env, func(_ *database, s *postgis.Store) error { return s.AddKey(ctx, env.viewer(), k) })
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(env.stdout, map[string]string{"id": id, "key": key})
	}
	fmt.Fprintf(env.stdout, "id:  %s\nkey: %s\nThe key is not shown again.\n", id, key)
	return nil
}

type keyListCommand struct {
	JSON bool `name:"json" help:"Write the keys as JSON."`
}

// Run lists the keys.
func (c *keyListCommand) Run(ctx context.Context, g *globals, env *environment) error {
	var keys []account.Key
	err := g.withStore(ctx, env, func(_ *database, s *postgis.Store) (err error) {
		keys, err = s.Keys(ctx, env.viewer())
		return err
	})
	if err != nil || c.JSON {
		return firstError(err, func() error { return writeJSON(env.stdout, keys) })
	}
	return table(env.stdout, "ID\tNAME\tMAY\tORGANISATION\tSTATE", len(keys), func(i int) string {
		k := keys[i]
		state := "good"
		switch {
		case k.RevokedAt != nil:
			state = "revoked " + k.RevokedAt.Format(time.DateOnly)
		case k.ExpiresAt != nil && k.ExpiresAt.Before(time.Now()):
			state = "expired " + k.ExpiresAt.Format(time.DateOnly)
		case k.ExpiresAt != nil:
			state = "until " + k.ExpiresAt.Format(time.DateOnly)
		}
		return strings.Join([]string{k.ID, k.Name, grantsText(k.Grants), k.Organisation, state}, "\t")
	})
}

type keyRevokeCommand struct {
	ID string `arg:"" help:"Id of the key, as list shows it."`
}

// Run revokes a key.
func (c *keyRevokeCommand) Run(ctx context.Context, g *globals, env *environment) error {
	return g.withStore(ctx, env, func(_ *database, s *postgis.Store) error {
		if err := s.RevokeKey(ctx, env.viewer(), c.ID); err != nil {
			return fmt.Errorf("key %s: %w", c.ID, err)
		}
		fmt.Fprintf(env.stdout, "The key %s is revoked.\n", c.ID)
		return nil
	})
}

// firstError is err, or what work returns when there is none.
func firstError(err error, work func() error) error {
	if err != nil {
		return err
	}
	return work()
}

// table writes rows in columns under a head.
func table(out io.Writer, head string, rows int, row func(int) string) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, head)
	for i := range rows {
		fmt.Fprintln(w, row(i))
	}
	return w.Flush()
}

// grantsText says what grants allow, such as "officer of roads,ducts in 094".
func grantsText(grants []account.Grant) string {
	parts := make([]string, len(grants))
	for i, g := range grants {
		parts[i] = string(g.Role)
		if g.Layers != nil {
			parts[i] += " of " + strings.Join(g.Layers, ",")
		}
		if g.Territory != "" {
			parts[i] += " in " + g.Territory
		}
	}
	return strings.Join(parts, "; ")
}
