package postgis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/permit"
)

// Decided: staff see a proposal whole or not at all. Who sees some of its features alone sees these
// in their layers, as drafts that are in no proposal: the database does not hold it against his
// changes either (heed), and what is changed is not approved before it is supplemented. An agency
// sees the features that it is asked about, and answers for these; but one of it who is also
// staff of a part sees nothing of it, for he would miss what staff may do. That it is over he notices
// all the same, when his agency loses sight of the drafts: his agency is told so, and he is one of it.

// proposalsSQL reads proposals as permit.File has them in lists, and as what the viewer has
// to do with each: as one of the organisation, as staff, as an agency that is asked.
const proposalsSQL = `SELECT %s FROM (
	SELECT *, coalesce(due_on < (SELECT hatang_today()) OR state = 'approved' AND expires_on < (SELECT hatang_today()), false) AS overdue,
		coalesce(due_on, CASE state WHEN 'approved' THEN expires_on END, 'infinity') AS deadline, %s AS own, %s AS staff, %s AS asked,
		EXISTS (SELECT FROM proposal_features f WHERE f.proposal = p.id AND %s) AS awaits,
		NOT EXISTS (SELECT FROM proposal_features f WHERE f.proposal = p.id AND NOT coalesce(%s, false)) AS whole FROM proposals p) p
	WHERE (own OR staff OR asked)`

// ties is what a viewer has to do with a proposal; whole: with every feature of it.
type ties struct{ own, staff, asked, whole bool }

// tieConditions are the conditions for it on a proposal p; askedOf and awaits on a feature f of
// one: that it is asked about, and not answered yet. viewer is the organisation, answers are the layers
// about which he answers for it.
type tieConditions struct{ own, staff, asked, askedOf, awaits, viewer, answers string }

// ownTie is the condition on a proposal p that the viewer is one of its organisation.
func (c *conditions) ownTie(v account.Viewer) string {
	if v.Organisation == "" {
		return "false"
	}
	own := "p.organisation = " + c.bind(v.Organisation)
	for _, name := range permit.FiledLayers() {
		if v.OrganisationOn(name) == "" { // a key that is for other layers
			own += " AND NOT EXISTS (SELECT FROM proposal_features o WHERE o.proposal = p.id AND o.layer = " + literal(name) + ")"
		}
	}
	return "(" + own + ")"
}

// staffOf is the condition on a feature f of a proposal that the viewer would see it as a draft, as
// staff.
func (c *conditions) staffOf(v account.Viewer) string {
	staff := []string{"false"}
	for _, name := range permit.FiledLayers() {
		sight, here := v.Sight(name), "f.layer = "+literal(name)
		if sight.All {
			staff = append(staff, here)
		}
		for _, code := range sight.Territories {
			staff = append(staff, here+" AND ST_Intersects((SELECT hatang_territory("+c.bind(code)+")), f.geom)")
		}
	}
	return "(" + strings.Join(staff, " OR ") + ")"
}

// staffOfAll is the condition on a proposal, an expression, that the viewer would see each feature
// of it as a draft, as staff: then he sees the proposal.
func (c *conditions) staffOfAll(v account.Viewer, proposal string) string {
	return fmt.Sprintf("NOT EXISTS (SELECT FROM proposal_features f WHERE f.proposal = %s AND NOT coalesce(%s, false))", proposal, c.staffOf(v))
}

// tiesOf returns what the viewer has to do with: what his organisation files; as staff what has no
// feature that he would not see as a draft; of the others those that his agency is asked about.
func (c *conditions) tiesOf(v account.Viewer) tieConditions {
	const ofProposal = "EXISTS (SELECT FROM proposal_features f WHERE f.proposal = p.id AND "
	t := tieConditions{own: c.ownTie(v), staff: "false", viewer: literal(v.Organisation), answers: literal("{"+strings.Join(answersOn(v), ",")+"}") + "::text[]"}
	asked, awaits := []string{"false"}, []string{"false"}
	for _, name := range answersOn(v) {
		of := fmt.Sprintf("f.layer = %s AND EXISTS (SELECT FROM consultations c WHERE c.proposal = f.proposal AND c.layer = f.layer AND c.feature = f.feature AND c.agency = %s AND c.withdrawn_at IS NULL",
			literal(name), t.viewer)
		asked, awaits = append(asked, of+")"), append(awaits, of+" AND c.answered_at IS NULL)")
	}
	t.askedOf, t.awaits = "("+strings.Join(asked, " OR ")+")", "("+strings.Join(awaits, " OR ")+")"
	t.asked = ofProposal + t.askedOf + ")"
	if v.Staff() {
		t.staff = "(" + c.staffOfAll(v, "p.id") + ")"
		t.asked = "(" + t.asked + " AND (" + t.staff + " OR NOT " + ofProposal + c.staffOf(v) + ")))"
	}
	return t
}

// answersOn are the layers about whose features the viewer answers for his agency in proposals.
func answersOn(v account.Viewer) []string {
	return slices.DeleteFunc(permit.FiledLayers(), func(name string) bool { return v.Consulted(name) == "" })
}

// proposals is the statement that reads columns of what the viewer has to do with.
func (t tieConditions) proposals(columns string) string {
	return fmt.Sprintf(proposalsSQL, columns, t.own, t.staff, t.asked, t.awaits, t.features())
}

// features is the condition on a feature f of a proposal p that the viewer has to do with it;
// one of the organisation and staff have to do with all.
func (t tieConditions) features() string {
	return "(" + t.own + " OR " + t.staff + " OR " + t.asked + " AND " + t.askedOf + ")"
}

// told is the condition on steps s that they are told to a viewer with such ties: expressions, as
// his organisation is and the layers about which he answers for it. What passes between staff and
// an agency is for these. Files of the proposal are for who sees it whole: that there are some
// would tell anybody else that he does not.
func told(staff, asked, whole, organisation, layers string) string {
	return fmt.Sprintf(`coalesce(%[1]s OR CASE s.action
		WHEN 'attach' THEN EXISTS (SELECT FROM attachments a WHERE (a.proposal, a.revision) = (s.proposal, s.revision) AND (a.agency IS NULL AND %[3]s OR %[2]s AND a.agency = %[4]s))
		WHEN 'answer' THEN s.organisation = %[4]s AND EXISTS (SELECT FROM consultations c WHERE (c.proposal, c.agency, c.answered_at) = (s.proposal, %[4]s, s.at) AND c.layer = ANY (%[5]s))
		ELSE true END, false)`, staff, asked, whole, organisation, layers)
}

// columns are those that scanProposal takes. The revision that the viewer is told counts the
// steps that he is told: from that of all he would learn how many others there are.
func (t tieConditions) columns() string {
	return "id, organisation, title, state, revision, (SELECT count(*) FROM proposal_steps s WHERE s.proposal = p.id AND " + told("p.staff", "p.asked", "p.whole", t.viewer, t.answers) +
		"), filed_at, due_on, expires_on, overdue, awaits, decision, own, staff, asked, whole"
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

// inOpenProposal is the condition that the row of an expression is in a proposal that is open and
// of the viewer's organisation: in others it may be, which he does not see.
func (c *conditions) inOpenProposal(v account.Viewer, collection, id string) string {
	return "EXISTS (SELECT FROM proposal_features f JOIN proposals p ON p.id = f.proposal WHERE f.layer = " + literal(collection) + " AND f.feature = " + id + " AND hatang_proposal_open(p.state) AND " + c.ownTie(v) + ")"
}

// seenFiled leaves in an error the proposal that it names only where the viewer sees it.
func (s *Store) seenFiled(ctx context.Context, v account.Viewer, err error) error {
	var filed *layer.FiledError
	if !errors.As(err, &filed) || filed.Proposal == 0 || v.SeesEverything() {
		return err
	}
	c := &conditions{}
	sees := false
	sql := fmt.Sprintf("SELECT EXISTS (SELECT FROM (%s) seen WHERE seen.id = %s)", c.tiesOf(v).proposals("id"), c.bind(filed.Proposal))
	if asked := s.pool.QueryRow(ctx, sql, c.args...).Scan(&sees); asked != nil || !sees {
		filed.Proposal = 0
	}
	return err
}

// heed says in a transaction which open proposals there are for the viewer, as one of their
// organisation or as staff: those alone are held against what he does to their features. Of the
// others he must not learn by it. A layer and an id ask about one row alone, "" and 0 about all.
func heed(ctx context.Context, tx pgx.Tx, v account.Viewer, name string, id int64) error {
	if v.SeesEverything() || name != "" && !slices.Contains(permit.FiledLayers(), name) {
		return nil
	}
	c := &conditions{}
	own, staff := c.ownTie(v), c.staffOfAll(v, "p.id")
	c.add("hatang_proposal_open(p.state)")
	if id != 0 {
		c.add("EXISTS (SELECT FROM proposal_features o WHERE (o.proposal, o.layer, o.feature) = (p.id, %s, %s))", literal(name), c.bind(id))
	}
	c.add("(%s OR %s)", own, staff)
	_, err := tx.Exec(ctx, "SELECT set_config('hatang.heeded', (SELECT coalesce(array_agg(p.id), '{}')::text FROM proposals p"+c.where()+"), true)", c.args...)
	return err
}

// heedNone is heed of no proposal at all.
func heedNone(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, "SELECT set_config('hatang.heeded', '{}', true)")
	return err
}
