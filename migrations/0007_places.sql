-- The tables of the places layers. What each column means stands in the registry, which
-- writes it as the column's comment when the schema is migrated.

-- +goose Up

CREATE TABLE settlements (
    LIKE feature_template INCLUDING ALL,
    population bigint
        CONSTRAINT settlements_population_range CHECK (population >= 0),
    households bigint
        CONSTRAINT settlements_households_range CHECK (households >= 0),
    commune_code text,
    geom geometry(Point, 4326) NOT NULL
);
SELECT hatang_add_layer('settlements');

CREATE TABLE commune_centres (
    LIKE feature_template INCLUDING ALL,
    commune_code text,
    geom geometry(Point, 4326) NOT NULL
);
SELECT hatang_add_layer('commune_centres');

CREATE TABLE roads (
    LIKE feature_template INCLUDING ALL,
    road_class text NOT NULL
        CONSTRAINT roads_road_class_known CHECK (road_class IN ('national', 'provincial', 'district', 'urban', 'commune', 'village')),
    urban boolean,
    works text
        CONSTRAINT roads_works_known CHECK (works IN ('none', 'new', 'renovation', 'widening')),
    geom geometry(MultiLineString, 4326) NOT NULL
);
SELECT hatang_add_layer('roads');
