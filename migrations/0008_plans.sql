-- Plan packs and rule sets: what a province plans, and the rules it checks by.

-- +goose Up

CREATE TABLE plans (
    id             text PRIMARY KEY,
    version        integer NOT NULL CONSTRAINT plans_version_range CHECK (version > 0),
    title          jsonb NOT NULL,
    jurisdiction   text NOT NULL,
    valid_from     date NOT NULL,
    reference_date date,
    pi             double precision NOT NULL CONSTRAINT plans_pi_range CHECK (pi > 3 AND pi < 4),
    pi_source      text NOT NULL,
    settings       jsonb NOT NULL DEFAULT '{}',
    loaded_at      timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN plans.pi IS 'The value of pi by which the plan computed its radii; data, because plans differ.';
COMMENT ON COLUMN plans.reference_date IS 'Date that answers are for when none is asked, as long as this plan is loaded as a demonstration; null for today.';

CREATE TABLE plan_phases (
    plan     text NOT NULL REFERENCES plans ON DELETE CASCADE,
    code     text NOT NULL,
    title    jsonb NOT NULL,
    starts   date NOT NULL,
    ends     date NOT NULL,
    CONSTRAINT plan_phases_in_order CHECK (starts <= ends),
    PRIMARY KEY (plan, code)
);
COMMENT ON COLUMN plan_phases.ends IS 'Last day of the phase (inclusive); what is planned in it counts from this day on.';

-- Indicators, projects, tables, agencies, discrepancies: lists that are shown and
-- compared but not joined, so each entry is one document.
CREATE TABLE plan_entries (
    plan     text NOT NULL REFERENCES plans ON DELETE CASCADE,
    kind     text NOT NULL,
    id       text NOT NULL,
    position integer NOT NULL,
    body     jsonb NOT NULL,
    PRIMARY KEY (plan, kind, id)
);

CREATE TABLE rule_sets (
    id           text NOT NULL,
    version      integer NOT NULL CONSTRAINT rule_sets_version_range CHECK (version > 0),
    plan         text NOT NULL,
    jurisdiction text NOT NULL,
    valid_from   date NOT NULL,
    valid_to     date,
    state        text NOT NULL CONSTRAINT rule_sets_state_known CHECK (state IN ('draft', 'published')),
    body         bytea NOT NULL,
    body_sha256  bytea NOT NULL GENERATED ALWAYS AS (sha256(body)) STORED,
    published_at timestamptz,
    PRIMARY KEY (id, version),
    CONSTRAINT rule_sets_valid_time_in_order CHECK (valid_from < valid_to),
    CONSTRAINT rule_sets_one_in_force EXCLUDE USING gist
        (jurisdiction WITH =, daterange(valid_from, valid_to) WITH &&) WHERE (state = 'published')
);
COMMENT ON COLUMN rule_sets.body IS 'The rule set as it was published: JSON in UTF-8, byte for byte.';

-- +goose StatementBegin
CREATE FUNCTION rule_sets_keep_published() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'published' AND (TG_OP = 'DELETE'
        OR (NEW.id, NEW.version, NEW.plan, NEW.jurisdiction, NEW.body, NEW.state, NEW.valid_from) IS DISTINCT FROM
           (OLD.id, OLD.version, OLD.plan, OLD.jurisdiction, OLD.body, OLD.state, OLD.valid_from)
        OR (OLD.valid_to IS NOT NULL AND NEW.valid_to IS DISTINCT FROM OLD.valid_to)) THEN
        RAISE EXCEPTION 'rule set %@% is published and cannot be changed', OLD.id, OLD.version
            USING ERRCODE = 'restrict_violation', HINT = 'Publish a new version instead.';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER keep_published BEFORE UPDATE OR DELETE ON rule_sets
    FOR EACH ROW EXECUTE FUNCTION rule_sets_keep_published();
-- +goose StatementBegin
CREATE FUNCTION rule_sets_keep_all() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'published rule sets cannot be removed' USING ERRCODE = 'restrict_violation';
END
$$;
-- +goose StatementEnd
CREATE TRIGGER keep_all BEFORE TRUNCATE ON rule_sets FOR EACH STATEMENT EXECUTE FUNCTION rule_sets_keep_all();

-- Rule sets and plans have versions too: answers from memory carry them.
INSERT INTO layer_versions (layer) VALUES ('rule_sets'), ('plans');
-- +goose StatementBegin
CREATE FUNCTION hatang_touch_table() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM hatang_touch(TG_ARGV[0]);
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER touch AFTER INSERT OR UPDATE OR DELETE ON rule_sets FOR EACH STATEMENT EXECUTE FUNCTION hatang_touch_table('rule_sets');
CREATE TRIGGER touch AFTER INSERT OR UPDATE OR DELETE ON plans FOR EACH STATEMENT EXECUTE FUNCTION hatang_touch_table('plans');
CREATE TRIGGER touch AFTER INSERT OR UPDATE OR DELETE ON plan_phases FOR EACH STATEMENT EXECUTE FUNCTION hatang_touch_table('plans');
CREATE TRIGGER touch AFTER INSERT OR UPDATE OR DELETE ON plan_entries FOR EACH STATEMENT EXECUTE FUNCTION hatang_touch_table('plans');

GRANT SELECT ON plans, plan_phases, plan_entries, rule_sets TO hatang_app;
