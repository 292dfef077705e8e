-- An agency sees a draft that it is asked about in a proposal until the proposal is over. What it
-- was asked and has answered it keeps, and the proposal as it was filed: what the organisation
-- makes of the draft afterwards is not its affair.

-- +goose Up

ALTER TABLE consultations ADD COLUMN over_at timestamptz,
    ADD CONSTRAINT consultations_over_once CHECK (over_at IS NULL OR answered_at IS NOT NULL);
COMMENT ON COLUMN consultations.over_at IS 'Since when the proposal is over in which it was asked and answered: then its agency does not see the row on account of it.';

-- As before, and what has been answered is over once.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION consultations_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.layer <> OLD.layer AND to_jsonb(NEW) - 'layer' = to_jsonb(OLD) - 'layer'
        AND to_regclass(quote_ident(OLD.layer)) IS NULL AND to_regclass(quote_ident(NEW.layer)) IS NOT NULL THEN
        NEW.xid := pg_current_xact_id();
        RETURN NEW;
    END IF;
    IF OLD.over_at IS NULL AND NEW.over_at IS NOT NULL AND to_jsonb(NEW) - 'over_at' = to_jsonb(OLD) - 'over_at' THEN
        NEW.over_at := now();
        NEW.xid := pg_current_xact_id();
        RETURN NEW;
    END IF;
    IF OLD.answered_at IS NOT NULL OR OLD.withdrawn_at IS NOT NULL OR (NEW.layer, NEW.feature, NEW.agency) IS DISTINCT FROM (OLD.layer, OLD.feature, OLD.agency) THEN
        RAISE EXCEPTION 'a consultation stays about what it is about, and as it has ended' USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.answer IS NOT NULL THEN
        NEW.answered_by := hatang_who();
        NEW.answered_at := now();
    END IF;
    IF NEW.withdrawn_at IS NOT NULL THEN
        NEW.withdrawn_at := now();
    END IF;
    NEW.xid := pg_current_xact_id();
    RETURN NEW;
END
$$;

-- As before, with the proposals that are over.
CREATE OR REPLACE FUNCTION consultations_note() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    c      consultations := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    action text := CASE WHEN TG_OP = 'INSERT' THEN 'asked' WHEN TG_OP = 'DELETE' THEN 'removed'
        WHEN c.over_at IS NOT NULL THEN 'over' WHEN c.withdrawn_at IS NOT NULL THEN 'withdrawn' WHEN c.answered_at IS NOT NULL THEN 'answered' ELSE 'changed' END;
BEGIN
    IF action IN ('asked', 'withdrawn', 'over', 'removed') THEN
        PERFORM hatang_touch(c.layer, 'consulted:' || c.agency);
    END IF;
    PERFORM hatang_audit('consultation.' || action, 'consultation:' || c.id, jsonb_strip_nulls(to_jsonb(c)) - '{id,asked_by,asked_at,answered_by,answered_at,withdrawn_at,over_at,xid}'::text[]);
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION consultations_follow() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM consultations) THEN
        PERFORM hatang_touch(a.layer, 'consulted:' || a.agency) FROM (SELECT DISTINCT c.layer, c.agency
            FROM new_rows n JOIN consultations c ON c.layer = n.layer AND c.feature = n.feature_id WHERE c.withdrawn_at IS NULL AND c.over_at IS NULL) a;
    END IF;
    RETURN NULL;
END
$$;

-- As before, with the revision that a supplement is of, and the end of what was asked.
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
            EXECUTE format('UPDATE proposal_features SET geom = t.geom, revision = t.revision FROM (SELECT ST_Force2D(geom) AS geom, revision FROM %I WHERE id = $1) t WHERE proposal = $2 AND position = $3', f.layer)
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

UPDATE consultations c SET over_at = now() FROM proposals p WHERE p.id = c.proposal AND NOT hatang_proposal_open(p.state) AND c.answered_at IS NOT NULL;

GRANT SELECT (over_at) ON consultations TO hatang_read;
