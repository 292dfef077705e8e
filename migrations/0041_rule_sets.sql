-- Rule sets are drafted, changed and published through the API. What is published stays as it
-- is (keep_published); every step is in the audit, by whoever it is taken.

-- +goose Up

ALTER TABLE rule_sets ADD COLUMN changed_by text, ADD COLUMN changed_at timestamptz;
COMMENT ON COLUMN rule_sets.changed_by IS 'Who wrote it last, or published it; null for what came with a plan before this was noted.';

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION rule_sets_note_times() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state = 'published' AND NEW.published_at IS NULL THEN
        NEW.published_at := now();
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.state = 'published' AND NEW.valid_to IS DISTINCT FROM OLD.valid_to THEN
        NEW.ended_at := now();
    END IF;
    NEW.changed_by := hatang_who();
    NEW.changed_at := now();
    RETURN NEW;
END
$$;

CREATE FUNCTION rule_sets_audit() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    s rule_sets := coalesce(NEW, OLD);
BEGIN
    PERFORM hatang_audit('rule_set.' || CASE
            WHEN TG_OP = 'DELETE' THEN 'dropped'
            WHEN TG_OP = 'UPDATE' AND OLD.state = 'published' THEN 'ended'
            WHEN s.state = 'published' THEN 'published'
            WHEN TG_OP = 'INSERT' THEN 'drafted' ELSE 'changed' END,
        'rule_set:' || s.id || '@' || s.version,
        jsonb_strip_nulls(jsonb_build_object('jurisdiction', s.jurisdiction, 'valid_from', s.valid_from, 'valid_to', s.valid_to, 'sha256', encode(s.body_sha256, 'hex'))));
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON rule_sets FOR EACH ROW EXECUTE FUNCTION rule_sets_audit();

-- Nobody learns from the version of the rules that a new one is being drafted.
DROP TRIGGER touch ON rule_sets;
CREATE TRIGGER touch AFTER INSERT OR UPDATE ON rule_sets
    FOR EACH ROW WHEN (NEW.state = 'published') EXECUTE FUNCTION hatang_touch_table('rule_sets');

-- Readers for the public know of no drafts.
ALTER TABLE rule_sets ENABLE ROW LEVEL SECURITY;
CREATE POLICY published ON rule_sets FOR SELECT TO hatang_read USING (state = 'published');
CREATE POLICY serving ON rule_sets TO hatang_app USING (true) WITH CHECK (true);
GRANT INSERT, UPDATE, DELETE ON rule_sets TO hatang_app;
REVOKE EXECUTE ON FUNCTION rule_sets_audit() FROM PUBLIC;
