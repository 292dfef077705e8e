package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"hatang/internal/account"
	"hatang/internal/permit"
	"hatang/internal/postgis"
)

type permitCommand struct {
	List listProposalsCommand `cmd:"" help:"List proposals, the newest first."`
	Show showProposalCommand  `cmd:"" help:"Write a proposal as JSON."`
	Step stepProposalCommand  `cmd:"" help:"Take a step that officers take: ask_more, consult, answer, expire, build. Who decides signs in."`
}

type listProposalsCommand struct {
	State        string `help:"Only those in this state."`
	Organisation string `help:"Only those that this organisation has filed."`
	Overdue      bool   `help:"Only those whose next step is late, or that were to be built by now."`
	Limit        int    `default:"100" help:"How many at most."`
	JSON         bool   `name:"json" help:"Write them as JSON."`
}

// Run lists proposals.
func (c *listProposalsCommand) Run(ctx context.Context, g *globals, env *environment) error {
	var found []permit.File
	err := g.withStore(ctx, env, func(_ *database, s *postgis.Store) (err error) {
		found, err = s.Proposals(ctx, env.viewer(), permit.FileQuery{State: permit.FileState(c.State), Organisation: c.Organisation, Overdue: c.Overdue, Limit: c.Limit})
		return err
	})
	if err != nil || c.JSON {
		return firstError(err, func() error { return writeJSON(env.stdout, found) })
	}
	return table(env.stdout, "PROPOSAL\tSTATE\tREVISION\tDUE\tORGANISATION\tTITLE", len(found), func(i int) string {
		f := found[i]
		return strings.Join([]string{strconv.FormatInt(f.ID, 10), string(f.State), strconv.FormatInt(f.Revision, 10), dueText(f.DueOn, f.Overdue), f.Organisation, f.Title}, "\t")
	})
}

type showProposalCommand struct {
	ID int64 `arg:"" help:"Id of the proposal."`
}

// Run shows a proposal.
func (c *showProposalCommand) Run(ctx context.Context, g *globals, env *environment) error {
	return g.withStore(ctx, env, func(_ *database, s *postgis.Store) error {
		f, err := s.Proposal(ctx, env.viewer(), c.ID)
		if err != nil {
			return err
		}
		return writeJSON(env.stdout, f)
	})
}

type stepProposalCommand struct {
	ID             int64    `arg:"" help:"Id of the proposal."`
	Action         string   `arg:"" enum:"ask_more,consult,answer,expire,build" help:"ask_more, consult, answer, expire or build."`
	Revision       int64    `help:"Take it at this revision alone; default whatever there is."`
	Reasons        string   `help:"What is asked for, or what an agency says beside its answer."`
	Agency         []string `help:"Code of an agency to consult, or that has answered."`
	Required       bool     `help:"Nothing is approved without the consent of these agencies."`
	Answer         string   `help:"agreed, agreed_with_conditions, objected or no_remark."`
	DocumentNumber string   `help:"Number of the document of the answer."`
	DocumentDate   string   `placeholder:"YYYY-MM-DD" help:"Its date."`
	Attachment     int64    `help:"Its file: id of an attachment."`
}

// Run takes a step.
func (c *stepProposalCommand) Run(ctx context.Context, g *globals, env *environment) error {
	d, err := c.decision()
	if err != nil {
		return usageError{err}
	}
	return g.withStore(ctx, env, func(_ *database, s *postgis.Store) error {
		state, revision, err := s.DecideProposal(ctx, env.viewer(), c.ID, d)
		if err != nil {
			return err
		}
		fmt.Fprintf(env.stdout, "%d is %s, at revision %d\n", c.ID, state, revision)
		return nil
	})
}

// decision is the step that the flags say, whole or not at all.
func (c *stepProposalCommand) decision() (permit.Decision, error) {
	d := permit.Decision{Action: permit.Action(c.Action), Revision: c.Revision, Reasons: c.Reasons, Agencies: c.Agency, Required: c.Required,
		Answer: account.Answer(c.Answer), DocumentNumber: c.DocumentNumber, Attachment: c.Attachment}
	switch {
	case d.Action == permit.AskMore && d.Reasons == "":
		return d, errors.New("ask_more needs --reasons")
	case d.Action == permit.Consult && len(c.Agency) == 0:
		return d, errors.New("consult needs --agency")
	case d.Action == permit.AnswerFor && (len(c.Agency) != 1 || !d.Answer.Valid()):
		return d, fmt.Errorf("answer needs one --agency, and --answer, which is one of %v", account.Answers())
	}
	if d.Action == permit.AnswerFor {
		d.Agency = c.Agency[0]
	}
	var err error
	d.DocumentDate, err = dayOf("--document-date", c.DocumentDate)
	return d, err
}
