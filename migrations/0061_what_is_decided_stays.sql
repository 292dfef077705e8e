-- Consent is to what was seen: a supplement that changes a feature lets it lapse. What is decided
-- on stays as it was until it is built, and is built while the approval holds.

-- +goose Up

ALTER TABLE proposal_features ADD COLUMN changed_at timestamptz;
COMMENT ON COLUMN proposal_features.changed_at IS 'When a supplement last changed it; null where none has. Who agreed before has agreed to something else.';

-- What has become of a decision is told in the register.
CREATE INDEX proposals_decision ON proposals (decision) WHERE decision IS NOT NULL;

-- A route or a line of poles is part of a new project or not, as a cable is: new projects go underground.
ALTER TABLE fibre_routes ADD COLUMN new_project boolean;
ALTER TABLE pole_lines ADD COLUMN new_project boolean;

-- +goose StatementBegin
-- As before, heeding what was answered about a feature as it is filed now, on no older paper; a route along the border
-- is the affair of who consents in the border belt that is nearest, where the register says who.
CREATE OR REPLACE FUNCTION hatang_missing_consents(which bigint) RETURNS text[] LANGUAGE sql STABLE AS $$
    WITH demanded AS (
        SELECT f.layer, f.feature, coalesce(a.agency, '') AS agency, true AS on_paper, f.changed_at FROM proposal_features f
            JOIN special_areas a ON a.kind IN ('border_belt', 'military') AND ST_Intersects(a.geom, f.geom)
            WHERE f.proposal = which AND f.layer IN ('fibre_routes', 'cable_segments', 'ducts', 'pole_lines')
                AND a.valid_from <= hatang_today() AND (a.valid_to IS NULL OR a.valid_to > hatang_today())
        UNION SELECT f.layer, f.feature, coalesce((SELECT a.agency FROM special_areas a WHERE a.kind = 'border_belt' AND a.agency IS NOT NULL
                AND a.valid_from <= hatang_today() AND (a.valid_to IS NULL OR a.valid_to > hatang_today()) ORDER BY a.geom <-> f.geom LIMIT 1), ''), true, f.changed_at
            FROM proposal_features f JOIN fibre_routes r ON f.layer = 'fibre_routes' AND r.id = f.feature AND r.kind = 'border' WHERE f.proposal = which
        UNION SELECT c.layer, c.feature, c.agency, false, f.changed_at FROM consultations c JOIN proposal_features f ON f.proposal = c.proposal AND (f.layer, f.feature) = (c.layer, c.feature) WHERE c.proposal = which AND c.required AND c.withdrawn_at IS NULL),
    asked AS (SELECT c.layer, c.feature, c.agency, c.answer, c.required, c.answered_at, c.document_date, c.answered_at IS NULL AS open,
            (SELECT s.at FROM attachments t JOIN proposal_steps s USING (proposal, revision) WHERE t.id = c.attachment) AS attached_at,
            num_nulls(c.document_number, c.document_date, c.attachment) = 0 AS on_paper,
            row_number() OVER (PARTITION BY c.layer, c.feature, c.agency ORDER BY c.answered_at DESC NULLS LAST, c.id DESC) AS place
        FROM consultations c WHERE c.proposal = which AND c.withdrawn_at IS NULL),
    heard AS (SELECT d.layer, d.feature, d.agency, d.on_paper,
            coalesce(bool_or(a.place = 1 AND a.answer IN ('agreed', 'agreed_with_conditions') AND (a.on_paper OR NOT d.on_paper) AND (d.changed_at IS NULL OR a.answered_at > d.changed_at
                AND coalesce(a.document_date >= hatang_day(d.changed_at), true) AND coalesce(a.attached_at > d.changed_at, true))), false) AS agreed,
            coalesce(bool_or(a.place = 1 AND a.answer = 'objected' OR a.open AND a.required), false) AS against
        FROM demanded d LEFT JOIN asked a ON a.layer = d.layer AND a.feature = d.feature AND (a.agency = d.agency OR d.agency = '' AND (a.required OR EXISTS (
            SELECT FROM demanded o WHERE (o.layer, o.feature, o.agency) = (a.layer, a.feature, a.agency)))) GROUP BY 1, 2, 3, 4)
    SELECT coalesce(array_agg(DISTINCT agency ORDER BY agency), '{}') FROM heard WHERE NOT agreed OR against
$$;

-- As before, but that nothing is built on an approval that has lapsed, and what is approved may
-- have been checked again.
CREATE OR REPLACE FUNCTION proposal_steps_judge() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    p       proposals;
    filed   proposal_features;
    current bigint;
    changed text[] := '{}';
BEGIN
    SELECT * INTO STRICT p FROM proposals WHERE id = NEW.proposal FOR UPDATE;
    IF NEW.revision <> p.revision + 1 THEN
        RAISE EXCEPTION 'the proposal is at revision %', p.revision USING ERRCODE = 'HT020';
    END IF;
    NEW.who := hatang_who();
    NEW.at := now();
    NEW.request := nullif(current_setting('hatang.request', true), '');
    NEW.before := p.state;
    NEW.after := (SELECT t.after FROM proposal_transitions t WHERE t.before = p.state AND t.action = NEW.action AND t.party = NEW.party);
    IF NEW.after IS NULL THEN
        RAISE EXCEPTION 'there is no step % of the % from %', NEW.action, NEW.party, p.state USING ERRCODE = 'HT021';
    END IF;
    IF NEW.party = 'organisation' AND NEW.organisation IS DISTINCT FROM p.organisation
        OR NEW.party IN ('officer', 'approver') AND (NEW.organisation IS NOT DISTINCT FROM p.organisation OR hatang_of_organisation(NEW.who, p.organisation)
            OR EXISTS (SELECT FROM proposal_steps s WHERE s.proposal = p.id AND s.party = 'organisation' AND (s.who = NEW.who OR s.person = NEW.person)))
        OR NEW.party = 'agency' AND NOT EXISTS (SELECT FROM consultations c WHERE c.proposal = p.id AND c.agency = NEW.organisation) THEN
        RAISE EXCEPTION 'the step is not for %', NEW.who USING ERRCODE = 'HT022';
    END IF;
    IF NEW.action IN ('ask_more', 'refuse') AND NEW.reasons IS NULL
        OR NEW.action = 'file' AND NOT EXISTS (SELECT FROM proposal_features f WHERE f.proposal = p.id)
        OR NEW.action IN ('approve', 'renew') AND NOT coalesce(NEW.expires_on > greatest(hatang_today(), p.expires_on), false)
        OR NEW.action = 'expire' AND NOT p.expires_on < hatang_today()
        OR NEW.action NOT IN ('approve', 'renew') AND NEW.expires_on IS NOT NULL
        OR NEW.action = 'build' AND p.expires_on < hatang_today()
        OR NEW.verdict IS NULL AND NEW.action = 'supplement' OR NEW.verdict IS NOT NULL AND NEW.action NOT IN ('supplement', 'approve') THEN
        RAISE EXCEPTION 'the step % lacks what it needs', NEW.action USING ERRCODE = 'HT021';
    END IF;
    IF NEW.action = 'approve' AND cardinality(hatang_missing_consents(p.id)) > 0 THEN
        RAISE EXCEPTION 'consents are missing' USING ERRCODE = 'HT023';
    END IF;
    IF NEW.action = 'approve' THEN
        FOR filed IN SELECT * FROM proposal_features WHERE proposal = p.id ORDER BY layer, feature LOOP
            EXECUTE format('SELECT revision FROM %I WHERE id = $1 AND status = ''draft'' AND owner_organisation = $2 FOR UPDATE', filed.layer) INTO current USING filed.feature, p.organisation;
            IF current IS DISTINCT FROM filed.revision THEN
                changed := changed || filed.code;
            END IF;
        END LOOP;
        IF changed <> '{}' THEN
            RAISE EXCEPTION 'features are not as they were checked' USING ERRCODE = 'HT025', DETAIL = array_to_string(changed, ', ');
        END IF;
    END IF;
    RETURN NEW;
END
$$;

-- As before, noting what a supplement changes; what was planned for later is built early.
CREATE OR REPLACE FUNCTION proposal_steps_do() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    this_year int := extract(year FROM hatang_today());
    given     int;
    numbered  text;
    f         proposal_features;
    columns   text;
BEGIN
    IF NEW.after IN ('approved', 'refused') AND NEW.before <> NEW.after THEN
        INSERT INTO decision_years AS y VALUES (this_year, 1) ON CONFLICT (year) DO UPDATE SET last = y.last + 1 RETURNING last INTO given;
        numbered := this_year || '-' || lpad(given::text, greatest(4, length(given::text)), '0');
        INSERT INTO decisions SELECT numbered, this_year, given, NEW.after, hatang_today(), p.organisation, CASE NEW.after WHEN 'approved' THEN NEW.conditions END
            FROM proposals p WHERE p.id = NEW.proposal;
        IF NEW.after = 'approved' THEN
            INSERT INTO decision_features SELECT numbered, layer, feature FROM proposal_features WHERE proposal = NEW.proposal;
        END IF;
    END IF;
    UPDATE proposals SET state = NEW.after, revision = NEW.revision, due_on = CASE WHEN NEW.action = 'answer' THEN due_on ELSE NEW.due_on END,
        verdict = coalesce(NEW.verdict, verdict), expires_on = coalesce(NEW.expires_on, expires_on), decision = coalesce(numbered, decision) WHERE id = NEW.proposal;
    IF NEW.after NOT IN ('filed', 'more_asked', 'supplemented', 'consulting') THEN
        UPDATE consultations SET withdrawn_at = now() WHERE proposal = NEW.proposal AND answered_at IS NULL AND withdrawn_at IS NULL;
    END IF;
    IF NOT hatang_proposal_open(NEW.after) THEN
        UPDATE consultations SET over_at = now() WHERE proposal = NEW.proposal AND withdrawn_at IS NULL;
    END IF;
    IF NEW.action NOT IN ('supplement', 'approve', 'expire', 'build') THEN
        RETURN NULL;
    END IF;
    FOR f IN SELECT * FROM proposal_features WHERE proposal = NEW.proposal ORDER BY layer, feature LOOP
        CASE NEW.action
        WHEN 'supplement' THEN
            EXECUTE format('UPDATE proposal_features SET geom = t.geom, revision = t.revision, changed_at = CASE WHEN t.revision = proposal_features.revision THEN changed_at ELSE now() END FROM (SELECT ST_Force2D(geom) AS geom, revision FROM %I WHERE id = $1) t WHERE proposal = $2 AND position = $3', f.layer)
                USING f.feature, NEW.proposal, f.position;
        WHEN 'approve' THEN
            EXECUTE format('UPDATE %I SET status = ''planned'', valid_from = greatest(valid_from, hatang_today()) WHERE id = $1', f.layer) USING f.feature;
        WHEN 'expire' THEN
            EXECUTE format('UPDATE %I SET valid_to = greatest(valid_from + 1, hatang_today()) WHERE id = $1', f.layer) USING f.feature;
        WHEN 'build' THEN
            -- What was planned until today stands from today on: a change in force, unless it was
            -- decided today or planned for later.
            EXECUTE format('UPDATE %I SET valid_to = hatang_today() WHERE id = $1 AND valid_from < hatang_today()', f.layer) USING f.feature;
            GET DIAGNOSTICS given = ROW_COUNT;
            IF given = 0 THEN
                EXECUTE format('UPDATE %I SET status = ''existing'', valid_from = least(valid_from, hatang_today()) WHERE id = $1', f.layer) USING f.feature;
            ELSE
                SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO columns FROM pg_attribute WHERE attrelid = to_regclass(quote_ident(f.layer))
                    AND attnum > 0 AND NOT attisdropped AND attname NOT IN ('id', 'status', 'valid_from', 'valid_to', 'revision', 'updated_at');
                EXECUTE format('INSERT INTO %I (status, valid_from, %s) SELECT ''existing'', hatang_today(), %2$s FROM %1$I WHERE id = $1 RETURNING id', f.layer, columns)
                    INTO f.became USING f.feature;
                UPDATE proposal_features SET became = f.became WHERE proposal = f.proposal AND position = f.position;
                INSERT INTO decision_features SELECT p.decision, f.layer, f.became FROM proposals p WHERE p.id = NEW.proposal;
            END IF;
        END CASE;
    END LOOP;
    RETURN NULL;
END
$$;

-- As before, but that of what is approved nothing changes that was decided on, or rests on it.
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
            WHEN r.state = 'approved' THEN columns <@ '{name,source,phase,contact,technologies}'::text[]
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
