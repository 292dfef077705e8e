-- Features are found by what they are called, and the history is read as a list.

-- +goose Up

-- A text without what people leave out when they type: the case of letters and the marks on
-- them. The same as CASEI within ACCENTI of CQL2, to the letter: a text of ASCII takes the
-- short way to it. Functions that indexes use name what they call in full, because indexes
-- are made and vacuumed with no search path.
-- +goose StatementBegin
CREATE FUNCTION hatang_fold(written text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 100 AS $$
BEGIN
    IF octet_length(written) = length(written) THEN
        RETURN lower(written COLLATE "C");
    END IF;
    RETURN translate(regexp_replace(normalize(translate(lower(upper(written COLLATE "und-x-icu")), 'ς', 'σ'), NFD),
        '[\u0300-\u036F\u1AB0-\u1AFF\u1DC0-\u1DFF\u20D0-\u20FF\uFE20-\uFE2F]', '', 'g'), 'đĐ', 'dD');
END
$$;

-- The words of a text, folded; what stands between words is everything in ASCII and Latin-1
-- but letters and digits, and the general punctuation of Unicode. Words are cut where the
-- database can take them no longer.
CREATE FUNCTION hatang_split(written text) RETURNS text[] LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 200 AS $$
BEGIN
    RETURN ARRAY(SELECT left(word, 100) FROM regexp_split_to_table(public.hatang_fold(written), '[\u0001-/:-`{-\u00BF\u00D7\u00F7\u2000-\u206F]+') word WHERE word <> '');
END
$$;

-- The words that a feature is found by: those of a text as long as names are.
CREATE FUNCTION hatang_words(code text, name text, aliases text[]) RETURNS tsvector LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 200 AS $$
BEGIN
    RETURN array_to_tsvector(public.hatang_split(concat_ws(' ', left(code, 200), left(name, 500), left(array_to_string(aliases, ' '), 1000))));
END
$$;

-- The query for features that have, for each word of a text, one that begins with it; null
-- for a text without words.
CREATE FUNCTION hatang_words_query(written text) RETURNS tsquery LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    RETURN (SELECT string_agg(quote_literal(word) || ':*', ' & ')::tsquery FROM unnest(public.hatang_split(written)) word);
END
$$;

-- Makes the features of a layer to be found by code, name and aliases: by how they begin,
-- in their order, and by the words in them.
CREATE FUNCTION hatang_make_searchable(which text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    aliases text := CASE WHEN EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass(quote_ident(which)) AND attname = 'aliases' AND NOT attisdropped)
        THEN 'aliases' ELSE 'NULL::text[]' END;
BEGIN
    EXECUTE format('CREATE INDEX %I ON %I ((left(hatang_fold(code), 200) COLLATE "C"))', which || '_by_code', which);
    EXECUTE format('CREATE INDEX %I ON %I ((left(hatang_fold(name), 200) COLLATE "C"))', which || '_by_name', which);
    EXECUTE format('CREATE INDEX %I ON %I USING gin (hatang_words(code, name, %s))', which || '_by_words', which, aliases);
END
$$;

-- As before, and searchable.
CREATE OR REPLACE FUNCTION hatang_add_layer(new_layer text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %I ADD CONSTRAINT %I EXCLUDE USING gist (code WITH =, daterange(valid_from, valid_to) WITH &&)',
        new_layer, new_layer || '_code_once_a_day');
    EXECUTE format('ALTER TABLE %I ADD CONSTRAINT %I CHECK (NOT ST_IsEmpty(geom)
            AND ST_XMin(geom) >= -180 AND ST_XMax(geom) <= 180 AND ST_YMin(geom) >= -90 AND ST_YMax(geom) <= 90)',
        new_layer, new_layer || '_geom_in_range');
    EXECUTE format('CREATE INDEX %I ON %I USING gist (geom)', new_layer || '_geom', new_layer);
    EXECUTE format('CREATE INDEX %I ON %I (code, valid_from)', new_layer || '_code', new_layer);
    EXECUTE format('CREATE TRIGGER revise BEFORE UPDATE ON %I FOR EACH ROW EXECUTE FUNCTION hatang_revise()', new_layer);
    EXECUTE format('CREATE TRIGGER record_insert AFTER INSERT ON %I REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION hatang_record()', new_layer);
    EXECUTE format('CREATE TRIGGER record_update AFTER UPDATE ON %I REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION hatang_record()', new_layer);
    EXECUTE format('CREATE TRIGGER record_delete AFTER DELETE ON %I REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION hatang_record()', new_layer);
    EXECUTE format('CREATE TRIGGER record_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION hatang_record()', new_layer);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO hatang_app', new_layer);
    EXECUTE format('GRANT SELECT ON %I TO hatang_read', new_layer);
    PERFORM hatang_make_searchable(new_layer);
    INSERT INTO layer_versions (layer) VALUES (new_layer);
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
DO $$
BEGIN
    PERFORM hatang_make_searchable(layer) FROM (SELECT DISTINCT layer FROM layer_versions) v
        WHERE EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass(quote_ident(layer)) AND attname = 'geom');
END
$$;
-- +goose StatementEnd

-- The request that a change was made in. It is a default, so that the function that keeps
-- the history need not know of it.
ALTER TABLE history ADD COLUMN request text;
ALTER TABLE history ALTER COLUMN request SET DEFAULT nullif(current_setting('hatang.request', true), '');
COMMENT ON COLUMN history.request IS 'Id of the request that made the change (setting hatang.request); null for one that none did.';

-- Newest first, a layer at a time; and by whom, in which request, of which code and where.
DROP INDEX history_recorded_at;
CREATE INDEX history_newest ON history (layer, recorded_at, feature_id, id);
CREATE INDEX history_who ON history (who);
CREATE INDEX history_request ON history (request) WHERE request IS NOT NULL;
CREATE INDEX history_code ON history ((before ->> 'code')) WHERE before IS NOT NULL;
CREATE INDEX history_place ON history USING gist (before_geom) WHERE before_geom IS NOT NULL;

-- Whether who is a person of the organisation, or a key of one or of its own.
-- +goose StatementBegin
CREATE FUNCTION hatang_of_organisation(who text, organisation text) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT CASE split_part($1, ':', 1)
        WHEN 'person' THEN EXISTS (SELECT FROM people p WHERE p.login = substr($1, 8) AND p.organisation = $2)
        WHEN 'key' THEN EXISTS (SELECT FROM api_keys k LEFT JOIN people p ON p.id = k.person
            WHERE k.id = substr($1, 5) AND coalesce(p.organisation, k.organisation) = $2)
        ELSE false END
$$;
-- +goose StatementEnd
REVOKE EXECUTE ON FUNCTION hatang_of_organisation(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hatang_of_organisation(text, text) TO hatang_app, hatang_read;
