-- Mappings: how files of one kind are read into a layer, saved under a name for an
-- organisation, to be used again.

-- +goose Up

CREATE TABLE import_mappings (
    id           bigint PRIMARY KEY,
    layer        text NOT NULL,
    organisation text REFERENCES organisations,
    name         text NOT NULL CONSTRAINT import_mappings_name_form CHECK (length(name) BETWEEN 1 AND 100 AND name = btrim(name)),
    reading      jsonb NOT NULL CONSTRAINT import_mappings_reading_is_object CHECK (jsonb_typeof(reading) = 'object'),
    saved_by     text NOT NULL DEFAULT hatang_who(),
    saved_at     timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE import_mappings IS 'How files of one kind are read into a layer: which column is which field, and what such files do not say themselves.';
COMMENT ON COLUMN import_mappings.organisation IS 'Whose it is; null for staff who belong to none.';
CREATE UNIQUE INDEX import_mappings_once ON import_mappings (layer, coalesce(organisation, ''), name);
CREATE INDEX import_mappings_listed ON import_mappings (layer, name, id);

-- Nobody learns from the ids of his own how many others there are.
CREATE TRIGGER identify BEFORE INSERT ON import_mappings FOR EACH ROW WHEN (NEW.id IS NULL) EXECUTE FUNCTION hatang_identify_hidden();

-- Who saved it last, and each step in the audit; a new name of the layer is none.
-- +goose StatementBegin
CREATE FUNCTION import_mappings_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.saved_by := hatang_who();
    NEW.saved_at := now();
    RETURN NEW;
END
$$;
CREATE FUNCTION import_mappings_note() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    m import_mappings := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
BEGIN
    PERFORM hatang_audit('mapping.' || CASE TG_OP WHEN 'INSERT' THEN 'saved' WHEN 'UPDATE' THEN 'changed' ELSE 'removed' END, 'mapping:' || m.id,
        jsonb_strip_nulls(jsonb_build_object('layer', m.layer, 'organisation', m.organisation, 'name', m.name, 'reading', m.reading)));
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER change BEFORE UPDATE ON import_mappings FOR EACH ROW WHEN (NEW.layer = OLD.layer) EXECUTE FUNCTION import_mappings_change();
CREATE TRIGGER note AFTER INSERT OR DELETE ON import_mappings FOR EACH ROW EXECUTE FUNCTION import_mappings_note();
CREATE TRIGGER note_change AFTER UPDATE ON import_mappings FOR EACH ROW WHEN (NEW.layer = OLD.layer) EXECUTE FUNCTION import_mappings_note();

-- As before, with mappings.
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
    UPDATE import_mappings SET layer = new_name WHERE layer = old_name;
    DELETE FROM layer_changes WHERE layer = old_name;
    DELETE FROM layer_versions WHERE layer = old_name;
    DELETE FROM layer_sight WHERE layer = old_name;
END
$$;
-- +goose StatementEnd

REVOKE EXECUTE ON FUNCTION import_mappings_change(), import_mappings_note() FROM PUBLIC;
GRANT SELECT, DELETE, INSERT (layer, organisation, name, reading), UPDATE (reading) ON import_mappings TO hatang_app;
