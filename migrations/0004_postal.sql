-- The tables of the postal layers. What each column means stands in the registry, which
-- writes it as the column's comment when the schema is migrated.

-- +goose Up

CREATE TABLE postal_points (
    LIKE feature_template INCLUDING ALL,
    status text NOT NULL
        CONSTRAINT postal_points_status_known CHECK (status IN ('existing', 'planned', 'approved', 'draft')),
    phase text,
    kind text NOT NULL
        CONSTRAINT postal_points_kind_known CHECK (kind IN ('post_office', 'commune_culture_point', 'letterbox', 'rural_point', 'agent', 'automatic_point')),
    post_office_level bigint
        CONSTRAINT postal_points_post_office_level_range CHECK (post_office_level >= 1 AND post_office_level <= 3),
    services text[],
    operator text,
    commune_code text,
    geom geometry(Point, 4326) NOT NULL
);
SELECT hatang_add_layer('postal_points');

CREATE TABLE kiosks (
    LIKE feature_template INCLUDING ALL,
    status text NOT NULL
        CONSTRAINT kiosks_status_known CHECK (status IN ('existing', 'planned', 'approved', 'draft')),
    phase text,
    operator text,
    commune_code text,
    geom geometry(Point, 4326) NOT NULL
);
SELECT hatang_add_layer('kiosks');

CREATE TABLE mail_routes (
    LIKE feature_template INCLUDING ALL,
    status text NOT NULL
        CONSTRAINT mail_routes_status_known CHECK (status IN ('existing', 'planned', 'approved', 'draft')),
    phase text,
    level bigint NOT NULL
        CONSTRAINT mail_routes_level_known CHECK (level IN (1, 2, 3)),
    operator text,
    declared_length_m double precision
        CONSTRAINT mail_routes_declared_length_m_range CHECK (declared_length_m >= 0 AND declared_length_m < 'infinity'),
    vehicle text,
    trips_per_day bigint
        CONSTRAINT mail_routes_trips_per_day_range CHECK (trips_per_day >= 0),
    geom geometry(MultiLineString, 4326) NOT NULL
);
SELECT hatang_add_layer('mail_routes');
