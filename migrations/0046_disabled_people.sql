-- Who is disabled loses his sessions and his keys for good, by whatever path it is done: a
-- person who is let in again signs in and makes new keys, and none that somebody else may
-- have got hold of in the meantime comes back to life.

-- +goose Up

-- +goose StatementBegin
CREATE FUNCTION people_end_access() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Sessions first: signing out waits for the audit with its session in hand, and a key's end
    -- writes to the audit.
    UPDATE sessions SET ended_at = now() WHERE person = NEW.id AND ended_at IS NULL;
    UPDATE api_keys SET revoked_at = now() WHERE person = NEW.id AND revoked_at IS NULL;
    RETURN NEW;
END
$$;
-- +goose StatementEnd

CREATE TRIGGER people_end_access BEFORE UPDATE OF disabled_at ON people FOR EACH ROW
    WHEN (OLD.disabled_at IS NULL AND NEW.disabled_at IS NOT NULL) EXECUTE FUNCTION people_end_access();

UPDATE sessions SET ended_at = now() WHERE ended_at IS NULL AND person IN (SELECT id FROM people WHERE disabled_at IS NOT NULL);
UPDATE api_keys SET revoked_at = now() WHERE revoked_at IS NULL AND person IN (SELECT id FROM people WHERE disabled_at IS NOT NULL);

REVOKE EXECUTE ON FUNCTION people_end_access() FROM PUBLIC;
