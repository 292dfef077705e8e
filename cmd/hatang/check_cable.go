package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"hatang/geo"
	"hatang/internal/permit"
	"hatang/internal/postgis"
)

type cableCommand struct {
	File           string   `arg:"" help:"GeoJSON, - for standard input: a line, a Feature or a FeatureCollection of lines, whose properties may say what the flags say."`
	Carrier        string   `help:"What carries it: duct, direct, telecom_pole, electric_pole or lighting_pole."`
	NewProject     *bool    `help:"Part of a new project."`
	NewPoles       *bool    `help:"The poles are yet to be put up."`
	Renovation     *bool    `help:"An overhead cable is tidied up where it hangs."`
	PoleHeightM    *float64 `name:"pole-height-m" help:"Height of new poles, metres."`
	OwnerAgreement *bool    `help:"The owner of the poles agrees."`
	Operator       string   `help:"Code of the operator that asks."`
	KnownAt        string   `name:"known-at" placeholder:"TIME" help:"Judge by what the register held then, as 2026-01-31T08:00:00Z; default now."`
	Record         bool     `help:"Record the verdicts: each is numbered, signed and kept."`
	JSON           bool     `name:"json" help:"Write the verdicts as JSON."`
}

// Run judges every line of the file and prints. Findings are the exit status 1.
func (c *cableCommand) Run(ctx context.Context, g *globals, env *environment) error {
	knownAt, err := (&checkCommand{KnownAt: c.KnownAt}).knownAt()
	if err != nil {
		return err
	}
	if c.Record && c.KnownAt != "" {
		return usageError{errors.New("what is recorded is judged by what the register holds now: --record goes without --known-at")}
	}
	bodies, err := c.bodies(env)
	if err != nil {
		return err
	}
	return g.withStore(ctx, env, func(db *database, s *postgis.Store) error {
		date, err := g.referenceDate(ctx, s)
		if err != nil {
			return err
		}
		cables, found := permit.NewCables(s), false
		for i, raw := range bodies {
			p, err := permit.ParseCable(raw, date())
			if invalid, ok := permit.Faults(err); ok {
				printFaults(env, int64(i)+1, invalid.Faults)
				found = true
				continue
			}
			if err != nil {
				return err
			}
			var a permit.CableAnswer
			if c.Record {
				a, err = c.record(ctx, g, env, db, s, raw, date())
			} else {
				a, err = cables.Check(ctx, permit.Question{Viewer: env.viewer(), KnownAt: knownAt}, p)
			}
			if err != nil {
				return err
			}
			found = found || verdictStatus(a.Verdict) != nil
			if err := c.print(env, &a); err != nil {
				return err
			}
		}
		if found {
			return errFindings
		}
		return nil
	})
}

// record judges one line, records the verdict and prints its number, or all of it.
func (c *cableCommand) record(ctx context.Context, g *globals, env *environment, db *database, s *postgis.Store, raw json.RawMessage, date geo.Date) (a permit.CableAnswer, err error) {
	recorded, err := g.record(ctx, env, db, s, permit.CableKind, raw, date)
	if err != nil {
		return a, err
	}
	if err := json.Unmarshal(recorded.answer, &a); err != nil {
		return a, err
	}
	return a, recorded.print(env, c.JSON)
}

// bodies are the lines of the file as the API would be sent them.
func (c *cableCommand) bodies(env *environment) (bodies []json.RawMessage, err error) {
	var raw []byte
	if c.File == "-" {
		raw, err = io.ReadAll(env.stdin)
	} else {
		raw, err = os.ReadFile(c.File)
	}
	if err != nil {
		return nil, err
	}
	var doc struct {
		Type       string
		Features   []json.RawMessage
		Geometry   json.RawMessage
		Properties map[string]any
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		return nil, fmt.Errorf("%s is not GeoJSON", c.File)
	}
	if doc.Type != "FeatureCollection" {
		doc.Features = []json.RawMessage{raw}
	}
	for _, one := range doc.Features {
		f := doc
		f.Geometry, f.Properties = nil, nil
		if err := json.Unmarshal(one, &f); err != nil {
			return nil, fmt.Errorf("%s is not GeoJSON", c.File)
		}
		if f.Type != "Feature" {
			f.Geometry = one
		}
		body, err := json.Marshal(c.members(f.Geometry, f.Properties))
		if err != nil {
			return nil, err
		}
		bodies = append(bodies, body)
	}
	if len(bodies) == 0 {
		return nil, fmt.Errorf("%s holds no lines", c.File)
	}
	return bodies, nil
}

// members are one proposal: what the flags say, and the properties that say more.
func (c *cableCommand) members(geometry json.RawMessage, properties map[string]any) map[string]any {
	members := map[string]any{"geometry": geometry}
	for name, value := range map[string]any{"carrier": c.Carrier, "operator": c.Operator, "new_project": c.NewProject, "new_poles": c.NewPoles,
		"renovation": c.Renovation, "owner_agreement": c.OwnerAgreement, "pole_height_m": c.PoleHeightM, "date": nil} {
		if own, ok := properties[name]; ok && own != nil {
			value = own
		}
		if value != nil && value != "" {
			members[name] = value
		}
	}
	return members
}

func (c *cableCommand) print(env *environment, a *permit.CableAnswer) error {
	switch {
	case c.JSON && c.Record:
		return nil // the record holds it
	case c.JSON:
		return writeJSON(env.stdout, a)
	}
	text := fmt.Appendf(nil, "%s (%s)  %.1f m  %s  %s\n", a.Verdict, a.Verdict.Text().In(env.language), a.LengthM, a.Date, a.RuleSet)
	line := func(what, rule string, t geo.Text) {
		text = fmt.Appendf(text, "  %-9s %-16s %s\n", what, rule, t.In(env.language))
	}
	for _, f := range a.Findings {
		line(string(f.Outcome), f.Rule, f.Message)
	}
	for _, o := range a.Alternatives {
		line("instead", string(o.Carrier), o.Message)
	}
	if a.Provisional {
		text = append(append(append(text, "  "...), provisional().In(env.language)...), '\n')
	}
	_, err := env.stdout.Write(text)
	return err
}
