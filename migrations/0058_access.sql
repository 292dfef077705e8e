-- Servers remember who has a key or a session while nothing has changed by which that could be
-- another: a version of its own, raised at commit as those of the layers are.

-- +goose Up

-- No layer is named so, and nobody is told of it.
INSERT INTO layer_versions (layer, audience) VALUES ('@access', 'servers');
COMMENT ON COLUMN layer_versions.audience IS 'public: rows that all see; signed_in: rows kept from the public alone; organisation:CODE its drafts; consulted:CODE rows that the agency is asked about, and which these are; territory:CODE drafts that meet the unit; withheld: what the registry withholds; staff: drafts and withheld rows; servers: of @access, who has which key, session and grant.';

-- +goose StatementBegin
CREATE FUNCTION hatang_touch_access() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM hatang_touch('@access', 'servers');
    RETURN NULL;
END
$$;
-- +goose StatementEnd
REVOKE EXECUTE ON FUNCTION hatang_touch_access() FROM PUBLIC;

-- A new key, session or person was nobody before, and that is not remembered.
CREATE TRIGGER touch_access AFTER UPDATE OR DELETE OR TRUNCATE ON api_keys FOR EACH STATEMENT EXECUTE FUNCTION hatang_touch_access();
CREATE TRIGGER touch_access AFTER UPDATE OR DELETE OR TRUNCATE ON sessions FOR EACH STATEMENT EXECUTE FUNCTION hatang_touch_access();
CREATE TRIGGER touch_access AFTER UPDATE OR DELETE OR TRUNCATE ON people FOR EACH STATEMENT EXECUTE FUNCTION hatang_touch_access();
CREATE TRIGGER touch_access AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON grants FOR EACH STATEMENT EXECUTE FUNCTION hatang_touch_access();
