-- The tables of the mobile layers. What each column means stands in the registry, which
-- writes it as the column's comment when the schema is migrated.

-- +goose Up

CREATE TABLE bts_sites (
    LIKE feature_template INCLUDING ALL,
    status text NOT NULL
        CONSTRAINT bts_sites_status_known CHECK (status IN ('existing', 'planned', 'approved', 'draft')),
    phase text,
    mast_type text NOT NULL
        CONSTRAINT bts_sites_mast_type_known CHECK (mast_type IN ('A1a', 'A1b', 'A2a', 'A2b')),
    structure text
        CONSTRAINT bts_sites_structure_known CHECK (structure IN ('self_supporting', 'guyed', 'rooftop', 'wall', 'other')),
    concealed boolean,
    height_m double precision
        CONSTRAINT bts_sites_height_m_range CHECK (height_m >= 0 AND height_m <= 1000),
    half_width_m double precision
        CONSTRAINT bts_sites_half_width_m_range CHECK (half_width_m >= 0 AND half_width_m <= 100),
    host_building_height_m double precision
        CONSTRAINT bts_sites_host_building_height_m_range CHECK (host_building_height_m >= 0 AND host_building_height_m <= 1000),
    service_radius_m double precision
        CONSTRAINT bts_sites_service_radius_m_range CHECK (service_radius_m >= 0 AND service_radius_m <= 100000),
    technologies text[],
    commune_code text,
    geom geometry(Point, 4326) NOT NULL
);
SELECT hatang_add_layer('bts_sites');

CREATE TABLE operator_positions (
    LIKE feature_template INCLUDING ALL,
    status text NOT NULL
        CONSTRAINT operator_positions_status_known CHECK (status IN ('existing', 'planned', 'approved', 'draft')),
    phase text,
    site_code text NOT NULL,
    operator text NOT NULL,
    technologies text[],
    geom geometry(Point, 4326) NOT NULL,
    CONSTRAINT operator_positions_once_a_site EXCLUDE USING gist
        (site_code WITH =, operator WITH =, daterange(valid_from, valid_to) WITH &&)
);
SELECT hatang_add_layer('operator_positions');
CREATE INDEX operator_positions_site_code ON operator_positions (site_code);

-- +goose StatementBegin
CREATE FUNCTION bts_sites_keep_occupied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (TG_OP = 'DELETE' OR NEW.code <> OLD.code)
        AND EXISTS (SELECT FROM operator_positions p WHERE p.site_code = OLD.code
            AND daterange(p.valid_from, p.valid_to) && daterange(OLD.valid_from, OLD.valid_to)) THEN
        RAISE EXCEPTION 'operators are on site %', OLD.code
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'bts_sites_occupied', HINT = 'Remove or move their positions first.';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER keep_occupied BEFORE DELETE OR UPDATE OF code ON bts_sites
    FOR EACH ROW EXECUTE FUNCTION bts_sites_keep_occupied();
