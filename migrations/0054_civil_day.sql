-- Today is the civil day of the register's place, not that of UTC: deadlines, expiry and the
-- days of decisions begin and end at midnight there. A plan may name its time zone.

-- +goose Up

ALTER TABLE plans ADD CONSTRAINT plans_time_zone_known
    CHECK (settings ->> 'time_zone' IS NULL OR (timestamptz '2000-01-01 00:00:00Z' AT TIME ZONE (settings ->> 'time_zone')) IS NOT NULL);

-- One register has one day, whatever its plans: that of the first plan that names a time zone.
-- plan.DefaultZone is the same; a test compares them.
-- +goose StatementBegin
CREATE FUNCTION hatang_zone() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT coalesce((SELECT settings ->> 'time_zone' FROM plans WHERE settings ->> 'time_zone' <> '' ORDER BY valid_from, id LIMIT 1), 'Asia/Ho_Chi_Minh')
$$;
CREATE FUNCTION hatang_day(at timestamptz) RETURNS date LANGUAGE sql STABLE AS $$ SELECT (at AT TIME ZONE hatang_zone())::date $$;
CREATE OR REPLACE FUNCTION hatang_today() RETURNS date LANGUAGE sql STABLE AS $$ SELECT hatang_day(now()) $$;
-- +goose StatementEnd
