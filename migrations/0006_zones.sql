-- The tables of the zones layers. What each column means stands in the registry, which
-- writes it as the column's comment when the schema is migrated.

-- +goose Up

CREATE TABLE mast_zones (
    LIKE feature_template INCLUDING ALL,
    zone_class text NOT NULL,
    phase text,
    follows_commune text,
    geom geometry(MultiPolygon, 4326) NOT NULL
        CONSTRAINT mast_zones_geom_valid CHECK (ST_IsValid(geom))
);
SELECT hatang_add_layer('mast_zones');

CREATE TABLE underground_zones (
    LIKE feature_template INCLUDING ALL,
    kind text NOT NULL
        CONSTRAINT underground_zones_kind_known CHECK (kind IN ('administrative_streets', 'public_space', 'tourism', 'new_urban', 'upgraded_streets', 'industrial', 'road_works')),
    phase text,
    geom geometry(MultiPolygon, 4326) NOT NULL
        CONSTRAINT underground_zones_geom_valid CHECK (ST_IsValid(geom))
);
SELECT hatang_add_layer('underground_zones');

CREATE TABLE special_areas (
    LIKE feature_template INCLUDING ALL,
    kind text NOT NULL
        CONSTRAINT special_areas_kind_known CHECK (kind IN ('border_belt', 'military', 'aviation_surface', 'support_area')),
    max_height_m double precision
        CONSTRAINT special_areas_max_height_m_range CHECK (max_height_m >= 0 AND max_height_m <= 10000),
    agency text,
    geom geometry(MultiPolygon, 4326) NOT NULL
        CONSTRAINT special_areas_geom_valid CHECK (ST_IsValid(geom))
);
SELECT hatang_add_layer('special_areas');

-- A zone that follows a commune always has the commune's shape, and is as
-- illustrative as that, whoever writes either.
CREATE INDEX mast_zones_follows_commune ON mast_zones (follows_commune);

-- +goose StatementBegin
CREATE FUNCTION mast_zones_take_shape() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT c.geom, c.illustrative, c.accuracy_m INTO NEW.geom, NEW.illustrative, NEW.accuracy_m
    FROM (SELECT geom, illustrative, accuracy_m FROM communes
          WHERE code = NEW.follows_commune AND daterange(valid_from, valid_to) && daterange(NEW.valid_from, NEW.valid_to)
          ORDER BY valid_from LIMIT 1) c;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the zone % follows commune %, which is not there in its time', NEW.code, NEW.follows_commune
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'mast_zones_follows_commune_known';
    END IF;
    RETURN NEW;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER take_shape BEFORE INSERT OR UPDATE OF follows_commune, geom, illustrative, accuracy_m, valid_from, valid_to ON mast_zones
    FOR EACH ROW WHEN (NEW.follows_commune IS NOT NULL) EXECUTE FUNCTION mast_zones_take_shape();

-- A corrected boundary corrects the zone in the same transaction; a boundary that
-- changes in force splits the zone on the same day, so that the past keeps its shape.
-- +goose StatementBegin
CREATE FUNCTION communes_shape_zones() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    zone   mast_zones;
    change date;
BEGIN
    FOR zone IN SELECT z.* FROM mast_zones z WHERE z.follows_commune IN (SELECT code FROM new_rows) ORDER BY z.id LOOP
        FOR change IN
            SELECT c.valid_from FROM communes c
            WHERE c.code = zone.follows_commune AND c.valid_from > zone.valid_from AND (zone.valid_to IS NULL OR c.valid_from < zone.valid_to)
              AND EXISTS (SELECT FROM communes b WHERE b.code = c.code AND b.valid_to <= c.valid_from
                          AND daterange(b.valid_from, b.valid_to) && daterange(zone.valid_from, zone.valid_to))
            ORDER BY c.valid_from
        LOOP
            UPDATE mast_zones SET valid_to = change WHERE id = zone.id;
            zone.id := nextval(pg_get_serial_sequence('mast_zones', 'id'));
            zone.valid_from := change;
            zone.revision := 1;
            INSERT INTO mast_zones SELECT (zone).*;
        END LOOP;
    END LOOP;
    UPDATE mast_zones z SET geom = c.geom
    FROM communes c
    WHERE z.follows_commune IN (SELECT code FROM new_rows) AND c.code = z.follows_commune
      AND c.id = (SELECT b.id FROM communes b WHERE b.code = z.follows_commune
                  AND daterange(b.valid_from, b.valid_to) && daterange(z.valid_from, z.valid_to) ORDER BY b.valid_from LIMIT 1)
      AND (z.geom, z.illustrative, z.accuracy_m) IS DISTINCT FROM (c.geom, c.illustrative, c.accuracy_m);
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER shape_zones_insert AFTER INSERT ON communes
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION communes_shape_zones();
CREATE TRIGGER shape_zones_update AFTER UPDATE ON communes
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION communes_shape_zones();

-- Ids in a row would tell how many areas are withheld, so here they are scattered:
-- by code and time, which makes two loads alike.
-- +goose StatementBegin
CREATE FUNCTION special_areas_scatter() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.id := ('x' || substr(md5(NEW.code || '|' || NEW.valid_from), 1, 12))::bit(48)::bigint;
    RETURN NEW;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER scatter BEFORE INSERT ON special_areas FOR EACH ROW EXECUTE FUNCTION special_areas_scatter();
