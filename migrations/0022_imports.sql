-- Imports: files that come into a layer as a whole or not at all. A file waits here until a
-- server takes it; what it makes of it, and that it has done so, is one transaction. So a
-- server that dies leaves the import waiting for the next.

-- +goose Up

CREATE TABLE imports (
    id          bigint PRIMARY KEY,
    layer       text NOT NULL,
    file_name   text NOT NULL,
    bytes       bigint NOT NULL,
    sha256      bytea NOT NULL CONSTRAINT imports_sha256_length CHECK (octet_length(sha256) = 32),
    options     jsonb NOT NULL,
    who         text NOT NULL DEFAULT hatang_who(),
    request     text DEFAULT nullif(current_setting('hatang.request', true), ''),
    created_at  timestamptz NOT NULL DEFAULT now(),
    state       text NOT NULL DEFAULT 'waiting' CONSTRAINT imports_state_known CHECK (state IN ('waiting', 'done', 'refused', 'failed', 'cancelled')),
    finished_at timestamptz,
    report      jsonb,
    CONSTRAINT imports_finished CHECK ((state = 'waiting') = (finished_at IS NULL))
);
COMMENT ON TABLE imports IS 'Files brought into layers, by whom, and what came of them. A row is locked while a server works on it.';
COMMENT ON COLUMN imports.who IS 'Whose import it is, as the history records it; whose rights of the moment it is done with.';
COMMENT ON COLUMN imports.request IS 'The request that the file came with, which the history records with what it changes.';
COMMENT ON COLUMN imports.state IS 'waiting while it waits or is worked on (import_progress says which), then what it ended as.';
CREATE UNIQUE INDEX imports_one_of_each ON imports (who) WHERE state = 'waiting';
CREATE INDEX imports_newest ON imports (created_at, id);
CREATE INDEX imports_own ON imports (who, created_at, id);

-- Nobody learns from the ids of his own how many others there are.
CREATE TRIGGER identify BEFORE INSERT ON imports FOR EACH ROW WHEN (NEW.id IS NULL) EXECUTE FUNCTION hatang_identify_hidden();

-- What has ended stays as it has, but for a layer that has another name by now.
-- +goose StatementBegin
CREATE FUNCTION imports_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state <> 'waiting' AND NOT (NEW.layer <> OLD.layer AND to_jsonb(NEW) - 'layer' = to_jsonb(OLD) - 'layer'
        AND to_regclass(quote_ident(OLD.layer)) IS NULL AND to_regclass(quote_ident(NEW.layer)) IS NOT NULL) THEN
        RAISE EXCEPTION 'the import has ended' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
-- +goose StatementEnd
REVOKE EXECUTE ON FUNCTION imports_end() FROM PUBLIC;
CREATE TRIGGER ended BEFORE UPDATE ON imports FOR EACH ROW EXECUTE FUNCTION imports_end();

-- How far an import is: a row of its own, because that of the import is locked meanwhile.
CREATE TABLE import_progress (
    import        bigint PRIMARY KEY REFERENCES imports ON DELETE CASCADE,
    stage         text CONSTRAINT import_progress_stage_known CHECK (stage IN ('reading', 'writing')),
    bytes_read    bigint NOT NULL DEFAULT 0,
    rows_read     bigint NOT NULL DEFAULT 0,
    rows_to_write bigint NOT NULL DEFAULT 0,
    rows_written  bigint NOT NULL DEFAULT 0,
    attempts      int NOT NULL DEFAULT 0,
    started_at    timestamptz,
    updated_at    timestamptz,
    cancelled     boolean NOT NULL DEFAULT false
);
COMMENT ON COLUMN import_progress.stage IS 'What a server does with it; null while none does.';
COMMENT ON COLUMN import_progress.attempts IS 'How many servers have begun it and not come to an end by themselves.';
COMMENT ON COLUMN import_progress.cancelled IS 'Whoever works on it shall stop.';

-- The file, 1 MB a row, until the import has ended. Files are compressed as they are or not at all.
CREATE TABLE import_chunks (
    import bigint NOT NULL REFERENCES imports ON DELETE CASCADE,
    number int NOT NULL,
    bytes  bytea NOT NULL,
    PRIMARY KEY (import, number)
);
ALTER TABLE import_chunks ALTER bytes SET STORAGE EXTERNAL;

GRANT SELECT, DELETE, INSERT (layer, file_name, bytes, sha256, options), UPDATE (state, finished_at, report) ON imports TO hatang_app;
GRANT SELECT, INSERT (import), UPDATE (stage, bytes_read, rows_read, rows_to_write, rows_written, attempts, started_at, updated_at, cancelled) ON import_progress TO hatang_app;
GRANT SELECT, INSERT, DELETE ON import_chunks TO hatang_app;
