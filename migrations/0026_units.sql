-- What became of administrative units: links between a unit and its successors, dated by
-- the instrument that made them.

-- +goose Up

CREATE TABLE unit_lineage (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    level            text NOT NULL CONSTRAINT unit_lineage_level_known CHECK (level IN ('province', 'district', 'commune')),
    predecessor_code text NOT NULL CONSTRAINT unit_lineage_predecessor_not_blank CHECK (predecessor_code <> '' AND predecessor_code = btrim(predecessor_code)),
    successor_code   text NOT NULL CONSTRAINT unit_lineage_successor_not_blank CHECK (successor_code <> '' AND successor_code = btrim(successor_code)),
    changed_on       date NOT NULL,
    part             text NOT NULL CONSTRAINT unit_lineage_part_known CHECK (part IN ('whole', 'part')),
    act              text,
    note             text,
    source           text NOT NULL,
    CONSTRAINT unit_lineage_once UNIQUE (level, predecessor_code, successor_code, changed_on),
    -- What has gone whole into one unit has not gone into another.
    CONSTRAINT unit_lineage_whole_or_parts EXCLUDE USING gist
        (level WITH =, predecessor_code WITH =, changed_on WITH =, successor_code WITH <>) WHERE (part = 'whole')
);
COMMENT ON TABLE unit_lineage IS 'What became of administrative units: which unit went, whole or in part, into which, on which day.';
COMMENT ON COLUMN unit_lineage.predecessor_code IS 'Code of the unit that was in force until the day.';
COMMENT ON COLUMN unit_lineage.successor_code IS 'Code of the unit that is in force from the day on; it may be the same code, of other territory or not.';
COMMENT ON COLUMN unit_lineage.changed_on IS 'First day of the successor.';
COMMENT ON COLUMN unit_lineage.part IS 'whole: all of the predecessor went into the successor; part: some of it.';
COMMENT ON COLUMN unit_lineage.act IS 'The decree or resolution that made the change.';
COMMENT ON COLUMN unit_lineage.source IS 'Where the link was taken from: a file, a document.';
CREATE INDEX unit_lineage_successor ON unit_lineage (level, successor_code, changed_on);

INSERT INTO layer_versions (layer) VALUES ('unit_lineage');

-- The history of the links is kept beside that of features: without a geometry, for they
-- have none.
-- +goose StatementBegin
CREATE FUNCTION unit_lineage_record() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO history (layer, feature_id, operation, who, db_user)
            SELECT 'unit_lineage', n.id, 'insert', hatang_who(), session_user FROM new_rows n;
    ELSIF TG_OP = 'TRUNCATE' THEN
        INSERT INTO history (layer, feature_id, operation, before, who, db_user)
            SELECT 'unit_lineage', o.id, 'truncate', to_jsonb(o), hatang_who(), session_user FROM unit_lineage o;
    ELSE
        INSERT INTO history (layer, feature_id, operation, before, who, db_user)
            SELECT 'unit_lineage', o.id, lower(TG_OP), to_jsonb(o), hatang_who(), session_user FROM old_rows o;
    END IF;
    IF FOUND THEN
        PERFORM hatang_touch('unit_lineage');
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
REVOKE EXECUTE ON FUNCTION unit_lineage_record() FROM PUBLIC;
CREATE TRIGGER record_insert AFTER INSERT ON unit_lineage REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION unit_lineage_record();
CREATE TRIGGER record_update AFTER UPDATE ON unit_lineage REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION unit_lineage_record();
CREATE TRIGGER record_delete AFTER DELETE ON unit_lineage REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION unit_lineage_record();
CREATE TRIGGER record_truncate BEFORE TRUNCATE ON unit_lineage FOR EACH STATEMENT EXECUTE FUNCTION unit_lineage_record();

GRANT SELECT ON unit_lineage TO hatang_app, hatang_read;
GRANT INSERT (level, predecessor_code, successor_code, changed_on, part, act, note, source), UPDATE (part, act, note, source), DELETE ON unit_lineage TO hatang_app;

COMMENT ON FUNCTION hatang_territory(text) IS 'The territory of a grant limited to a unit: the last form of that code. Of a unit that has ended it is the territory that it had last, so that nobody gains or loses by the end; of a code that went to another unit, that unit.';
