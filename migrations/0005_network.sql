-- The tables of the network layers. What each column means stands in the registry, which
-- writes it as the column's comment when the schema is migrated.

-- +goose Up

CREATE TABLE exchanges (
    LIKE feature_template INCLUDING ALL,
    status text NOT NULL
        CONSTRAINT exchanges_status_known CHECK (status IN ('existing', 'planned', 'approved', 'draft')),
    phase text,
    kind text NOT NULL
        CONSTRAINT exchanges_kind_known CHECK (kind IN ('host', 'satellite')),
    installed_lines bigint
        CONSTRAINT exchanges_installed_lines_range CHECK (installed_lines >= 0),
    used_lines bigint
        CONSTRAINT exchanges_used_lines_range CHECK (used_lines >= 0),
    operator text,
    commune_code text,
    geom geometry(Point, 4326) NOT NULL
);
SELECT hatang_add_layer('exchanges');

CREATE TABLE fibre_routes (
    LIKE feature_template INCLUDING ALL,
    status text NOT NULL
        CONSTRAINT fibre_routes_status_known CHECK (status IN ('existing', 'planned', 'approved', 'draft')),
    phase text,
    kind text NOT NULL
        CONSTRAINT fibre_routes_kind_known CHECK (kind IN ('interprovincial', 'intraprovincial', 'border')),
    fibres bigint
        CONSTRAINT fibre_routes_fibres_range CHECK (fibres >= 0),
    works_class text
        CONSTRAINT fibre_routes_works_class_known CHECK (works_class IN ('N1', 'N2', 'C1', 'C2', 'direct')),
    declared_length_m double precision
        CONSTRAINT fibre_routes_declared_length_m_range CHECK (declared_length_m >= 0 AND declared_length_m < 'infinity'),
    operator text,
    geom geometry(MultiLineStringZ, 4326) NOT NULL
);
SELECT hatang_add_layer('fibre_routes');

CREATE TABLE cable_segments (
    LIKE feature_template INCLUDING ALL,
    status text NOT NULL
        CONSTRAINT cable_segments_status_known CHECK (status IN ('existing', 'planned', 'approved', 'draft')),
    phase text,
    underground boolean NOT NULL DEFAULT false,
    road_class text
        CONSTRAINT cable_segments_road_class_known CHECK (road_class IN ('national', 'provincial', 'district', 'urban', 'commune', 'village')),
    medium text
        CONSTRAINT cable_segments_medium_known CHECK (medium IN ('copper', 'fibre', 'coaxial')),
    service text
        CONSTRAINT cable_segments_service_known CHECK (service IN ('telecom', 'television')),
    new_project boolean,
    fibres bigint
        CONSTRAINT cable_segments_fibres_range CHECK (fibres >= 0),
    pairs bigint
        CONSTRAINT cable_segments_pairs_range CHECK (pairs >= 0),
    declared_length_m double precision
        CONSTRAINT cable_segments_declared_length_m_range CHECK (declared_length_m >= 0 AND declared_length_m < 'infinity'),
    operator text,
    geom geometry(MultiLineStringZ, 4326) NOT NULL
);
SELECT hatang_add_layer('cable_segments');

CREATE TABLE ducts (
    LIKE feature_template INCLUDING ALL,
    status text NOT NULL
        CONSTRAINT ducts_status_known CHECK (status IN ('existing', 'planned', 'approved', 'draft')),
    phase text,
    works_class text NOT NULL
        CONSTRAINT ducts_works_class_known CHECK (works_class IN ('N1', 'N2')),
    ways bigint
        CONSTRAINT ducts_ways_range CHECK (ways >= 0),
    declared_length_m double precision
        CONSTRAINT ducts_declared_length_m_range CHECK (declared_length_m >= 0 AND declared_length_m < 'infinity'),
    operator text,
    geom geometry(MultiLineStringZ, 4326) NOT NULL
);
SELECT hatang_add_layer('ducts');

CREATE TABLE pole_lines (
    LIKE feature_template INCLUDING ALL,
    status text NOT NULL
        CONSTRAINT pole_lines_status_known CHECK (status IN ('existing', 'planned', 'approved', 'draft')),
    phase text,
    kind text NOT NULL
        CONSTRAINT pole_lines_kind_known CHECK (kind IN ('telecom', 'electric', 'lighting')),
    material text,
    pole_height_m double precision
        CONSTRAINT pole_lines_pole_height_m_range CHECK (pole_height_m >= 0 AND pole_height_m <= 100),
    poles bigint
        CONSTRAINT pole_lines_poles_range CHECK (poles >= 0),
    operator text,
    geom geometry(MultiLineStringZ, 4326) NOT NULL
);
SELECT hatang_add_layer('pole_lines');

CREATE TABLE wifi_points (
    LIKE feature_template INCLUDING ALL,
    status text NOT NULL
        CONSTRAINT wifi_points_status_known CHECK (status IN ('existing', 'planned', 'approved', 'draft')),
    phase text,
    priority_kind text
        CONSTRAINT wifi_points_priority_kind_known CHECK (priority_kind IN ('centre', 'tourism', 'public_place', 'education_administration')),
    district_code text,
    operator text,
    geom geometry(Point, 4326) NOT NULL
);
SELECT hatang_add_layer('wifi_points');

CREATE TABLE public_service_points (
    LIKE feature_template INCLUDING ALL,
    status text NOT NULL
        CONSTRAINT public_service_points_status_known CHECK (status IN ('existing', 'planned', 'approved', 'draft')),
    phase text,
    kind text NOT NULL
        CONSTRAINT public_service_points_kind_known CHECK (kind IN ('D1', 'D2')),
    services text[],
    operator text,
    commune_code text,
    geom geometry(Point, 4326) NOT NULL
);
SELECT hatang_add_layer('public_service_points');
