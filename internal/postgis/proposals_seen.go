package postgis

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"hatang/internal/account"
	"hatang/internal/permit"
)

// proposalsSQL reads proposals as permit.File has them in lists, and as what the viewer has
// to do with each: as one of the organisation, as staff, as an agency that is asked.
const proposalsSQL = `SELECT %s FROM (
	SELECT *, coalesce(due_on < (SELECT hatang_today()) OR state = 'approved' AND expires_on < (SELECT hatang_today()), false) AS overdue,
		coalesce(due_on, CASE state WHEN 'approved' THEN expires_on END, 'infinity') AS deadline, %s AS own,
		EXISTS (SELECT FROM proposal_features f WHERE f.proposal = p.id AND %s) AS staff, EXISTS (SELECT FROM proposal_features f WHERE f.proposal = p.id AND %s) AS asked,
		EXISTS (SELECT FROM proposal_features f WHERE f.proposal = p.id AND %s) AS awaits,
		NOT EXISTS (SELECT FROM proposal_features f WHERE f.proposal = p.id AND NOT coalesce(%s, false)) AS whole FROM proposals p) p
	WHERE (own OR staff OR asked)`

// ties is what a viewer has to do with a proposal; whole: with every feature of it.
type ties struct{ own, staff, asked, whole bool }

// tieConditions are the conditions for it: own on a proposal p, the others on a feature f of one.
// awaits is of what is asked and not answered; viewer is the organisation, ” for none.
type tieConditions struct{ own, staff, asked, awaits, viewer string }

// tiesOf returns what the viewer has to do with: what his organisation files; as staff the
// features that he would see as drafts; of the others those that his agency is asked about.
func (c *conditions) tiesOf(v account.Viewer) tieConditions {
	own, staff, asked, awaits, viewer := "false", []string{"false"}, []string{"false"}, []string{"false"}, "''"
	if v.Organisation != "" {
		viewer = c.bind(v.Organisation)
		own = "p.organisation = " + viewer
	}
	for _, name := range permit.FiledLayers() {
		if v.Organisation != "" && v.OrganisationOn(name) == "" { // a key that is for other layers
			own += " AND NOT EXISTS (SELECT FROM proposal_features o WHERE o.proposal = p.id AND o.layer = " + literal(name) + ")"
		}
	}
	for _, name := range permit.FiledLayers() {
		sight, here := v.Sight(name), "f.layer = "+literal(name)
		if sight.All {
			staff = append(staff, here)
		}
		for _, code := range sight.Territories {
			staff = append(staff, here+" AND ST_Intersects((SELECT hatang_territory("+c.bind(code)+")), f.geom)")
		}
		if agency := v.Consulted(name); agency != "" {
			of := fmt.Sprintf("%s AND EXISTS (SELECT FROM consultations c WHERE c.proposal = f.proposal AND c.layer = f.layer AND c.feature = f.feature AND c.agency = %s AND c.withdrawn_at IS NULL",
				here, c.bind(agency))
			asked, awaits = append(asked, of+")"), append(awaits, of+" AND c.answered_at IS NULL)")
		}
	}
	any := func(list []string) string { return "(" + strings.Join(list, " OR ") + ")" }
	return tieConditions{"(" + own + ")", any(staff), any(asked), any(awaits), viewer}
}

// proposals is the statement that reads columns of what the viewer has to do with.
func (t tieConditions) proposals(columns string) string {
	return fmt.Sprintf(proposalsSQL, columns, t.own, t.staff, t.asked, t.awaits, t.features())
}

// told is the condition on steps s that they are told to a viewer with such ties: expressions,
// as his organisation is. What passes between staff and an agency is for these. Files are for
// who sees the proposal whole: that there are some would tell anybody else that he does not.
func told(staff, asked, whole, organisation string) string {
	return fmt.Sprintf(`((%[4]s OR s.action <> 'attach') AND coalesce(%[1]s OR s.organisation = %[3]s OR s.action <> 'answer' AND NOT EXISTS (SELECT FROM attachments a
		WHERE a.agency IS NOT NULL AND NOT (%[2]s AND a.agency = %[3]s) AND (a.proposal, a.revision) = (s.proposal, s.revision)), false))`, staff, asked, organisation, whole)
}

// columns are those that scanProposal takes. The revision that the viewer is told counts the
// steps that he is told: from that of all he would learn how many others there are.
func (t tieConditions) columns() string {
	return "id, organisation, title, state, revision, (SELECT count(*) FROM proposal_steps s WHERE s.proposal = p.id AND " + told("p.staff", "p.asked", "p.whole", t.viewer) +
		"), filed_at, due_on, expires_on, overdue, awaits, decision, own, staff, asked, whole"
}

// features is the condition on a feature f of a proposal p that the viewer has to do with it;
// one of the organisation has to do with all.
func (t tieConditions) features() string {
	return "(" + t.own + " OR " + t.staff + " OR " + t.asked + ")"
}

// onlySeen leaves of a proposal what is about the features that the viewer sees.
func (f *seenFile) onlySeen(ctx context.Context, q querier, v account.Viewer) error {
	c := &conditions{}
	c.add("f.proposal = %s", c.bind(f.ID))
	c.add("%s", c.tiesOf(v).features())
	rows, err := q.Query(ctx, "SELECT f.layer, f.feature FROM proposal_features f JOIN proposals p ON p.id = f.proposal"+c.where(), c.args...)
	if err != nil {
		return err
	}
	seen := map[permit.FeatureID]bool{}
	var one permit.FeatureID
	if _, err = pgx.ForEachRow(rows, []any{&one.Collection, &one.ID}, func() error {
		seen[one] = true
		return nil
	}); err != nil {
		return err
	}
	// Also where that is all: what was checked is written anew, and that it was must not tell.
	return f.Only(func(id permit.FeatureID) bool { return seen[id] })
}
