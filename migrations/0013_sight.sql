-- What one may not see cannot be inferred: versions count what their audience sees,
-- hidden rows have ids of a kind of their own, and only rows that all may see take a code.

-- +goose Up

-- The role of requests that only read and are not staff's: it knows no people, keys and
-- secrets, and changes nothing.
-- +goose StatementBegin
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'hatang_read') THEN
        CREATE ROLE hatang_read NOLOGIN;
    END IF;
    IF NOT pg_has_role(current_user, 'hatang_read', 'MEMBER') THEN
        EXECUTE format('GRANT hatang_read TO %I', current_user);
    END IF;
    IF NOT pg_has_role('hatang_app', 'hatang_read', 'MEMBER') THEN
        GRANT hatang_read TO hatang_app;
    END IF;
END
$$;
-- +goose StatementEnd
GRANT USAGE ON SCHEMA public TO hatang_read;
GRANT SELECT ON layer_versions, history, plans, plan_phases, plan_entries, rule_sets TO hatang_read;

ALTER TABLE layer_versions ADD COLUMN audience text NOT NULL DEFAULT 'public';
ALTER TABLE layer_versions DROP CONSTRAINT layer_versions_pkey, ADD PRIMARY KEY (layer, audience);
COMMENT ON TABLE layer_versions IS 'Version of each layer for each audience that is told of some of its rows, raised once by every transaction that changes one of these, at commit.';
COMMENT ON COLUMN layer_versions.audience IS 'public: rows that all see; signed_in: rows kept from the public alone; organisation:CODE its drafts; territory:CODE drafts that meet the unit; withheld: what the registry withholds; staff: drafts and withheld rows.';
ALTER TABLE layer_changes ADD COLUMN audience text NOT NULL DEFAULT 'public';
ALTER TABLE layer_changes DROP CONSTRAINT layer_changes_pkey, ADD PRIMARY KEY (xid, layer, audience);

DROP FUNCTION hatang_touch(text);
-- +goose StatementBegin
CREATE FUNCTION hatang_touch(changed text, whose text DEFAULT 'public') RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO layer_changes (layer, audience) VALUES (changed, whose) ON CONFLICT DO NOTHING
$$;
-- +goose StatementEnd
REVOKE EXECUTE ON FUNCTION hatang_touch(text, text) FROM PUBLIC;

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION hatang_raise_versions() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    changed record;
BEGIN
    FOR changed IN SELECT layer, audience FROM layer_changes WHERE xid = pg_current_xact_id() ORDER BY layer, audience LOOP
        INSERT INTO layer_versions AS v (layer, audience) VALUES (changed.layer, changed.audience)
            ON CONFLICT (layer, audience) DO UPDATE SET version = v.version + 1, changed_at = clock_timestamp();
    END LOOP;
    DELETE FROM layer_changes WHERE xid = pg_current_xact_id();
    IF FOUND THEN
        PERFORM pg_notify('hatang_layers', '');
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd

-- How exactly the public sees where sites stand, by province; exactly where nothing is said.
CREATE TABLE publications (
    jurisdiction text PRIMARY KEY,
    exactness    text NOT NULL CONSTRAINT publications_exactness_known CHECK (exactness IN ('exact', 'rounded', 'hidden')),
    cell_degrees double precision CONSTRAINT publications_cell_range CHECK (cell_degrees >= 0.0001 AND cell_degrees <= 1),
    CONSTRAINT publications_cell_of_rounded CHECK ((exactness = 'rounded') = (cell_degrees IS NOT NULL))
);
COMMENT ON COLUMN publications.cell_degrees IS 'Degrees of longitude and latitude to whose multiples places are rounded.';
INSERT INTO layer_versions (layer) VALUES ('publications');
GRANT SELECT, INSERT, UPDATE ON publications TO hatang_app;
GRANT SELECT ON publications TO hatang_read;

-- Layers of which some rows are hidden from some viewers, and which.
CREATE TABLE layer_sight (
    layer             text PRIMARY KEY,
    drafts            boolean NOT NULL,
    withheld          text,
    published_as_set  boolean NOT NULL
);
COMMENT ON COLUMN layer_sight.withheld IS 'Condition on the rows that the registry withholds from the public.';
COMMENT ON COLUMN layer_sight.published_as_set IS 'The public sees places as publications says.';

-- The territory of a grant: the unit of that code, in its latest form.
-- +goose StatementBegin
CREATE FUNCTION hatang_territory(unit text) RETURNS geometry LANGUAGE sql STABLE AS $$
    SELECT geom FROM (
        SELECT valid_from, geom FROM provinces WHERE code = unit
        UNION ALL SELECT valid_from, geom FROM districts WHERE code = unit
        UNION ALL SELECT valid_from, geom FROM communes WHERE code = unit) units
    ORDER BY valid_from DESC LIMIT 1
$$;
-- +goose StatementEnd
GRANT SELECT ON layer_sight TO hatang_app, hatang_read;

-- As before, and now touching each audience of the rows before and after the change.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION hatang_record() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    image   text;
    seen    layer_sight;
    shown   boolean;
    hidden  boolean;
    changes bigint;
    changed text := CASE TG_OP WHEN 'TRUNCATE' THEN 'SELECT * FROM ' || quote_ident(TG_TABLE_NAME) WHEN 'INSERT' THEN 'SELECT * FROM new_rows'
        WHEN 'DELETE' THEN 'SELECT * FROM old_rows' ELSE 'SELECT * FROM old_rows UNION ALL SELECT * FROM new_rows' END;
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO history (layer, feature_id, operation, who, db_user)
            SELECT TG_TABLE_NAME, n.id, 'insert', hatang_who(), session_user FROM new_rows n;
    ELSE
        SELECT string_agg(format('%L, o.%I', attname, attname), ', ' ORDER BY attnum) INTO image
            FROM pg_attribute WHERE attrelid = TG_RELID AND attnum > 0 AND NOT attisdropped AND attname <> 'geom';
        EXECUTE format('INSERT INTO history (layer, feature_id, operation, before, before_geom, who, db_user)
                SELECT %L, o.id, %L, jsonb_build_object(%s), o.geom, hatang_who(), session_user FROM %s o',
            TG_TABLE_NAME, lower(TG_OP), image, CASE TG_OP WHEN 'TRUNCATE' THEN quote_ident(TG_TABLE_NAME) ELSE 'old_rows' END);
    END IF;
    GET DIAGNOSTICS changes = ROW_COUNT;
    IF changes = 0 THEN
        RETURN NULL;
    END IF;
    SELECT * INTO seen FROM layer_sight WHERE layer = TG_TABLE_NAME;
    IF NOT FOUND THEN
        PERFORM hatang_touch(TG_TABLE_NAME);
    ELSE
        -- Territories that nobody has now count too: who is given one again must not be
        -- told the version of before.
        changed := format('SELECT %s AS draft, %s AS withheld, %s AS unpublished, code, owner_organisation, geom FROM (%s) r',
            CASE WHEN seen.drafts THEN 'status = ''draft''' ELSE 'false' END, coalesce(seen.withheld, 'false'),
            CASE WHEN seen.published_as_set THEN 'jurisdiction IN (SELECT p.jurisdiction FROM publications p WHERE p.exactness = ''hidden'')' ELSE 'false' END, changed);
        EXECUTE format('SELECT bool_or(h), bool_or(NOT h) FROM (SELECT draft OR withheld OR unpublished AS h FROM (%s) c) c', changed) INTO hidden, shown;
        IF shown THEN
            PERFORM hatang_touch(TG_TABLE_NAME);
        END IF;
        IF hidden THEN
            EXECUTE format('WITH hidden AS MATERIALIZED (SELECT * FROM (%2$s) c WHERE draft OR withheld OR unpublished)
                SELECT hatang_touch(%1$L, audience) FROM (
                    SELECT CASE WHEN draft OR withheld THEN ''staff'' ELSE ''signed_in'' END AS audience FROM hidden
                    UNION SELECT ''withheld'' FROM hidden WHERE withheld
                    UNION SELECT ''organisation:'' || owner_organisation FROM hidden WHERE draft AND owner_organisation IS NOT NULL
                    UNION SELECT ''territory:'' || u.code FROM (SELECT code, hatang_territory(code) AS geom FROM (
                            SELECT DISTINCT territory AS code FROM grants WHERE territory IS NOT NULL) g) u
                        JOIN hidden h ON h.draft AND ST_Intersects(u.geom, h.geom)) a',
                TG_TABLE_NAME, changed);
        END IF;
    END IF;
    -- Whoever is limited to a unit sees other rows when its border moves.
    IF TG_TABLE_NAME IN ('provinces', 'districts', 'communes') THEN
        EXECUTE format('SELECT hatang_touch(s.layer, ''territory:'' || c.code) FROM layer_sight s,
            (SELECT DISTINCT code FROM (%s) r WHERE code IN (SELECT territory FROM grants)) c', changed);
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION hatang_add_layer(new_layer text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %I ADD CONSTRAINT %I EXCLUDE USING gist (code WITH =, daterange(valid_from, valid_to) WITH &&)',
        new_layer, new_layer || '_code_once_a_day');
    EXECUTE format('ALTER TABLE %I ADD CONSTRAINT %I CHECK (NOT ST_IsEmpty(geom)
            AND ST_XMin(geom) >= -180 AND ST_XMax(geom) <= 180 AND ST_YMin(geom) >= -90 AND ST_YMax(geom) <= 90)',
        new_layer, new_layer || '_geom_in_range');
    EXECUTE format('CREATE INDEX %I ON %I USING gist (geom)', new_layer || '_geom', new_layer);
    EXECUTE format('CREATE INDEX %I ON %I (code, valid_from)', new_layer || '_code', new_layer);
    EXECUTE format('CREATE TRIGGER revise BEFORE UPDATE ON %I FOR EACH ROW EXECUTE FUNCTION hatang_revise()', new_layer);
    EXECUTE format('CREATE TRIGGER record_insert AFTER INSERT ON %I REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION hatang_record()', new_layer);
    EXECUTE format('CREATE TRIGGER record_update AFTER UPDATE ON %I REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION hatang_record()', new_layer);
    EXECUTE format('CREATE TRIGGER record_delete AFTER DELETE ON %I REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION hatang_record()', new_layer);
    EXECUTE format('CREATE TRIGGER record_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION hatang_record()', new_layer);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO hatang_app', new_layer);
    EXECUTE format('GRANT SELECT ON %I TO hatang_read', new_layer);
    INSERT INTO layer_versions (layer) VALUES (new_layer);
END
$$;
-- +goose StatementEnd

-- Ids of rows that some may not see tell nothing: they are drawn at random between 2^48
-- and 2^49, and leave no gap among those that count up.
-- +goose StatementBegin
CREATE FUNCTION hatang_identify_hidden() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.id := (1::bigint << 48) + ('x' || left(replace(gen_random_uuid()::text, '-', ''), 12))::bit(48)::bigint;
    RETURN NEW;
END
$$;
CREATE FUNCTION hatang_identify_unpublished() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM publications p WHERE p.jurisdiction = NEW.jurisdiction AND p.exactness = 'hidden') THEN
        NEW.id := (1::bigint << 48) + ('x' || left(replace(gen_random_uuid()::text, '-', ''), 12))::bit(48)::bigint;
    END IF;
    RETURN NEW;
END
$$;
CREATE FUNCTION hatang_identify() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    NEW.id := nextval(TG_ARGV[0]::regclass);
    RETURN NEW;
END
$$;
-- +goose StatementEnd

-- Says that some rows of a layer are hidden from some viewers: drafts where it has a
-- status, and those with certain values of a column. Called after hatang_add_layer. A
-- layer that scatters its ids itself keeps them.
-- +goose StatementBegin
CREATE FUNCTION hatang_hide(which text, withheld_column text DEFAULT NULL, withheld_values text[] DEFAULT NULL, as_set boolean DEFAULT false, scatters boolean DEFAULT false) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    has_drafts boolean := EXISTS (SELECT FROM pg_attribute WHERE attrelid = which::regclass AND attname = 'status' AND NOT attisdropped);
    withheld   text := CASE WHEN withheld_column IS NOT NULL THEN format('%I = ANY (%L::text[])', withheld_column, withheld_values) END;
    hidden     text := concat_ws(' OR ', CASE WHEN has_drafts THEN 'NEW.status = ''draft''' END, 'NEW.' || withheld);
    counter    text := which || '_id_seq';
    first      bigint;
BEGIN
    INSERT INTO layer_sight VALUES (which, has_drafts, withheld, as_set);
    IF NOT scatters THEN
        EXECUTE format('SELECT coalesce(max(id), 0) + 1 FROM %I WHERE id < 1::bigint << 48', which) INTO first;
        EXECUTE format('ALTER TABLE %I ALTER id DROP IDENTITY', which);
        EXECUTE format('CREATE SEQUENCE %I START %s OWNED BY %I.id', counter, first, which);
        EXECUTE format('CREATE TRIGGER identify_a_hidden BEFORE INSERT ON %I FOR EACH ROW WHEN (NEW.id IS NULL AND (%s)) EXECUTE FUNCTION hatang_identify_hidden()', which, hidden);
        IF as_set THEN
            EXECUTE format('CREATE TRIGGER identify_a_unpublished BEFORE INSERT ON %I FOR EACH ROW WHEN (NEW.id IS NULL) EXECUTE FUNCTION hatang_identify_unpublished()', which);
        END IF;
        EXECUTE format('CREATE TRIGGER identify_b BEFORE INSERT ON %I FOR EACH ROW WHEN (NEW.id IS NULL) EXECUTE FUNCTION hatang_identify(%L)', which, counter);
    END IF;
    IF has_drafts THEN
        EXECUTE format('ALTER TABLE %I DROP CONSTRAINT %I', which, which || '_code_once_a_day');
        EXECUTE format('ALTER TABLE %I ADD CONSTRAINT %I EXCLUDE USING gist (code WITH =, daterange(valid_from, valid_to) WITH &&) WHERE (status <> ''draft'')',
            which, which || '_code_once_a_day');
        EXECUTE format('CREATE INDEX %I ON %I (owner_organisation) WHERE status = ''draft''', which || '_drafts', which);
    END IF;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
DO $$
DECLARE
    which text;
BEGIN
    FOR which IN SELECT layer FROM layer_versions WHERE layer NOT IN ('rule_sets', 'plans', 'publications') ORDER BY layer LOOP
        EXECUTE format('GRANT SELECT ON %I TO hatang_read', which);
        EXECUTE format('DROP TRIGGER record_update ON %I', which);
        EXECUTE format('CREATE TRIGGER record_update AFTER UPDATE ON %I REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION hatang_record()', which);
        IF which = 'special_areas' THEN
            PERFORM hatang_hide(which, 'kind', '{border_belt,military}', scatters => true);
        ELSIF EXISTS (SELECT FROM pg_attribute WHERE attrelid = which::regclass AND attname = 'status' AND NOT attisdropped) THEN
            PERFORM hatang_hide(which, as_set => which IN ('bts_sites', 'operator_positions'));
        END IF;
    END LOOP;
END
$$;
-- +goose StatementEnd

ALTER TABLE operator_positions DROP CONSTRAINT operator_positions_once_a_site;
ALTER TABLE operator_positions ADD CONSTRAINT operator_positions_once_a_site EXCLUDE USING gist
    (site_code WITH =, operator WITH =, daterange(valid_from, valid_to) WITH &&) WHERE (status <> 'draft');

-- A draft on a site must not show by keeping it where it is.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION bts_sites_keep_occupied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (TG_OP = 'DELETE' OR NEW.code <> OLD.code) AND OLD.status <> 'draft'
        AND EXISTS (SELECT FROM operator_positions p WHERE p.site_code = OLD.code AND p.status <> 'draft'
            AND daterange(p.valid_from, p.valid_to) && daterange(OLD.valid_from, OLD.valid_to)) THEN
        RAISE EXCEPTION 'operators are on site %', OLD.code
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'bts_sites_occupied', HINT = 'Remove or move their positions first.';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION publications_touch() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM hatang_touch('publications');
    PERFORM hatang_touch(layer) FROM layer_sight WHERE published_as_set;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER touch AFTER INSERT OR UPDATE OR DELETE ON publications FOR EACH STATEMENT EXECUTE FUNCTION publications_touch();
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON publications FOR EACH ROW EXECUTE FUNCTION hatang_audit_change('publication');

-- For statements that were made by settings read before: fails where they are not the
-- present ones.
-- +goose StatementBegin
CREATE FUNCTION hatang_published_as(known bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF known IS DISTINCT FROM (SELECT version FROM layer_versions WHERE layer = 'publications' AND audience = 'public') THEN
        RAISE EXCEPTION 'the settings of publication have changed' USING ERRCODE = 'HT001';
    END IF;
    RETURN true;
END
$$;
-- +goose StatementEnd

-- Whom to call about a site: for its owner and the officers alone.
ALTER TABLE bts_sites ADD COLUMN contact text;
ALTER TABLE operator_positions ADD COLUMN contact text;

-- Triggers call their functions with nobody's leave. Hung on a temporary table by the
-- serving role, these would write the history, and what else the owner may, at its will.
-- +goose StatementBegin
DO $$
DECLARE
    which regprocedure;
BEGIN
    FOR which IN SELECT p.oid FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.prorettype = 'trigger'::regtype
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e') LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', which);
    END LOOP;
END
$$;
-- +goose StatementEnd
