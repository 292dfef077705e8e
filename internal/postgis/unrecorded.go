package postgis

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"hatang/internal/layer"
)

// recorders are the triggers by which each layer's changes are revised and recorded.
var recorders = []string{"record_delete", "record_insert", "record_truncate", "record_update", "revise"}

// unrecorded finds what the owner of the database changed past the history, which nobody else can: recorders
// that are off or gone, and rows that are otherwise than the history has them. A change of a row by which its
// revision stays is not found. Cost: the history is read once.
func unrecorded(ctx context.Context, conn *pgxpool.Conn, layers []*layer.Layer) (problems []string, err error) {
	for _, l := range layers {
		rows, err := conn.Query(ctx, `SELECT name FROM unnest($2::text[]) name WHERE NOT EXISTS (
			SELECT FROM pg_trigger WHERE tgrelid = to_regclass(quote_ident($1)) AND tgname = name AND tgenabled IN ('O', 'A')) ORDER BY 1`, l.Name, recorders)
		if err != nil {
			return problems, err
		}
		off, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return problems, err
		}
		if len(off) > 0 {
			problems = append(problems, fmt.Sprintf("changes of %s are not recorded: the triggers %s are off or gone", l.Name, strings.Join(off, ", ")))
		}
		var appeared, vanished, changed int
		if err := conn.QueryRow(ctx, fmt.Sprintf(`SELECT count(*) FILTER (WHERE h.id IS NULL OR h.gone AND t.id IS NOT NULL), count(*) FILTER (WHERE t.id IS NULL AND NOT h.gone), count(*) FILTER (WHERE t.revision > h.revision + 1)
			FROM %s t FULL JOIN (SELECT feature_id AS id, coalesce(max((before ->> 'revision')::bigint), 0) AS revision, (array_agg(operation ORDER BY id DESC))[1] IN ('delete', 'truncate') AS gone
				FROM history WHERE layer = $1 GROUP BY feature_id) h ON h.id = t.id`, quote(l.Name)), l.Name).Scan(&appeared, &vanished, &changed); err != nil {
			return problems, err
		}
		if appeared+vanished+changed > 0 {
			problems = append(problems, fmt.Sprintf("%s was changed past the history: %d rows appeared, %d vanished, %d were changed", l.Name, appeared, vanished, changed))
		}
	}
	return problems, nil
}
