-- What agencies say may call for a supplement; and consent to what lies in a border belt or a
-- military area is a paper: its number, date and file.

-- +goose Up

INSERT INTO proposal_transitions (before, action, party, after) VALUES
    ('consulting', 'ask_more', 'officer', 'more_asked'),
    ('more_asked', 'answer', 'agency', 'more_asked'), ('more_asked', 'answer', 'officer', 'more_asked'), ('more_asked', 'attach', 'agency', 'more_asked'),
    ('supplemented', 'answer', 'agency', 'supplemented'), ('supplemented', 'answer', 'officer', 'supplemented'), ('supplemented', 'attach', 'agency', 'supplemented');

-- As before, in military areas too, and heeding there and along the border what is on paper alone.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION hatang_missing_consents(which bigint) RETURNS text[] LANGUAGE sql STABLE AS $$
    WITH demanded AS (
        SELECT f.layer, f.feature, coalesce(a.agency, '') AS agency, true AS on_paper FROM proposal_features f
            JOIN special_areas a ON a.kind IN ('border_belt', 'military') AND ST_Intersects(a.geom, f.geom)
            WHERE f.proposal = which AND f.layer IN ('fibre_routes', 'cable_segments', 'ducts', 'pole_lines')
                AND a.valid_from <= hatang_today() AND (a.valid_to IS NULL OR a.valid_to > hatang_today())
        UNION SELECT f.layer, f.feature, '', true FROM proposal_features f JOIN fibre_routes r ON f.layer = 'fibre_routes' AND r.id = f.feature AND r.kind = 'border' WHERE f.proposal = which
        UNION SELECT c.layer, c.feature, c.agency, false FROM consultations c WHERE c.proposal = which AND c.required AND c.withdrawn_at IS NULL),
    asked AS (SELECT c.layer, c.feature, c.agency, c.answer, c.required, c.answered_at IS NULL AS open,
            num_nulls(c.document_number, c.document_date, c.attachment) = 0 AS on_paper,
            row_number() OVER (PARTITION BY c.layer, c.feature, c.agency ORDER BY c.answered_at DESC NULLS LAST, c.id DESC) AS place
        FROM consultations c WHERE c.proposal = which AND c.withdrawn_at IS NULL),
    heard AS (SELECT d.layer, d.feature, d.agency, d.on_paper,
            coalesce(bool_or(a.place = 1 AND a.answer IN ('agreed', 'agreed_with_conditions') AND (a.on_paper OR NOT d.on_paper)), false) AS agreed,
            coalesce(bool_or(a.place = 1 AND a.answer = 'objected' OR a.open AND a.required), false) AS against
        FROM demanded d LEFT JOIN asked a ON a.layer = d.layer AND a.feature = d.feature AND (a.agency = d.agency OR d.agency = '' AND (a.required OR EXISTS (
            SELECT FROM demanded o WHERE (o.layer, o.feature, o.agency) = (a.layer, a.feature, a.agency)))) GROUP BY 1, 2, 3, 4)
    SELECT coalesce(array_agg(DISTINCT agency ORDER BY agency), '{}') FROM heard WHERE NOT agreed OR against
$$;
-- +goose StatementEnd
