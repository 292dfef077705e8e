package postgis

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"hatang/geo/zoning"
)

// refused are the requests to share masts whose owner, or the department, has refused and
// that have neither come to an agreement nor been withdrawn since: by the steps h that were
// part of the register, which %[1]s selects, of those requests r that %[2]s does.
const refused = `SELECT r.code, r.asker, r.number, max(h.taken_on) FILTER (WHERE h.action IN ('decline', 'refuse'))
	FROM sharing_requests r JOIN (SELECT request, revision, action, after, taken_on, xid, at AS recorded_at FROM sharing_steps) h ON h.request = r.number%[1]s
	WHERE r.collection = 'bts_sites' AND r.code IS NOT NULL AND %[2]s GROUP BY r.number
	HAVING (array_agg(h.after ORDER BY h.revision DESC))[1] IN ('declined', 'mediation', 'refused') AND bool_or(h.action IN ('decline', 'refuse'))
	ORDER BY r.code, r.number`

// refusals adds to the masts what was refused to those who asked to share them: to the
// viewer's own organisation, and to all where he is staff. A refusal is of the mast that
// bears the code, like a position.
func (r *reading) refusals(ctx context.Context, masts []zoning.Mast, bearers map[string]int) error {
	c := &conditions{}
	whose := c.whoseRefusals(r)
	if whose == "" {
		return nil
	}
	if r.boxes != nil || r.only != nil {
		codes := make([]string, 0, len(bearers))
		for code := range bearers {
			codes = append(codes, code)
		}
		whose += " AND r.code = ANY (" + c.bind(codes) + ")"
	}
	then := ""
	if !r.known.at.IsZero() {
		then = " AND NOT " + c.later(r.known)
	}
	rows, err := r.tx.Query(ctx, fmt.Sprintf(refused, then, whose), c.args...)
	if err != nil {
		return err
	}
	var code string
	var refusal zoning.Refusal
	var on day
	_, err = pgx.ForEachRow(rows, []any{&code, &refusal.Operator, &refusal.Request, &on}, func() error {
		if i, borne := bearers[code]; borne {
			refusal.On = on.Date
			masts[i].Refusals = append(masts[i].Refusals, refusal)
		}
		return nil
	})
	return err
}

// whoseRefusals is the condition on requests r that their refusals are told to the viewer; ""
// where none are.
func (c *conditions) whoseRefusals(r *reading) string {
	sight, any := r.viewer.Sight("bts_sites"), []string{}
	if sight.All {
		return "true"
	}
	for _, code := range slices.Compact([]string{sight.Organisation, r.viewer.RefusedTo}) {
		if code != "" {
			any = append(any, "r.asker = "+c.bind(code))
		}
	}
	for _, unit := range sight.Territories {
		any = append(any, "coalesce(ST_Intersects((SELECT hatang_territory("+c.bind(unit)+")), r.geom), false)")
	}
	if len(any) == 0 {
		return ""
	}
	return "(" + strings.Join(any, " OR ") + ")"
}
