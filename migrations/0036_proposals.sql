-- Proposals to build and what is decided on them. Serving adds steps and nothing else: a
-- trigger takes each by the table of transitions, and with it changes the proposal, numbers
-- the decision and makes the features planned or existing, all in one transaction.

-- +goose Up

-- The state machine. permit.Transitions is the same list; a test compares them.
CREATE TABLE proposal_transitions (
    before text NOT NULL,
    action text NOT NULL,
    party  text NOT NULL CONSTRAINT proposal_transitions_party_known CHECK (party IN ('organisation', 'officer', 'approver', 'agency')),
    after  text NOT NULL,
    PRIMARY KEY (before, action, party)
);
INSERT INTO proposal_transitions (before, action, party, after) VALUES
    ('new', 'file', 'organisation', 'filed'),
    ('filed', 'ask_more', 'officer', 'more_asked'), ('supplemented', 'ask_more', 'officer', 'more_asked'),
    ('more_asked', 'supplement', 'organisation', 'supplemented'),
    ('filed', 'consult', 'officer', 'consulting'), ('supplemented', 'consult', 'officer', 'consulting'), ('consulting', 'consult', 'officer', 'consulting'),
    ('consulting', 'answer', 'agency', 'consulting'), ('consulting', 'answer', 'officer', 'consulting'),
    ('filed', 'approve', 'approver', 'approved'), ('supplemented', 'approve', 'approver', 'approved'), ('consulting', 'approve', 'approver', 'approved'),
    ('filed', 'refuse', 'approver', 'refused'), ('more_asked', 'refuse', 'approver', 'refused'), ('supplemented', 'refuse', 'approver', 'refused'), ('consulting', 'refuse', 'approver', 'refused'),
    ('filed', 'withdraw', 'organisation', 'withdrawn'), ('more_asked', 'withdraw', 'organisation', 'withdrawn'),
    ('supplemented', 'withdraw', 'organisation', 'withdrawn'), ('consulting', 'withdraw', 'organisation', 'withdrawn'),
    ('approved', 'renew', 'approver', 'approved'), ('approved', 'expire', 'officer', 'expired'), ('approved', 'build', 'officer', 'built');

CREATE TABLE proposals (
    id           bigint PRIMARY KEY,
    organisation text NOT NULL,
    title        text NOT NULL CONSTRAINT proposals_title_length CHECK (length(title) BETWEEN 1 AND 300),
    state        text NOT NULL DEFAULT 'new',
    revision     bigint NOT NULL DEFAULT 0,
    verdict      jsonb NOT NULL,
    filed_at     timestamptz NOT NULL DEFAULT now(),
    due_on       date,
    expires_on   date,
    decision     text
);
COMMENT ON TABLE proposals IS 'What organisations propose to build; proposal_steps say how each came to its state.';
COMMENT ON COLUMN proposals.verdict IS 'What the check said when it was filed, and again when it was supplemented.';
COMMENT ON COLUMN proposals.due_on IS 'By when the next step is due; null once it is decided.';
COMMENT ON COLUMN proposals.expires_on IS 'Last day on which what is approved may be built.';
CREATE INDEX proposals_filed ON proposals (filed_at, id);
CREATE INDEX proposals_organisation ON proposals (organisation, filed_at, id);
CREATE INDEX proposals_due ON proposals (due_on) WHERE due_on IS NOT NULL;

-- Nobody learns from the ids of his own how many others there are.
CREATE TRIGGER identify BEFORE INSERT ON proposals FOR EACH ROW WHEN (NEW.id IS NULL) EXECUTE FUNCTION hatang_identify_hidden();

CREATE TABLE proposal_features (
    proposal bigint NOT NULL REFERENCES proposals,
    position int NOT NULL,
    layer    text NOT NULL,
    feature  bigint NOT NULL,
    code     text NOT NULL,
    geom     geometry(Geometry, 4326) NOT NULL,
    became   bigint,
    PRIMARY KEY (proposal, position),
    UNIQUE (proposal, layer, feature)
);
COMMENT ON COLUMN proposal_features.geom IS 'Where it lay when it was filed or last supplemented, without heights.';
COMMENT ON COLUMN proposal_features.became IS 'Id of the row that says from when on it has stood.';
CREATE INDEX proposal_features_feature ON proposal_features (layer, feature);
CREATE INDEX proposal_features_geom ON proposal_features USING gist (geom);

CREATE TABLE proposal_steps (
    proposal     bigint NOT NULL REFERENCES proposals,
    revision     bigint NOT NULL,
    action       text NOT NULL,
    party        text NOT NULL,
    organisation text,
    person       bigint,
    who          text NOT NULL,
    at           timestamptz NOT NULL DEFAULT now(),
    request      text,
    before       text NOT NULL,
    after        text NOT NULL,
    reasons      text CONSTRAINT proposal_steps_reasons_length CHECK (length(reasons) BETWEEN 1 AND 4000),
    conditions   text[],
    detail       jsonb,
    verdict      jsonb,
    due_on       date,
    expires_on   date,
    PRIMARY KEY (proposal, revision)
);
COMMENT ON TABLE proposal_steps IS 'Every step of every proposal; rows are added and never changed.';
COMMENT ON COLUMN proposal_steps.revision IS 'That of the proposal afterwards.';
COMMENT ON COLUMN proposal_steps.organisation IS 'Of who took the step; null for none.';

-- The public register.
CREATE TABLE decisions (
    number       text PRIMARY KEY,
    year         int NOT NULL,
    serial       int NOT NULL,
    outcome      text NOT NULL CONSTRAINT decisions_outcome_known CHECK (outcome IN ('approved', 'refused')),
    decided_on   date NOT NULL,
    organisation text NOT NULL,
    conditions   text[],
    UNIQUE (year, serial)
);
CREATE TABLE decision_features (
    decision text NOT NULL REFERENCES decisions,
    layer    text NOT NULL,
    feature  bigint NOT NULL,
    PRIMARY KEY (decision, layer, feature)
);
COMMENT ON TABLE decision_features IS 'What a decision approves, also under the id that it has since it stands.';
CREATE INDEX decision_features_feature ON decision_features (layer, feature);
CREATE TABLE decision_years (year int PRIMARY KEY, last int NOT NULL);
COMMENT ON TABLE decision_years IS 'The last number given in each year; its lock keeps numbers without gaps.';

ALTER TABLE consultations
    ADD COLUMN proposal bigint REFERENCES proposals,
    ADD COLUMN required boolean NOT NULL DEFAULT false,
    ADD COLUMN document_number text CONSTRAINT consultations_document_number_length CHECK (length(document_number) BETWEEN 1 AND 200),
    ADD COLUMN document_date date;
COMMENT ON COLUMN consultations.proposal IS 'The proposal in which it is asked; null for none.';
COMMENT ON COLUMN consultations.required IS 'Without consent nothing is approved.';
CREATE INDEX consultations_proposal ON consultations (proposal) WHERE proposal IS NOT NULL;

-- +goose StatementBegin
CREATE FUNCTION hatang_today() RETURNS date LANGUAGE sql STABLE AS $$ SELECT (now() AT TIME ZONE 'UTC')::date $$;
CREATE FUNCTION hatang_proposal_open(state text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT state NOT IN ('refused', 'withdrawn', 'expired', 'built')
$$;

-- The agencies whose consent is needed and has not been given: of the border belt for what
-- runs along a route in it, and those that are asked as required; '' for a route of the kind
-- border while none of these has consented. What an agency said last counts.
CREATE FUNCTION hatang_missing_consents(which bigint) RETURNS text[] LANGUAGE sql STABLE AS $$
    WITH demanded AS (
        SELECT f.layer, f.feature, coalesce(a.agency, '') AS agency FROM proposal_features f
            JOIN special_areas a ON a.kind = 'border_belt' AND ST_Intersects(a.geom, f.geom)
            WHERE f.proposal = which AND f.layer IN ('fibre_routes', 'cable_segments', 'ducts', 'pole_lines')
                AND a.valid_from <= hatang_today() AND (a.valid_to IS NULL OR a.valid_to > hatang_today())
        UNION SELECT f.layer, f.feature, '' FROM proposal_features f JOIN fibre_routes r ON f.layer = 'fibre_routes' AND r.id = f.feature AND r.kind = 'border' WHERE f.proposal = which
        UNION SELECT c.layer, c.feature, c.agency FROM consultations c WHERE c.proposal = which AND c.required AND c.withdrawn_at IS NULL),
    asked AS (SELECT c.layer, c.feature, c.agency, c.answer, c.required, c.answered_at IS NULL AS open,
            row_number() OVER (PARTITION BY c.layer, c.feature, c.agency ORDER BY c.answered_at DESC NULLS LAST, c.id DESC) AS place
        FROM consultations c WHERE c.proposal = which AND c.withdrawn_at IS NULL),
    heard AS (SELECT d.layer, d.feature, d.agency, coalesce(bool_or(a.place = 1 AND a.answer IN ('agreed', 'agreed_with_conditions')), false) AS agreed,
            coalesce(bool_or(a.place = 1 AND a.answer = 'objected' OR a.open AND a.required), false) AS against
        FROM demanded d LEFT JOIN asked a ON a.layer = d.layer AND a.feature = d.feature AND (a.agency = d.agency OR d.agency = '' AND (a.required OR EXISTS (
            SELECT FROM demanded o WHERE (o.layer, o.feature, o.agency) = (a.layer, a.feature, a.agency)))) GROUP BY 1, 2, 3)
    SELECT coalesce(array_agg(DISTINCT agency ORDER BY agency), '{}') FROM heard WHERE NOT agreed OR against
$$;
-- +goose StatementEnd

-- A feature is filed while the proposal is made: a draft of the organisation's, in no other
-- proposal that is open, of a layer that proposals are made for.
-- +goose StatementBegin
CREATE FUNCTION proposal_features_take() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    p proposals;
BEGIN
    SELECT * INTO STRICT p FROM proposals WHERE id = NEW.proposal;
    IF p.state <> 'new' OR NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = to_regclass(quote_ident(NEW.layer)) AND tgname = 'filed_update') THEN
        RAISE EXCEPTION 'nothing is added to a proposal once it is filed, nor of a layer that has no rules' USING ERRCODE = 'HT021';
    END IF;
    EXECUTE format('SELECT code, ST_Force2D(geom) FROM %I WHERE id = $1 AND status = ''draft'' AND owner_organisation = $2 FOR UPDATE', NEW.layer)
        INTO NEW.code, NEW.geom USING NEW.feature, p.organisation;
    IF NEW.code IS NULL OR EXISTS (SELECT FROM proposal_features f JOIN proposals o ON o.id = f.proposal
            WHERE f.layer = NEW.layer AND f.feature = NEW.feature AND o.id <> p.id AND hatang_proposal_open(o.state)) THEN
        RAISE EXCEPTION 'row % of % is no draft that can be filed', NEW.feature, NEW.layer USING ERRCODE = 'HT021';
    END IF;
    RETURN NEW;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER take BEFORE INSERT ON proposal_features FOR EACH ROW EXECUTE FUNCTION proposal_features_take();

-- Judges a step, and says who took it and what it led to. HT020: somebody was first; HT021:
-- no such transition; HT022: nobody decides on what is his own; HT023: consents are missing.
-- +goose StatementBegin
CREATE FUNCTION proposal_steps_judge() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    p proposals;
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
        OR (NEW.verdict IS NOT NULL) <> (NEW.action = 'supplement') THEN
        RAISE EXCEPTION 'the step % lacks what it needs', NEW.action USING ERRCODE = 'HT021';
    END IF;
    IF NEW.action = 'approve' AND cardinality(hatang_missing_consents(p.id)) > 0 THEN
        RAISE EXCEPTION 'consents are missing' USING ERRCODE = 'HT023';
    END IF;
    RETURN NEW;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER judge BEFORE INSERT ON proposal_steps FOR EACH ROW EXECUTE FUNCTION proposal_steps_judge();

-- What a step does.
-- +goose StatementBegin
CREATE FUNCTION proposal_steps_do() RETURNS trigger
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
    IF NEW.action NOT IN ('supplement', 'approve', 'expire', 'build') THEN
        RETURN NULL;
    END IF;
    FOR f IN SELECT * FROM proposal_features WHERE proposal = NEW.proposal ORDER BY layer, feature LOOP
        CASE NEW.action
        WHEN 'supplement' THEN
            EXECUTE format('UPDATE proposal_features SET geom = t.geom FROM (SELECT ST_Force2D(geom) AS geom FROM %I WHERE id = $1) t WHERE proposal = $2 AND position = $3', f.layer)
                USING f.feature, NEW.proposal, f.position;
        WHEN 'approve' THEN
            EXECUTE format('UPDATE %I SET status = ''planned'', valid_from = greatest(valid_from, hatang_today()) WHERE id = $1', f.layer) USING f.feature;
        WHEN 'expire' THEN
            EXECUTE format('UPDATE %I SET valid_to = greatest(valid_from + 1, hatang_today()) WHERE id = $1', f.layer) USING f.feature;
        WHEN 'build' THEN
            -- What was planned until today stands from today on: a change in force, unless it was decided today.
            EXECUTE format('UPDATE %I SET valid_to = hatang_today() WHERE id = $1 AND valid_from < hatang_today()', f.layer) USING f.feature;
            GET DIAGNOSTICS given = ROW_COUNT;
            IF given = 0 THEN
                EXECUTE format('UPDATE %I SET status = ''existing'' WHERE id = $1', f.layer) USING f.feature;
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
-- +goose StatementEnd
CREATE TRIGGER do_it AFTER INSERT ON proposal_steps FOR EACH ROW EXECUTE FUNCTION proposal_steps_do();

-- Whatever path a change takes, a state has the step that led to it, and steps, decisions
-- and their numbers stay.
-- +goose StatementBegin
CREATE FUNCTION proposals_follow_steps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF (NEW.state, NEW.revision) IS DISTINCT FROM ('new', 0::bigint) THEN
            RAISE EXCEPTION 'a proposal begins as new' USING ERRCODE = 'HT021';
        END IF;
    ELSIF NEW.organisation <> OLD.organisation OR (NEW.state, NEW.revision) IS DISTINCT FROM (OLD.state, OLD.revision) AND NOT EXISTS (SELECT FROM proposal_steps s
            WHERE s.proposal = NEW.id AND NEW.id = OLD.id AND s.revision = NEW.revision AND NEW.revision = OLD.revision + 1 AND (s.before, s.after) = (OLD.state, NEW.state)) THEN
        RAISE EXCEPTION 'no step leads from % to %', OLD.state, NEW.state USING ERRCODE = 'HT021';
    END IF;
    RETURN NEW;
END
$$;
CREATE FUNCTION proposals_are_filed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM proposals WHERE id = NEW.id AND state = 'new') THEN
        RAISE EXCEPTION 'a proposal is filed in the transaction that makes it' USING ERRCODE = 'HT021';
    END IF;
    RETURN NULL;
END
$$;
CREATE FUNCTION hatang_keep_file() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what stands in % stays', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$;
-- +goose StatementEnd
CREATE TRIGGER follow_steps BEFORE INSERT OR UPDATE ON proposals FOR EACH ROW EXECUTE FUNCTION proposals_follow_steps();
CREATE CONSTRAINT TRIGGER are_filed AFTER INSERT ON proposals DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION proposals_are_filed();
CREATE TRIGGER keep BEFORE DELETE OR TRUNCATE ON proposals FOR EACH STATEMENT EXECUTE FUNCTION hatang_keep_file();
CREATE TRIGGER keep BEFORE DELETE OR TRUNCATE ON proposal_features FOR EACH STATEMENT EXECUTE FUNCTION hatang_keep_file();
CREATE TRIGGER keep BEFORE UPDATE OR DELETE OR TRUNCATE ON proposal_steps FOR EACH STATEMENT EXECUTE FUNCTION hatang_keep_file();
CREATE TRIGGER keep BEFORE UPDATE OR DELETE OR TRUNCATE ON decisions FOR EACH STATEMENT EXECUTE FUNCTION hatang_keep_file();
CREATE TRIGGER keep BEFORE DELETE OR TRUNCATE ON decision_features FOR EACH STATEMENT EXECUTE FUNCTION hatang_keep_file();

-- What is filed stays as it was filed, whoever changes it by whatever way: the organisation
-- may correct it while more is asked of it, staff once it is approved, but for what was
-- decided on; its status changes by steps alone.
-- +goose StatementBegin
CREATE FUNCTION hatang_keep_filed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    r record;
    columns text[];
BEGIN
    IF NOT EXISTS (SELECT FROM proposal_features) THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'DELETE' THEN
        IF EXISTS (SELECT FROM old_rows o JOIN proposal_features f ON f.layer = TG_TABLE_NAME AND f.feature = o.id
                JOIN proposals p ON p.id = f.proposal WHERE hatang_proposal_open(p.state)) THEN
            RAISE EXCEPTION 'the row is in an open proposal' USING ERRCODE = 'HT024';
        END IF;
        RETURN NULL;
    END IF;
    FOR r IN SELECT p.state, to_jsonb(o) - 'geom' AS before, to_jsonb(n) - 'geom' AS after, ST_AsEWKB(o.geom) <> ST_AsEWKB(n.geom) AS moved
            FROM old_rows o JOIN new_rows n ON n.id = o.id JOIN proposal_features f ON f.layer = TG_TABLE_NAME AND f.feature = o.id
            JOIN proposals p ON p.id = f.proposal WHERE hatang_proposal_open(p.state) FOR SHARE OF p LOOP
        columns := ARRAY(SELECT key FROM jsonb_each(r.after) a WHERE a.value IS DISTINCT FROM r.before -> a.key AND a.key NOT IN ('revision', 'updated_at'))
            || CASE WHEN r.moved THEN '{geom}'::text[] ELSE '{}' END;
        IF NOT (CASE
            WHEN r.state = 'more_asked' THEN NOT columns && '{status,code,owner_organisation,jurisdiction,valid_to}'::text[]
            WHEN r.state = 'approved' AND r.before ->> 'status' = 'draft' THEN r.after ->> 'status' = 'planned' AND columns <@ '{status,valid_from}'::text[]
            WHEN r.state = 'approved' THEN NOT columns && '{status,code,owner_organisation,jurisdiction,valid_from,valid_to,geom}'::text[]
            ELSE columns = '{}' END) THEN
            RAISE EXCEPTION 'the row is in an open proposal' USING ERRCODE = 'HT024';
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;
DO $$
DECLARE
    which text;
BEGIN
    FOREACH which IN ARRAY '{bts_sites,fibre_routes,cable_segments,pole_lines,ducts,postal_points}'::text[] LOOP
        EXECUTE format('CREATE TRIGGER filed_update AFTER UPDATE ON %I REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION hatang_keep_filed()', which);
        EXECUTE format('CREATE TRIGGER filed_delete AFTER DELETE ON %I REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION hatang_keep_filed()', which);
    END LOOP;
END
$$;
-- +goose StatementEnd

-- As before, with proposals and decisions.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION hatang_rename_layer(old_name text, new_name text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    part record;
BEGIN
    FOR part IN SELECT conname AS name FROM pg_constraint WHERE conrelid = old_name::regclass AND starts_with(conname, old_name || '_') LOOP
        EXECUTE format('ALTER TABLE %I RENAME CONSTRAINT %I TO %I', old_name, part.name, new_name || substr(part.name, length(old_name) + 1));
    END LOOP;
    FOR part IN SELECT c.relname AS name FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = old_name::regclass AND starts_with(c.relname, old_name || '_') LOOP
        EXECUTE format('ALTER INDEX %I RENAME TO %I', part.name, new_name || substr(part.name, length(old_name) + 1));
    END LOOP;
    EXECUTE format('ALTER SEQUENCE %I RENAME TO %I', old_name || '_id_seq', new_name || '_id_seq');
    EXECUTE format('ALTER TABLE %I RENAME TO %I', old_name, new_name);
    UPDATE history SET layer = new_name WHERE layer = old_name;
    UPDATE grants SET layers = array_replace(layers, old_name, new_name) WHERE old_name = ANY (layers);
    UPDATE consultations SET layer = new_name WHERE layer = old_name;
    UPDATE imports SET layer = new_name WHERE layer = old_name;
    UPDATE proposal_features SET layer = new_name WHERE layer = old_name;
    UPDATE decision_features SET layer = new_name WHERE layer = old_name;
    DELETE FROM layer_changes WHERE layer = old_name;
    DELETE FROM layer_versions WHERE layer = old_name;
    DELETE FROM layer_sight WHERE layer = old_name;
END
$$;
-- +goose StatementEnd

REVOKE EXECUTE ON FUNCTION proposal_features_take(), proposal_steps_judge(), proposal_steps_do(), proposals_follow_steps(), proposals_are_filed(), hatang_keep_file(), hatang_keep_filed() FROM PUBLIC;
GRANT SELECT ON proposal_transitions, proposals, proposal_features, proposal_steps, decisions, decision_features TO hatang_app;
GRANT SELECT ON decisions, decision_features TO hatang_read;
GRANT INSERT (organisation, title, verdict) ON proposals TO hatang_app;
GRANT INSERT (proposal, position, layer, feature) ON proposal_features TO hatang_app;
GRANT INSERT (proposal, revision, action, party, organisation, person, reasons, conditions, detail, verdict, due_on, expires_on) ON proposal_steps TO hatang_app;
GRANT INSERT (proposal, required), UPDATE (document_number, document_date) ON consultations TO hatang_app;
