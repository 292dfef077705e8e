package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"hatang/geo"
	"hatang/internal/permit"
	"hatang/internal/postgis"
)

type sharingCommand struct {
	List    listSharingCommand    `cmd:"" help:"List requests to share, the newest first."`
	Show    showSharingCommand    `cmd:"" help:"Write a request to share as JSON."`
	Step    stepSharingCommand    `cmd:"" help:"Take a step that officers take: mediate, agree, refuse. Who asks or answers signs in."`
	Figures figuresSharingCommand `cmd:"" help:"The register in figures: requests by year, outcomes, working days until they were answered."`
}

type listSharingCommand struct {
	State        string `help:"Only those in this state."`
	Organisation string `help:"Only those that this organisation asks or is asked."`
	Collection   string `help:"Only those about this layer."`
	Overdue      bool   `help:"Only those whose next step is late."`
	Limit        int    `default:"100" help:"How many at most."`
	JSON         bool   `name:"json" help:"Write them as JSON."`
}

// Run lists requests to share.
func (c *listSharingCommand) Run(ctx context.Context, g *globals, env *environment) error {
	if state := permit.ShareState(c.State); c.State != "" && !slices.Contains(permit.ShareStates(), state) {
		return usageError{fmt.Errorf("--state is one of %v", permit.ShareStates())}
	}
	var found []permit.ShareRequest
	err := g.withToday(ctx, env, func(s *postgis.Store, today geo.Date) (err error) {
		found, err = s.SharingRequests(ctx, env.viewer(), permit.ShareQuery{State: permit.ShareState(c.State), Organisation: c.Organisation, Collection: c.Collection, Overdue: c.Overdue, Today: today, Limit: c.Limit})
		return err
	})
	if err != nil || c.JSON {
		return firstError(err, func() error { return writeJSON(env.stdout, found) })
	}
	return table(env.stdout, "NUMBER\tSTATE\tREVISION\tDUE\tASKER\tASKED\tWHAT", len(found), func(i int) string {
		r := found[i]
		what := r.Collection
		if r.Code != nil {
			what += " " + *r.Code
		}
		return strings.Join([]string{r.Number, string(r.State), strconv.FormatInt(r.Revision, 10), dueText(r.DueOn, r.Overdue), r.Asker, strings.Join(r.Between()[1:], ", "), what}, "\t")
	})
}

// dueText is the column of a day by which something is due.
func dueText(due geo.Date, overdue bool) string {
	text := "-"
	if !due.IsZero() {
		text = due.String()
	}
	if overdue {
		text += " overdue"
	}
	return text
}

// withToday runs work with a store and the register's reference date.
func (g *globals) withToday(ctx context.Context, env *environment, work func(*postgis.Store, geo.Date) error) error {
	return g.withStore(ctx, env, func(_ *database, s *postgis.Store) error {
		date, err := g.referenceDate(ctx, s)
		if err != nil {
			return err
		}
		return work(s, date())
	})
}

type showSharingCommand struct {
	Number string `arg:"" help:"Number of the request."`
}

// Run shows a request to share.
func (c *showSharingCommand) Run(ctx context.Context, g *globals, env *environment) error {
	return g.withToday(ctx, env, func(s *postgis.Store, today geo.Date) error {
		r, err := s.SharingRequest(ctx, env.viewer(), c.Number, today)
		if err != nil {
			return err
		}
		return writeJSON(env.stdout, r)
	})
}

type stepSharingCommand struct {
	Number         string            `arg:"" help:"Number of the request."`
	Action         string            `arg:"" enum:"mediate,agree,refuse" help:"mediate, agree or refuse."`
	Revision       int64             `help:"Take it at this revision alone; default whatever there is."`
	Reasons        string            `help:"Why it is refused, or what there is to say."`
	Share          map[string]string `placeholder:"ORGANISATION=PERCENT" help:"Of an agreement: what an organisation pays, in percent with two decimals at most; they add up to 100."`
	Terms          string            `help:"Of an agreement: its terms."`
	From           string            `placeholder:"YYYY-MM-DD" help:"Of an agreement: from when on it is shared; default today. Before the request only with the paper and --reasons."`
	DocumentNumber string            `help:"Number of the paper that is recorded."`
	DocumentDate   string            `placeholder:"YYYY-MM-DD" help:"Its date."`
}

// Run takes a step.
func (c *stepSharingCommand) Run(ctx context.Context, g *globals, env *environment) error {
	d, err := c.decision()
	if err != nil {
		return usageError{err}
	}
	return g.withToday(ctx, env, func(s *postgis.Store, today geo.Date) error {
		d.Today = today
		state, revision, err := s.DecideShare(ctx, env.viewer(), c.Number, d)
		if err != nil {
			return err
		}
		fmt.Fprintf(env.stdout, "%s is %s, at revision %d\n", c.Number, state, revision)
		return nil
	})
}

// decision is the step that the flags say, whole or not at all.
func (c *stepSharingCommand) decision() (d permit.ShareDecision, err error) {
	d = permit.ShareDecision{Action: permit.ShareAction(c.Action), Revision: c.Revision, Reasons: c.Reasons}
	agreed := len(c.Share) > 0 || c.Terms != "" || c.From != ""
	switch {
	case d.Action == permit.ShareRefuse && d.Reasons == "":
		return d, errors.New("refuse needs --reasons")
	case d.Action == permit.ShareAgree && len(c.Share) == 0 && c.Terms == "":
		return d, errors.New("agree needs --share or --terms")
	case d.Action != permit.ShareAgree && agreed:
		return d, errors.New("--share, --terms and --from go with agree")
	}
	if d.Action == permit.ShareAgree {
		if d.Agreement, err = c.agreement(); err != nil {
			return d, err
		}
	}
	if c.DocumentNumber != "" || c.DocumentDate != "" {
		d.Document = &permit.ShareDocument{Number: c.DocumentNumber}
		d.Document.Date, err = dayOf("--document-date", c.DocumentDate)
	}
	return d, err
}

func (c *stepSharingCommand) agreement() (a *permit.Agreement, err error) {
	a = &permit.Agreement{Terms: c.Terms}
	for organisation, text := range c.Share {
		s := permit.CapitalShare{Organisation: organisation}
		if err := json.Unmarshal([]byte(text), &s.Percent); err != nil {
			return nil, fmt.Errorf("--share %s: %w", organisation, err)
		}
		a.Shares = append(a.Shares, s)
	}
	slices.SortFunc(a.Shares, func(a, b permit.CapitalShare) int { return strings.Compare(a.Organisation, b.Organisation) })
	a.From, err = dayOf("--from", c.From)
	return a, err
}

// dayOf reads a flag that is a day; zero where it is not given.
func dayOf(flag, text string) (geo.Date, error) {
	if text == "" {
		return geo.Date{}, nil
	}
	d, err := geo.ParseDate(text)
	if err != nil {
		return d, fmt.Errorf("%s: %w", flag, err)
	}
	return d, nil
}

type figuresSharingCommand struct {
	JSON bool `name:"json" help:"Write them as JSON."`
}

// Run writes the figures that are public.
func (c *figuresSharingCommand) Run(ctx context.Context, g *globals, env *environment) error {
	var figures []permit.SharingFigures
	err := g.withStore(ctx, env, func(_ *database, s *postgis.Store) (err error) {
		figures, err = s.SharingFigures(ctx)
		return err
	})
	if err != nil || c.JSON {
		return firstError(err, func() error { return writeJSON(env.stdout, figures) })
	}
	head := []string{"YEAR", "OWNER", "REQUESTS", "ANSWERED", "MEDIAN DAYS", "MOST DAYS"}
	for _, state := range permit.ShareStates() {
		head = append(head, strings.ToUpper(string(state)))
	}
	return table(env.stdout, strings.Join(head, "\t"), len(figures), func(i int) string {
		f := figures[i]
		row := []string{strconv.Itoa(f.Year), "-", strconv.Itoa(f.Requests), strconv.Itoa(f.Answered), "-", "-"}
		if f.Owner != nil {
			row[1] = *f.Owner
		}
		if f.MedianDay != nil {
			row[4], row[5] = strconv.FormatFloat(*f.MedianDay, 'f', -1, 64), strconv.Itoa(*f.MostDays)
		}
		for _, state := range permit.ShareStates() {
			row = append(row, strconv.Itoa(f.Outcomes[state]))
		}
		return strings.Join(row, "\t")
	})
}
