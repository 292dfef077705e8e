package postgis

import (
	"context"
	"fmt"

	"hatang/internal/layer"
)

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
