-- Who is kept from changing a row that is in a proposal can be told in which; and by a row the step
-- is found that made it, which is not taken back but by other steps.

-- +goose Up

-- As before, and says which proposal it is.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION hatang_keep_filed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    r record;
    columns text[];
    filed_in bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM proposal_features) THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'DELETE' THEN
        filed_in := (SELECT min(p.id) FROM old_rows o JOIN proposal_features f ON f.layer = TG_TABLE_NAME AND f.feature = o.id
            JOIN proposals p ON p.id = f.proposal WHERE hatang_proposal_open(p.state) AND (p.state = 'approved' OR pg_trigger_depth() = 1 AND hatang_heeds(p.id)));
        IF filed_in IS NOT NULL THEN
            RAISE EXCEPTION 'the row is in an open proposal' USING ERRCODE = 'HT024', DETAIL = filed_in;
        END IF;
        RETURN NULL;
    END IF;
    FOR r IN SELECT p.id, p.state, to_jsonb(o) - 'geom' AS before, to_jsonb(n) - 'geom' AS after, ST_AsEWKB(o.geom) <> ST_AsEWKB(n.geom) AS moved
            FROM old_rows o JOIN new_rows n ON n.id = o.id JOIN proposal_features f ON f.layer = TG_TABLE_NAME AND f.feature = o.id
            JOIN proposals p ON p.id = f.proposal WHERE hatang_proposal_open(p.state) AND (p.state = 'approved' OR pg_trigger_depth() = 1 AND hatang_heeds(p.id)) FOR SHARE OF p LOOP
        columns := ARRAY(SELECT key FROM jsonb_each(r.after) a WHERE a.value IS DISTINCT FROM r.before -> a.key AND a.key NOT IN ('revision', 'updated_at'))
            || CASE WHEN r.moved THEN '{geom}'::text[] ELSE '{}' END;
        IF NOT (CASE
            WHEN r.state = 'more_asked' THEN NOT columns && '{status,code,owner_organisation,jurisdiction,valid_to}'::text[]
            WHEN r.state = 'approved' AND r.before ->> 'status' = 'draft' THEN r.after ->> 'status' = 'planned' AND columns <@ '{status,valid_from}'::text[]
            WHEN r.state = 'approved' THEN NOT columns && '{status,code,owner_organisation,jurisdiction,valid_from,valid_to,geom}'::text[]
            ELSE columns = '{}' END) THEN
            RAISE EXCEPTION 'the row is in an open proposal' USING ERRCODE = 'HT024', DETAIL = r.id;
        END IF;
    END LOOP;
    -- A revision in which nothing is another is as good as the one that was checked.
    UPDATE proposal_features f SET revision = n.revision FROM old_rows o JOIN new_rows n ON n.id = o.id, proposals p
        WHERE f.layer = TG_TABLE_NAME AND f.feature = o.id AND f.revision = o.revision AND p.id = f.proposal AND hatang_proposal_open(p.state) AND p.state <> 'approved'
            AND to_jsonb(n) - '{geom,revision,updated_at}'::text[] = to_jsonb(o) - '{geom,revision,updated_at}'::text[] AND ST_AsEWKB(n.geom) = ST_AsEWKB(o.geom);
    RETURN NULL;
END
$$;
-- +goose StatementEnd

CREATE INDEX proposal_features_became ON proposal_features (layer, became) WHERE became IS NOT NULL;
