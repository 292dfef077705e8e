-- Agencies are consulted on rows: while a consultation is not withdrawn, its agency sees
-- the row it is about, be it a draft.

-- +goose Up

CREATE TABLE consultations (
    id           bigint PRIMARY KEY,
    layer        text NOT NULL,
    feature      bigint NOT NULL,
    agency       text NOT NULL REFERENCES organisations,
    asked_by     text NOT NULL DEFAULT hatang_who(),
    asked_at     timestamptz NOT NULL DEFAULT now(),
    due_on       date,
    answer       text CONSTRAINT consultations_answer_known CHECK (answer IN ('agreed', 'agreed_with_conditions', 'objected', 'no_remark')),
    note         text CONSTRAINT consultations_note_length CHECK (length(note) BETWEEN 1 AND 4000),
    answered_by  text,
    answered_at  timestamptz,
    withdrawn_at timestamptz,
    xid          xid8 NOT NULL DEFAULT pg_current_xact_id(),
    CONSTRAINT consultations_end_once CHECK (num_nonnulls(answered_at, withdrawn_at) <= 1),
    CONSTRAINT consultations_answered CHECK ((answer IS NULL) = (answered_at IS NULL) AND (answer IS NULL) = (answered_by IS NULL) AND (note IS NULL OR answer IS NOT NULL))
);
COMMENT ON TABLE consultations IS 'What agencies are asked about: open, then answered or withdrawn, and nothing after.';
COMMENT ON COLUMN consultations.feature IS 'Id of the row, which may be removed meanwhile.';
COMMENT ON COLUMN consultations.xid IS 'The transaction that changed it last, for servers that keep facts in memory.';
CREATE UNIQUE INDEX consultations_one_open ON consultations (layer, feature, agency) WHERE answered_at IS NULL AND withdrawn_at IS NULL;
CREATE INDEX consultations_seen ON consultations (agency, layer, feature) WHERE withdrawn_at IS NULL;
CREATE INDEX consultations_feature ON consultations (layer, feature);
CREATE INDEX consultations_asked ON consultations (asked_at, id);
CREATE INDEX consultations_xid ON consultations (xid);

-- An agency learns nothing from the ids of its own of how many others there are.
CREATE TRIGGER identify BEFORE INSERT ON consultations FOR EACH ROW WHEN (NEW.id IS NULL) EXECUTE FUNCTION hatang_identify_hidden();

-- What has ended stays so, and times are when it was.
-- +goose StatementBegin
CREATE FUNCTION consultations_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
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
-- +goose StatementEnd
CREATE TRIGGER change BEFORE UPDATE ON consultations FOR EACH ROW EXECUTE FUNCTION consultations_change();

-- Each step is in the audit. Where an agency sees a row from now on, or does not any more,
-- the version of the layer is another for it, and for nobody else.
-- +goose StatementBegin
CREATE FUNCTION consultations_note() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    c      consultations := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    action text := CASE WHEN TG_OP = 'INSERT' THEN 'asked' WHEN TG_OP = 'DELETE' THEN 'removed'
        WHEN c.withdrawn_at IS NOT NULL THEN 'withdrawn' WHEN c.answered_at IS NOT NULL THEN 'answered' ELSE 'changed' END;
BEGIN
    IF action IN ('asked', 'withdrawn', 'removed') THEN
        PERFORM hatang_touch(c.layer, 'consulted:' || c.agency);
    END IF;
    PERFORM hatang_audit('consultation.' || action, 'consultation:' || c.id, jsonb_strip_nulls(to_jsonb(c)) - '{id,asked_by,asked_at,answered_by,answered_at,withdrawn_at,xid}'::text[]);
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON consultations FOR EACH ROW EXECUTE FUNCTION consultations_note();

-- A row that is changed is another for the agencies that are asked about it.
-- +goose StatementBegin
CREATE FUNCTION consultations_follow() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM consultations) THEN
        PERFORM hatang_touch(a.layer, 'consulted:' || a.agency) FROM (SELECT DISTINCT c.layer, c.agency
            FROM new_rows n JOIN consultations c ON c.layer = n.layer AND c.feature = n.feature_id WHERE c.withdrawn_at IS NULL) a;
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER consulted AFTER INSERT ON history REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION consultations_follow();

COMMENT ON COLUMN layer_versions.audience IS 'public: rows that all see; signed_in: rows kept from the public alone; organisation:CODE its drafts; consulted:CODE rows that the agency is asked about, and which these are; territory:CODE drafts that meet the unit; withheld: what the registry withholds; staff: drafts and withheld rows.';

REVOKE EXECUTE ON FUNCTION consultations_change(), consultations_note(), consultations_follow() FROM PUBLIC;
GRANT SELECT ON consultations TO hatang_app;
GRANT INSERT (layer, feature, agency, due_on), UPDATE (due_on, answer, note, withdrawn_at) ON consultations TO hatang_app;
GRANT SELECT (layer, feature, agency, withdrawn_at) ON consultations TO hatang_read;
