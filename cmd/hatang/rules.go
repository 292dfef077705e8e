package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/text/unicode/norm"

	"hatang/geo"
	"hatang/geo/zoning"
	"hatang/internal/layer"
	"hatang/internal/permit"
	"hatang/internal/postgis"
)

type rulesCommand struct {
	List    listRulesCommand    `cmd:"" help:"List the versions."`
	Show    showRulesCommand    `cmd:"" help:"Write a rule set as it was written."`
	Draft   draftRulesCommand   `cmd:"" help:"Take a file as a draft, or in the place of the draft of its id and version."`
	Diff    diffRulesCommand    `cmd:"" help:"Say in what a version differs from the one before it."`
	Effects effectsCommand      `cmd:"" help:"Say what a version would change for the masts that stand or are planned."`
	Publish publishRulesCommand `cmd:"" help:"Put a draft in force from its valid_from; the rules in force until then end on that day."`
	Drop    dropRulesCommand    `cmd:"" help:"Remove a draft."`
}

// label is a rule set on the command line.
type label struct {
	id      string
	version int
}

// UnmarshalText reads id@version.
func (l *label) UnmarshalText(text []byte) error {
	var ok bool
	if l.id, l.version, ok = permit.ParseRulesLabel(string(text)); !ok {
		return fmt.Errorf("%q is not of the form ID@VERSION", text)
	}
	return nil
}

// withRules runs work on the register.
func (g *globals) withRules(ctx context.Context, env *environment, work func(*postgis.Store) error) error {
	return g.withStore(ctx, env, func(_ *database, s *postgis.Store) error { return work(s) })
}

type listRulesCommand struct {
	JSON bool `name:"json" help:"Write them as JSON."`
}

// Run lists the versions.
func (c *listRulesCommand) Run(ctx context.Context, g *globals, env *environment) error {
	return g.withRules(ctx, env, func(s *postgis.Store) error {
		all, err := s.RuleSets(ctx, env.viewer(), permit.RuleSetQuery{})
		if err != nil {
			return err
		}
		if c.JSON {
			return writeJSON(env.stdout, all)
		}
		for _, e := range all {
			until := ""
			if !e.ValidTo.IsZero() {
				until = " until " + e.ValidTo.String()
			}
			fmt.Fprintf(env.stdout, "%s %s %s from %s%s: %s\n", e.Label(), e.Jurisdiction, e.State, e.ValidFrom, until, e.Title.In(env.language))
		}
		return nil
	})
}

type showRulesCommand struct {
	RuleSet label `arg:"" help:"ID@VERSION."`
}

// Run writes the rule set, byte for byte.
func (c *showRulesCommand) Run(ctx context.Context, g *globals, env *environment) error {
	return g.withRules(ctx, env, func(s *postgis.Store) error {
		e, err := s.RuleSet(ctx, env.viewer(), c.RuleSet.id, c.RuleSet.version)
		if err == nil {
			_, err = env.stdout.Write(e.Body)
		}
		return err
	})
}

type draftRulesCommand struct {
	File         string `arg:"" help:"JSON, - for standard input; rules show of a version is a beginning."`
	Jurisdiction string `placeholder:"CODE" help:"Code of the territory whose rules they are; default that of the other versions, or of the only plan there is."`
}

// Run writes the draft.
func (c *draftRulesCommand) Run(ctx context.Context, g *globals, env *environment) error {
	body, err := c.read(env)
	if err != nil {
		return err
	}
	rules, err := permit.ParseRules(body)
	if err != nil {
		return err
	}
	return g.withRules(ctx, env, func(s *postgis.Store) error {
		err := s.ChangeRules(ctx, env.viewer(), rules, body, "*")
		if errors.Is(err, layer.ErrNotFound) {
			err = s.AddRules(ctx, env.viewer(), rules, body, c.Jurisdiction)
		}
		if errors.Is(err, layer.ErrConflict) {
			return fmt.Errorf("%s is published and stays as it is; give the draft another version", rules.Label())
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(env.stdout, "%s is a draft. In what it differs: hatang rules diff %[1]s; in force: hatang rules publish %[1]s\n", rules.Label())
		return nil
	})
}

// read reads the file, its text in NFC.
func (c *draftRulesCommand) read(env *environment) ([]byte, error) {
	in := env.stdin
	if c.File != "-" {
		file, err := os.Open(c.File)
		if err != nil {
			return nil, err
		}
		defer func() { _ = file.Close() }() // it was only read
		in = file
	}
	body, err := io.ReadAll(io.LimitReader(in, permit.MaxRuleSetBytes+1))
	if err == nil && len(body) > permit.MaxRuleSetBytes {
		err = fmt.Errorf("the file is larger than %d bytes", permit.MaxRuleSetBytes)
	}
	return norm.NFC.Bytes(body), err
}

// twoRules are a version and another that it is compared with.
type twoRules struct {
	RuleSet label  `arg:"" help:"ID@VERSION."`
	From    *label `placeholder:"ID@VERSION" help:"The other; default the one that it takes the place of."`
	JSON    bool   `name:"json" help:"Write what is found as JSON."`
}

type diffRulesCommand struct{ twoRules }

// Run lists the differences.
func (c *diffRulesCommand) Run(ctx context.Context, g *globals, env *environment) error {
	return g.withRules(ctx, env, func(s *postgis.Store) error {
		to, from, err := c.both(ctx, env, s)
		if err != nil {
			return err
		}
		found, err := zoning.Differences(from.Body, to.Body)
		if err != nil {
			return err
		}
		if c.JSON {
			return writeJSON(env.stdout, map[string]any{"from": from.Label(), "to": to.Label(), "differences": found})
		}
		for _, d := range found {
			rule := ""
			if d.Rule != "" {
				rule = " (" + d.Rule + ")"
			}
			fmt.Fprintf(env.stdout, "%s%s\n  - %s\n  + %s\n", d.Pointer, rule, d.Before, d.After)
		}
		fmt.Fprintf(env.stdout, "%d differences from %s to %s\n", len(found), from.Label(), to.Label())
		return nil
	})
}

func (c *twoRules) both(ctx context.Context, env *environment, s *postgis.Store) (to, from permit.RuleSetEntry, err error) {
	if to, err = s.RuleSet(ctx, env.viewer(), c.RuleSet.id, c.RuleSet.version); err != nil {
		return to, from, err
	}
	if c.From != nil {
		from, err = s.RuleSet(ctx, env.viewer(), c.From.id, c.From.version)
		return to, from, err
	}
	from, found, err := permit.EarlierRules(ctx, s, env.viewer(), to)
	if err == nil && !found {
		err = usageError{fmt.Errorf("there is no rule set before %s: name one by --from", to.Label())}
	}
	return to, from, err
}

type effectsCommand struct {
	twoRules
	On string `placeholder:"YYYY-MM-DD" help:"The day to judge for; default the first of the version."`
}

// Run compares what the two say of every mast.
func (c *effectsCommand) Run(ctx context.Context, g *globals, env *environment) error {
	return g.withRules(ctx, env, func(s *postgis.Store) error {
		to, from, err := c.both(ctx, env, s)
		if err != nil {
			return err
		}
		date := to.ValidFrom
		if c.On != "" {
			if date, err = geo.ParseDate(c.On); err != nil {
				return usageError{err}
			}
		}
		found, err := permit.NewChecker(s).Effects(ctx, permit.Question{Viewer: env.viewer(), Date: date}, from, to)
		if err != nil {
			return err
		}
		if c.JSON {
			return writeJSON(env.stdout, struct {
				From string `json:"from"`
				To   string `json:"to"`
				permit.Effects
			}{from.Label(), to.Label(), found})
		}
		printEffects(env, from.Label(), to.Label(), found)
		return nil
	})
}

func printEffects(env *environment, from, to string, found permit.Effects) {
	for _, m := range found.List {
		rules := make([]string, len(m.Findings))
		for i, f := range m.Findings {
			rules[i] = f.Rule
		}
		fmt.Fprintf(env.stdout, "%s: %s → %s %s\n", m.Evidence.Code, m.Before, m.After, strings.Join(rules, " "))
	}
	for _, n := range found.Counts {
		if n.Operator == "" {
			n.Operator = "no operator"
		}
		fmt.Fprintf(env.stdout, "district %s, %s: %d masts, refused %d → %d (%d become so, %d cease to be)\n", n.District, n.Operator, n.Masts, n.RefusedBefore, n.RefusedAfter, n.BecomeRefused, n.CeaseRefused)
	}
	fmt.Fprintf(env.stdout, "%s → %s on %s: %d of %d masts have another verdict\n", from, to, found.Date, found.Changed, found.Masts)
}

type publishRulesCommand struct {
	RuleSet label `arg:"" help:"ID@VERSION."`
}

// Run publishes the draft.
func (c *publishRulesCommand) Run(ctx context.Context, g *globals, env *environment) error {
	return g.withStore(ctx, env, func(_ *database, s *postgis.Store) error {
		date, err := g.referenceDate(ctx, s)
		if err != nil {
			return err
		}
		err = s.PublishRules(ctx, env.viewer(), c.RuleSet.id, c.RuleSet.version, "*", date())
		if errors.Is(err, layer.ErrConflict) {
			return fmt.Errorf("%s@%d is published already, or another rule set that ends or begins later is in force in its time: %w", c.RuleSet.id, c.RuleSet.version, err)
		}
		return err
	})
}

type dropRulesCommand struct {
	RuleSet label `arg:"" help:"ID@VERSION."`
}

// Run removes the draft.
func (c *dropRulesCommand) Run(ctx context.Context, g *globals, env *environment) error {
	return g.withRules(ctx, env, func(s *postgis.Store) error {
		return s.DropRules(ctx, env.viewer(), c.RuleSet.id, c.RuleSet.version, "*")
	})
}
