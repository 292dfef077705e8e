package postgis

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"hatang/internal/account"
	"hatang/internal/intake"
	"hatang/internal/layer"
)

// mostCompared is up to how many positions an import looks for masts that several operators
// list: 200 000 of them take some 100 MB for a moment.
const mostCompared = 200_000

// importCounted is importAll, which of sites and positions counts what there is before and
// after. In a dry run that is what there would be.
func importCounted(ctx context.Context, tx pgx.Tx, v account.Viewer, l *layer.Layer, o ImportOptions, read func(add func(Incoming) error) error) (ImportSummary, error) {
	if !l.CountsSites() {
		return importAll(ctx, tx, v, l, o, read)
	}
	date, dryRun, sites := o.Date, o.DryRun, &layer.SitesImported{}
	if !o.InForce.IsZero() {
		date = o.InForce
	}
	var err error
	if sites.Before, err = siteCounts(ctx, tx, date); err != nil {
		return ImportSummary{}, err
	}
	o.DryRun = false // what comes after must be seen, too
	summary, err := importAll(ctx, tx, v, l, o, read)
	if err != nil {
		return summary, err
	}
	if sites.After, err = siteCounts(ctx, tx, date); err != nil {
		return summary, err
	}
	// Who puts no sites together is told nothing that hangs on what others found apart.
	if v.AsksAnything() && sites.After.Positions <= mostCompared {
		found, err := proposeSites(ctx, tx, date, intake.SameMastM)
		if err != nil {
			return summary, err
		}
		n := len(found.Sites)
		sites.Proposals = &n
	}
	summary.Sites = sites
	if dryRun {
		summary.Applied = false
		return summary, errNotApplied
	}
	return summary, nil
}

// makeOwnSites makes a site where each new position lies that stands on one of its own code,
// where there is none: with a mast of the type that is wished, and otherwise as the position says.
// Who may not write all sites may not wish it.
func (im *importer) makeOwnSites(ctx context.Context) error {
	if im.o.OwnSites == "" {
		return nil
	}
	if !im.viewer.Pen("bts_sites").All {
		return fmt.Errorf("bts_sites, %s: %w", im.viewer.Name, layer.ErrForbidden)
	}
	_, err := im.tx.Exec(ctx, `INSERT INTO bts_sites (code, name, valid_from, valid_to, owner_organisation, jurisdiction, source, illustrative, accuracy_m, status, phase, mast_type, technologies, geom)
		SELECT p.code, p.name, p.valid_from, p.valid_to, p.owner_organisation, p.jurisdiction, p.source, p.illustrative, p.accuracy_m, p.status, p.phase, $1, p.technologies, p.geom
		FROM staging s JOIN operator_positions p ON p.code = s.code AND p.valid_from = s.valid_from
		WHERE s._match IS NULL AND p.site_code = p.code AND NOT EXISTS (SELECT FROM bts_sites b
			WHERE b.code = p.code AND (b.status <> 'draft' OR p.status = 'draft') AND daterange(b.valid_from, b.valid_to) && daterange(p.valid_from, p.valid_to))
		ORDER BY s._row`, im.o.OwnSites)
	return err
}
