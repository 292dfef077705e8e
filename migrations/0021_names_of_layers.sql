-- Consultations, and imports, which come with the next migration, follow their layer to its
-- new name, and consultations end with a layer that is withdrawn: else they would be about the
-- rows of whatever layer gets the name next.

-- +goose Up

-- As before, but for a layer that has another name by now.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION consultations_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.layer <> OLD.layer AND to_jsonb(NEW) - 'layer' = to_jsonb(OLD) - 'layer'
        AND to_regclass(quote_ident(OLD.layer)) IS NULL AND to_regclass(quote_ident(NEW.layer)) IS NOT NULL THEN
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
-- +goose StatementEnd

-- A new name of the layer is no step of a consultation.
DROP TRIGGER note ON consultations;
CREATE TRIGGER note AFTER INSERT OR DELETE ON consultations FOR EACH ROW EXECUTE FUNCTION consultations_note();
CREATE TRIGGER note_change AFTER UPDATE ON consultations FOR EACH ROW WHEN (NEW.layer = OLD.layer) EXECUTE FUNCTION consultations_note();

-- As before, with the consultations; and changes of the layer in the same transaction, which
-- raise versions at its end, do not bring back the name.
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
    DELETE FROM layer_changes WHERE layer = old_name;
    DELETE FROM layer_versions WHERE layer = old_name;
    DELETE FROM layer_sight WHERE layer = old_name;
END
$$;
-- +goose StatementEnd

-- As before, but what agencies are asked about the layer is taken back first.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION hatang_withdraw_reference_layer(which text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    aside text;
BEGIN
    UPDATE reference_layers SET withdrawn_by = hatang_who(), withdrawn_at = now() WHERE name = which AND withdrawn_at IS NULL
        RETURNING 'withdrawn_' || id INTO aside;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no reference layer %', which USING ERRCODE = 'no_data_found';
    END IF;
    UPDATE consultations SET withdrawn_at = now() WHERE layer = which AND answered_at IS NULL AND withdrawn_at IS NULL;
    PERFORM hatang_rename_layer(which, aside);
    EXECUTE format('REVOKE ALL ON %I FROM hatang_app, hatang_read', aside);
END
$$;
-- +goose StatementEnd
