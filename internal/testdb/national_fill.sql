-- Fills the product's register from the generator's tables: the same rows every time.
-- Every row is in force on 2025-06-30. psql variable: rules, the file of the rule set.

-- Without the history of half a million inserts, and what else triggers do.
SET session_replication_role = replica;

-- Without the guards against two versions of one day: half a million look-ups, two
-- minutes, for what the generator cannot get wrong. No reading uses them.
ALTER TABLE bts_sites DROP CONSTRAINT bts_sites_code_once_a_day;
ALTER TABLE operator_positions DROP CONSTRAINT operator_positions_code_once_a_day, DROP CONSTRAINT operator_positions_once_a_site;

INSERT INTO provinces (code, name, valid_from, jurisdiction, source, geom)
SELECT '11', 'Cả nước', '2010-01-01', '11', 'generator', ST_Multi(ST_Union(geom)) FROM national.districts;

INSERT INTO districts (id, code, name, valid_from, jurisdiction, source, population, province_code, geom)
SELECT id, code, name, '2010-01-01', '11', 'generator', population, '11', geom FROM national.districts ORDER BY id;

INSERT INTO communes (id, code, name, valid_from, jurisdiction, source, kind, population, district_code, province_code, urban, geom)
SELECT c.id, c.code, c.name, '2010-01-01', '11', 'generator', c.kind, c.population, d.code, '11', c.kind <> 'xã', c.geom
FROM national.communes c JOIN national.districts d ON d.id = c.district_id ORDER BY c.id;

-- The demo's classes by what they allow: A1b alone, A1a and A1b, all, all.
INSERT INTO mast_zones (id, code, name, valid_from, jurisdiction, source, zone_class, geom)
SELECT id, code, name, '2016-01-01', '11', 'generator',
    CASE kind WHEN 'forbidden' THEN 'a' WHEN 'restricted' THEN 'b' WHEN 'conditional' THEN 'd' ELSE 'dd' END, ST_Multi(geom)
FROM national.zones ORDER BY id;

INSERT INTO special_areas (id, code, name, valid_from, jurisdiction, source, kind, max_height_m, geom)
SELECT ('x' || substr(md5('K' || id || '|2016-01-01'), 1, 12))::bit(48)::bigint, 'K' || id, 'Khu vực ' || id, '2016-01-01', '11', 'generator',
    (ARRAY['border_belt', 'military', 'aviation_surface', 'support_area'])[1 + id % 4], CASE WHEN id % 4 = 2 THEN 45 END,
    ST_Multi(ST_Buffer(ST_Centroid(geom), 0.05, 30))
FROM national.zones WHERE id <= 40 ORDER BY id;

-- What is dismantled stands until 2026.
CREATE TEMPORARY VIEW masts AS
SELECT id, code, name, operators, mast_type, height, phase, geom,
    CASE status WHEN 'planned' THEN 'planned' WHEN 'licensed' THEN 'approved' ELSE 'existing' END AS status,
    CASE status WHEN 'dismantled' THEN date '2026-01-01' END AS valid_to
FROM national.sites;

INSERT INTO bts_sites (id, code, name, valid_from, valid_to, jurisdiction, source, status, phase, mast_type, structure, concealed, height_m, service_radius_m, technologies, geom)
SELECT id, code, name, '2016-01-01', valid_to, '11', 'generator', status, 'P' || least(phase, 2), mast_type,
    CASE WHEN mast_type <> 'A2b' THEN 'rooftop' WHEN id % 5 = 0 THEN 'guyed' ELSE 'self_supporting' END, mast_type = 'A1b', height, 2000, '{4G}', geom
FROM masts ORDER BY id;

INSERT INTO operator_positions (id, code, name, valid_from, valid_to, jurisdiction, owner_organisation, source, status, phase, site_code, operator, technologies, geom)
SELECT nextval('operator_positions_id_seq'), m.code || '-' || o.code, m.name, '2016-01-01', m.valid_to, '11', o.code, 'generator', m.status, 'P' || least(m.phase, 2), m.code, o.code, '{4G}', m.geom
FROM masts m CROSS JOIN LATERAL unnest(m.operators) AS n
CROSS JOIN LATERAL (SELECT (ARRAY['VNPT', 'MOBIFONE', 'VIETTEL', 'VIETNAMOBILE', 'SFONE'])[n] AS code) o ORDER BY m.id, n;

\set body `cat :'rules'`
INSERT INTO rule_sets (id, version, plan, jurisdiction, valid_from, state, body, published_at)
SELECT r->>'id', 1, 'national', '11', '2016-01-01', 'published', convert_to(:'body', 'UTF8'), '2016-01-01' FROM (SELECT (:'body')::jsonb AS r) b;

SELECT setval(pg_get_serial_sequence(t, 'id'), 1000000)
FROM unnest(ARRAY['districts', 'communes', 'mast_zones', 'bts_sites']) AS t;

VACUUM ANALYZE;
