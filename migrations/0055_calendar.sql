-- The days off and the days worked of each jurisdiction, beside its plan's week and the days
-- that are off in every year: they come year by year, long after the plan is loaded.

-- +goose Up

CREATE TABLE calendar_days (
    jurisdiction text NOT NULL,
    day          date NOT NULL CONSTRAINT calendar_days_range CHECK (day BETWEEN '1900-01-01' AND '2200-12-31'),
    working      boolean NOT NULL,
    name         jsonb NOT NULL,
    source       text NOT NULL CONSTRAINT calendar_days_source_length CHECK (length(source) BETWEEN 1 AND 500),
    PRIMARY KEY (jurisdiction, day)
);
COMMENT ON TABLE calendar_days IS 'Days that are not as their weekday is: holidays, and days worked instead of others. Deadlines that were given before stay.';
COMMENT ON COLUMN calendar_days.working IS 'True for a day that is worked though its weekday, or its day in every year, is off.';
COMMENT ON COLUMN calendar_days.source IS 'The notice or decision that says so.';

CREATE TABLE calendar_years (
    jurisdiction text NOT NULL,
    year         int NOT NULL CONSTRAINT calendar_years_range CHECK (year BETWEEN 1900 AND 2200),
    PRIMARY KEY (jurisdiction, year)
);
COMMENT ON TABLE calendar_years IS 'The years whose list of days is whole: in others holidays are counted as days worked.';

-- What plans brought of single days moves here; they keep what is off in every year.
INSERT INTO calendar_days (jurisdiction, day, working, name, source)
    SELECT DISTINCT ON (1, 2) p.jurisdiction, h::date, false, '{"vi": "Ngày nghỉ lễ, tết", "en": "Public holiday"}'::jsonb, left(coalesce(nullif(p.title ->> 'vi', ''), p.id), 500)
    FROM plans p, jsonb_array_elements_text(CASE jsonb_typeof(p.settings -> 'holidays') WHEN 'array' THEN p.settings -> 'holidays' ELSE '[]' END) h
    WHERE h ~ '^(19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}$' ORDER BY 1, 2, p.valid_from DESC, p.id;
INSERT INTO calendar_years SELECT DISTINCT jurisdiction, extract(year FROM day)::int FROM calendar_days;
UPDATE plans SET settings = jsonb_set(settings, '{holidays}', (SELECT coalesce(jsonb_agg(h), '[]') FROM jsonb_array_elements_text(settings -> 'holidays') h WHERE h !~ '^[0-9]{4}-'))
    WHERE jsonb_typeof(settings -> 'holidays') = 'array';

-- What each statement changes is one entry of the audit.
-- +goose StatementBegin
CREATE FUNCTION calendar_audit() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    of     text;
    detail jsonb;
BEGIN
    IF TG_OP = 'DELETE' THEN
        FOR of, detail IN SELECT jurisdiction, jsonb_agg(to_jsonb(o) - 'jurisdiction' ORDER BY to_jsonb(o)) FROM old_rows o GROUP BY 1 ORDER BY 1 LOOP
            PERFORM hatang_audit('calendar.removed', 'jurisdiction:' || of, jsonb_build_object(TG_ARGV[0], detail));
        END LOOP;
    ELSE
        FOR of, detail IN SELECT jurisdiction, jsonb_agg(to_jsonb(n) - 'jurisdiction' ORDER BY to_jsonb(n)) FROM new_rows n GROUP BY 1 ORDER BY 1 LOOP
            PERFORM hatang_audit('calendar.set', 'jurisdiction:' || of, jsonb_build_object(TG_ARGV[0], detail));
        END LOOP;
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER audit_insert AFTER INSERT ON calendar_days REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION calendar_audit('days');
CREATE TRIGGER audit_update AFTER UPDATE ON calendar_days REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION calendar_audit('days');
CREATE TRIGGER audit_delete AFTER DELETE ON calendar_days REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION calendar_audit('days');
CREATE TRIGGER audit_insert AFTER INSERT ON calendar_years REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION calendar_audit('years');
CREATE TRIGGER audit_delete AFTER DELETE ON calendar_years REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION calendar_audit('years');

REVOKE EXECUTE ON FUNCTION calendar_audit() FROM PUBLIC;
GRANT SELECT ON calendar_days, calendar_years TO hatang_app, hatang_read;
GRANT INSERT, UPDATE, DELETE ON calendar_days TO hatang_app;
GRANT INSERT, DELETE ON calendar_years TO hatang_app;
