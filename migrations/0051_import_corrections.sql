-- The rows that an import refused, to be filled in and sent back: what they were in the file, and why.

-- +goose Up

CREATE TABLE import_corrections (
    import bigint PRIMARY KEY REFERENCES imports ON DELETE CASCADE,
    rows   bytea NOT NULL
);
COMMENT ON TABLE import_corrections IS 'The rows that an import refused, as they stood in its file, with the reasons; as JSON. They are known as long as the import is.';

-- They are part of how an import ends: nobody adds any afterwards.
-- +goose StatementBegin
CREATE FUNCTION import_corrections_in_time() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM imports WHERE id = NEW.import AND state = 'waiting') THEN
        RAISE EXCEPTION 'the import has ended' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
-- +goose StatementEnd
REVOKE EXECUTE ON FUNCTION import_corrections_in_time() FROM PUBLIC;
CREATE TRIGGER in_time BEFORE INSERT ON import_corrections FOR EACH ROW EXECUTE FUNCTION import_corrections_in_time();

GRANT SELECT, INSERT ON import_corrections TO hatang_app;
