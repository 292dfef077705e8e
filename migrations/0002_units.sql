-- The tables of the units layers. What each column means stands in the registry, which
-- writes it as the column's comment when the schema is migrated.

-- +goose Up

CREATE TABLE provinces (
    LIKE feature_template INCLUDING ALL,
    kind text,
    official_area_m2 double precision
        CONSTRAINT provinces_official_area_m2_range CHECK (official_area_m2 >= 0 AND official_area_m2 < 'infinity'),
    population bigint
        CONSTRAINT provinces_population_range CHECK (population >= 0),
    population_year bigint
        CONSTRAINT provinces_population_year_range CHECK (population_year >= 1900 AND population_year <= 2200),
    figures_source text,
    aliases text[],
    legal_basis text,
    geom geometry(MultiPolygon, 4326) NOT NULL
        CONSTRAINT provinces_geom_valid CHECK (ST_IsValid(geom))
);
SELECT hatang_add_layer('provinces');

CREATE TABLE districts (
    LIKE feature_template INCLUDING ALL,
    kind text,
    official_area_m2 double precision
        CONSTRAINT districts_official_area_m2_range CHECK (official_area_m2 >= 0 AND official_area_m2 < 'infinity'),
    population bigint
        CONSTRAINT districts_population_range CHECK (population >= 0),
    population_year bigint
        CONSTRAINT districts_population_year_range CHECK (population_year >= 1900 AND population_year <= 2200),
    figures_source text,
    aliases text[],
    legal_basis text,
    province_code text,
    geom geometry(MultiPolygon, 4326) NOT NULL
        CONSTRAINT districts_geom_valid CHECK (ST_IsValid(geom))
);
SELECT hatang_add_layer('districts');

CREATE TABLE communes (
    LIKE feature_template INCLUDING ALL,
    kind text,
    official_area_m2 double precision
        CONSTRAINT communes_official_area_m2_range CHECK (official_area_m2 >= 0 AND official_area_m2 < 'infinity'),
    population bigint
        CONSTRAINT communes_population_range CHECK (population >= 0),
    population_year bigint
        CONSTRAINT communes_population_year_range CHECK (population_year >= 1900 AND population_year <= 2200),
    figures_source text,
    aliases text[],
    legal_basis text,
    district_code text,
    province_code text,
    urban boolean,
    geom geometry(MultiPolygon, 4326) NOT NULL
        CONSTRAINT communes_geom_valid CHECK (ST_IsValid(geom))
);
SELECT hatang_add_layer('communes');
