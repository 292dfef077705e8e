-- Reference layers: layers that officers publish from a file at run time. Each is a row
-- here, and a table that only the functions below make, rename and put aside, so that the
-- serving role can make no other.

-- +goose Up

CREATE TABLE reference_layers (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name         text NOT NULL,
    definition   jsonb NOT NULL,
    staff_only   boolean NOT NULL,
    created_by   text NOT NULL DEFAULT hatang_who(),
    created_at   timestamptz NOT NULL DEFAULT now(),
    withdrawn_by text,
    withdrawn_at timestamptz
);
COMMENT ON TABLE reference_layers IS 'Layers published from a file, each with a table of its name; the table of one that was withdrawn is withdrawn_ID.';
COMMENT ON COLUMN reference_layers.definition IS 'Titles, geometry, fields and what they were called in the file, as JSON; see layer.Definition.';
COMMENT ON COLUMN reference_layers.staff_only IS 'Nobody but staff knows that there is such a layer.';
CREATE UNIQUE INDEX reference_layers_name ON reference_layers (name) WHERE withdrawn_at IS NULL;
GRANT SELECT ON reference_layers TO hatang_app;

-- Servers read the layers anew when their version changes. Nobody is told of a version that
-- counts layers he may not know of.
INSERT INTO layer_versions (layer) VALUES ('reference_layers');

-- +goose StatementBegin
CREATE FUNCTION reference_layers_note() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    hidden boolean[] := CASE TG_OP WHEN 'INSERT' THEN ARRAY[NEW.staff_only] WHEN 'DELETE' THEN ARRAY[OLD.staff_only] ELSE ARRAY[OLD.staff_only, NEW.staff_only] END;
BEGIN
    IF false = ANY (hidden) THEN
        PERFORM hatang_touch('reference_layers');
    END IF;
    IF true = ANY (hidden) THEN
        PERFORM hatang_touch('reference_layers', 'staff');
        PERFORM hatang_touch('reference_layers', 'withheld');
    END IF;
    PERFORM hatang_audit(CASE WHEN TG_OP = 'INSERT' THEN 'layer.published' WHEN TG_OP = 'DELETE' THEN 'layer.removed'
            WHEN NEW.withdrawn_at IS DISTINCT FROM OLD.withdrawn_at THEN 'layer.withdrawn' ELSE 'layer.changed' END,
        'layer:' || CASE TG_OP WHEN 'DELETE' THEN OLD.name ELSE NEW.name END,
        CASE TG_OP WHEN 'DELETE' THEN to_jsonb(OLD) ELSE to_jsonb(NEW) END);
    RETURN NULL;
END
$$;
-- +goose StatementEnd
REVOKE EXECUTE ON FUNCTION reference_layers_note() FROM PUBLIC;
CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON reference_layers FOR EACH ROW EXECUTE FUNCTION reference_layers_note();

-- Refuses names that no layer may have, and those of what there is already.
-- +goose StatementBegin
CREATE FUNCTION hatang_check_layer_name(wanted text) RETURNS void LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF wanted IS NULL OR wanted !~ '^[a-z][a-z0-9_]{0,40}$' OR wanted ~ '^(default|staging|successors|(pg|gpkg|rtree|sqlite|hatang|withdrawn)_.*)$' THEN
        RAISE EXCEPTION '% cannot be the name of a layer', wanted USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF EXISTS (SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace
            AND relname IN (wanted, wanted || '_pkey', wanted || '_geom', wanted || '_code', wanted || '_code_once_a_day', wanted || '_id_seq'))
        OR EXISTS (SELECT FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typname = wanted) THEN
        RAISE EXCEPTION '% is there already', wanted USING ERRCODE = 'duplicate_table';
    END IF;
END
$$;
-- +goose StatementEnd

-- Says who may know of the layer. Its versions begin with the time, so that no other layer
-- of the name has had them.
-- +goose StatementBegin
CREATE FUNCTION hatang_show_layer(which text, staff_only boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    stamp bigint := extract(epoch FROM clock_timestamp()) * 1000000;
BEGIN
    DELETE FROM layer_versions WHERE layer = which;
    DELETE FROM layer_sight WHERE layer = which;
    IF staff_only THEN
        INSERT INTO layer_sight (layer, drafts, withheld, published_as_set) VALUES (which, false, 'true', false);
        INSERT INTO layer_versions (layer, version, audience) VALUES (which, stamp, 'staff'), (which, stamp, 'withheld');
        EXECUTE format('REVOKE SELECT ON %I FROM hatang_read', which);
    ELSE
        INSERT INTO layer_versions (layer, version) VALUES (which, stamp);
        EXECUTE format('GRANT SELECT ON %I TO hatang_read', which);
    END IF;
END
$$;
-- +goose StatementEnd

-- Makes a layer of a definition and returns its id. It takes nothing on trust: names are
-- quoted, types are those listed here, numbers are bounded.
-- +goose StatementBegin
CREATE FUNCTION hatang_create_reference_layer(new_name text, definition jsonb, for_staff boolean) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    field       record;
    column_type text;
    columns     text := '';
    geometry_of text := definition ->> 'geometry';
    stored_in   int := definition ->> 'storage_srid';
    new_id      bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(7140619); -- one at a time, that the count be right
    PERFORM hatang_check_layer_name(new_name);
    IF (SELECT count(*) FROM reference_layers WHERE withdrawn_at IS NULL) >= 500 THEN
        RAISE EXCEPTION 'there are 500 reference layers already' USING ERRCODE = 'program_limit_exceeded';
    END IF;
    IF octet_length(definition::text) > 1048576 OR jsonb_array_length(definition -> 'fields') > 200 THEN
        RAISE EXCEPTION 'the definition is too long' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    FOR field IN SELECT value ->> 'name' AS name, value ->> 'kind' AS kind FROM jsonb_array_elements(definition -> 'fields') LOOP
        column_type := CASE field.kind WHEN 'text' THEN 'text' WHEN 'integer' THEN 'bigint' WHEN 'number' THEN 'double precision' WHEN 'boolean' THEN 'boolean'
            WHEN 'date' THEN 'date' WHEN 'timestamp' THEN 'timestamptz' WHEN 'text_list' THEN 'text[]' END;
        IF column_type IS NULL OR field.name !~ '^[a-z][a-z0-9_]{0,40}$' OR field.name IN ('geom', 'geom_stored') THEN
            RAISE EXCEPTION 'the field % of kind % cannot be', field.name, field.kind USING ERRCODE = 'invalid_parameter_value';
        END IF;
        columns := columns || format('%I %s, ', field.name, column_type);
    END LOOP;
    IF geometry_of IS NULL OR geometry_of NOT IN ('Point', 'MultiPoint', 'MultiLineString', 'MultiPolygon', 'Geometry') THEN
        RAISE EXCEPTION 'the geometry % cannot be', geometry_of USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF stored_in IS NULL OR NOT EXISTS (SELECT FROM spatial_ref_sys WHERE srid = stored_in) THEN
        RAISE EXCEPTION 'there is no reference system %', stored_in USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- What is kept in another system is the truth, and what is read is made of it.
    columns := columns || CASE stored_in WHEN 4326 THEN format('geom geometry(%s, 4326)', geometry_of)
        ELSE format('geom_stored geometry(%1$s, %2$s), geom geometry(%1$s, 4326) GENERATED ALWAYS AS (ST_Transform(geom_stored, 4326)) STORED', geometry_of, stored_in) END;
    EXECUTE format('CREATE TABLE %I (LIKE feature_template INCLUDING ALL, %s)', new_name, columns);
    PERFORM hatang_add_layer(new_name);
    PERFORM hatang_show_layer(new_name, for_staff);
    INSERT INTO reference_layers (name, definition, staff_only) VALUES (new_name, definition - 'name', for_staff) RETURNING id INTO new_id;
    RETURN new_id;
END
$$;
-- +goose StatementEnd

-- Gives a layer's table, what belongs to it and whatever tells of it another name.
-- +goose StatementBegin
CREATE FUNCTION hatang_rename_layer(old_name text, new_name text) RETURNS void LANGUAGE plpgsql AS $$
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
    DELETE FROM layer_versions WHERE layer = old_name;
    DELETE FROM layer_sight WHERE layer = old_name;
END
$$;
-- +goose StatementEnd

-- Changes titles, description and colour as far as changes has them, the name and who may
-- know of the layer where they are not null.
-- +goose StatementBegin
CREATE FUNCTION hatang_change_reference_layer(which text, new_name text, changes jsonb, for_staff boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    was reference_layers;
    made reference_layers;
BEGIN
    SELECT * INTO was FROM reference_layers WHERE name = which AND withdrawn_at IS NULL FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no reference layer %', which USING ERRCODE = 'no_data_found';
    END IF;
    made := was;
    made.name := coalesce(new_name, was.name);
    made.staff_only := coalesce(for_staff, was.staff_only);
    made.definition := was.definition || jsonb_strip_nulls(jsonb_build_object('title', changes -> 'title', 'description', changes -> 'description', 'colour', changes -> 'colour'));
    IF made = was THEN
        RETURN;
    END IF;
    IF octet_length(made.definition::text) > 1048576 THEN
        RAISE EXCEPTION 'the definition is too long' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF made.name <> was.name THEN
        PERFORM hatang_check_layer_name(made.name);
        PERFORM hatang_rename_layer(was.name, made.name);
    END IF;
    IF made.name <> was.name OR made.staff_only <> was.staff_only THEN
        PERFORM hatang_show_layer(made.name, made.staff_only);
    END IF;
    UPDATE reference_layers SET name = made.name, definition = made.definition, staff_only = made.staff_only WHERE id = was.id;
END
$$;
-- +goose StatementEnd

-- Puts a layer aside: its rows and their history stay, for the owner of the database.
-- +goose StatementBegin
CREATE FUNCTION hatang_withdraw_reference_layer(which text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    aside text;
BEGIN
    UPDATE reference_layers SET withdrawn_by = hatang_who(), withdrawn_at = now() WHERE name = which AND withdrawn_at IS NULL
        RETURNING 'withdrawn_' || id INTO aside;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no reference layer %', which USING ERRCODE = 'no_data_found';
    END IF;
    PERFORM hatang_rename_layer(which, aside);
    EXECUTE format('REVOKE ALL ON %I FROM hatang_app, hatang_read', aside);
END
$$;
-- +goose StatementEnd

REVOKE EXECUTE ON FUNCTION hatang_check_layer_name(text), hatang_show_layer(text, boolean), hatang_rename_layer(text, text),
    hatang_create_reference_layer(text, jsonb, boolean), hatang_change_reference_layer(text, text, jsonb, boolean), hatang_withdraw_reference_layer(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hatang_create_reference_layer(text, jsonb, boolean), hatang_change_reference_layer(text, text, jsonb, boolean), hatang_withdraw_reference_layer(text) TO hatang_app;

-- The image of a row in the history, as an expression on o: in parts, because a function
-- takes a hundred arguments and no more. Geometries are kept beside it.
-- +goose StatementBegin
CREATE FUNCTION hatang_image(relation oid) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT string_agg('jsonb_build_object(' || pairs || ')', ' || ' ORDER BY part) FROM (
        SELECT part, string_agg(format('%L, o.%I', attname, attname), ', ' ORDER BY attnum) AS pairs FROM (
            SELECT attname, attnum, row_number() OVER (ORDER BY attnum) / 40 AS part FROM pg_attribute
            WHERE attrelid = relation AND attnum > 0 AND NOT attisdropped AND attname NOT IN ('geom', 'geom_stored')) columns
        GROUP BY part) parts
$$;
-- +goose StatementEnd

-- The function that records the history as it is, but for how it makes images.
-- +goose StatementBegin
DO $$
DECLARE
    was text := pg_get_functiondef('hatang_record()'::regprocedure);
    made text := replace(regexp_replace(was, 'SELECT string_agg\(format\(''%L, o\.%I''[^;]*;', 'image := hatang_image(TG_RELID);'), 'jsonb_build_object(%s)', '%s');
BEGIN
    IF length(was) - length(replace(was, 'jsonb_build_object(%s)', '')) <> length('jsonb_build_object(%s)') OR position('hatang_image' IN made) = 0 THEN
        RAISE EXCEPTION 'hatang_record() makes images in a way that this migration does not know';
    END IF;
    EXECUTE made;
END
$$;
-- +goose StatementEnd
