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
-- illustrative as that: a corrected boundary corrects the zone, in the same transaction.
CREATE INDEX mast_zones_follows_commune ON mast_zones (follows_commune);

-- +goose StatementBegin
CREATE FUNCTION mast_zones_take_shape() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.geom := coalesce((
        SELECT c.geom FROM communes c
        WHERE c.code = NEW.follows_commune
          AND daterange(c.valid_from, c.valid_to) && daterange(NEW.valid_from, NEW.valid_to)
        ORDER BY c.valid_from DESC LIMIT 1), NEW.geom);
    RETURN NEW;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER take_shape BEFORE INSERT OR UPDATE OF follows_commune ON mast_zones
    FOR EACH ROW WHEN (NEW.follows_commune IS NOT NULL) EXECUTE FUNCTION mast_zones_take_shape();

-- +goose StatementBegin
CREATE FUNCTION communes_shape_zones() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE mast_zones z SET geom = c.geom, illustrative = c.illustrative, accuracy_m = c.accuracy_m
    FROM new_rows c
    WHERE z.follows_commune = c.code
      AND daterange(z.valid_from, z.valid_to) && daterange(c.valid_from, c.valid_to)
      AND (z.geom, z.illustrative, z.accuracy_m) IS DISTINCT FROM (c.geom, c.illustrative, c.accuracy_m);
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER shape_zones_insert AFTER INSERT ON communes
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION communes_shape_zones();
CREATE TRIGGER shape_zones_update AFTER UPDATE ON communes
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION communes_shape_zones();
