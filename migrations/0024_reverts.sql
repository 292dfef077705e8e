-- The history is complete enough to bring every row back as it was, and rows can come back
-- all at once.

-- +goose Up

-- The image of a row, and of a geometry that is kept in another reference system than it is
-- read in the one that is kept: made of the other it would be off by what projecting costs.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION hatang_image(relation oid) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT string_agg('jsonb_build_object(' || pairs || ')', ' || ' ORDER BY part) FROM (
        SELECT part, string_agg(format(CASE attname WHEN 'geom_stored' THEN '%L, o.%I::text' ELSE '%L, o.%I' END, attname, attname), ', ' ORDER BY attnum) AS pairs FROM (
            SELECT attname, attnum, row_number() OVER (ORDER BY attnum) / 40 AS part FROM pg_attribute
            WHERE attrelid = relation AND attnum > 0 AND NOT attisdropped AND attname <> 'geom') columns
        GROUP BY part) parts
$$;
-- +goose StatementEnd

-- What is once a day is so at the end of a statement, or of a revert: rows that exchange
-- their codes or dates meet on the way.
-- +goose StatementBegin
DO $$
DECLARE
    rule record;
BEGIN
    FOR rule IN SELECT conrelid::regclass AS of_table, conname, pg_get_constraintdef(oid) AS definition FROM pg_constraint
        WHERE contype = 'x' AND conname ~ '_once_a_(day|site)$' AND connamespace = 'public'::regnamespace ORDER BY conname LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I, ADD CONSTRAINT %2$I %s DEFERRABLE', rule.of_table, rule.conname, rule.definition);
    END LOOP;
END
$$;
-- +goose StatementEnd

-- The functions that make layers as they are, but for that.
-- +goose StatementBegin
DO $$
DECLARE
    change record;
    was    text;
BEGIN
    FOR change IN SELECT * FROM (VALUES
        ('hatang_add_layer(text)'::regprocedure, $x$daterange(valid_from, valid_to) WITH &&)',$x$, $x$daterange(valid_from, valid_to) WITH &&) DEFERRABLE',$x$),
        ('hatang_hide(text, text, text[], boolean, boolean)'::regprocedure, $x$WHERE (status <> ''draft'')',$x$, $x$WHERE (status <> ''draft'') DEFERRABLE',$x$)) c (of_function, old, new) LOOP
        was := pg_get_functiondef(change.of_function);
        IF length(was) - length(replace(was, change.old, '')) <> length(change.old) THEN
            RAISE EXCEPTION '% makes constraints in a way that this migration does not know', change.of_function;
        END IF;
        EXECUTE replace(was, change.old, change.new);
    END LOOP;
END
$$;
-- +goose StatementEnd

-- Ids are scattered where none is given, and not where a row comes back.
ALTER TABLE special_areas ALTER id DROP IDENTITY;
DROP TRIGGER scatter ON special_areas;
CREATE TRIGGER scatter BEFORE INSERT ON special_areas FOR EACH ROW WHEN (NEW.id IS NULL) EXECUTE FUNCTION special_areas_scatter();
