-- What holds a cable is said in the register, so that a cable that is filed can be judged.

-- +goose Up

ALTER TABLE fibre_routes ADD COLUMN carrier text
    CONSTRAINT fibre_routes_carrier_known CHECK (carrier IN ('duct', 'direct', 'telecom_pole', 'electric_pole', 'lighting_pole'));
ALTER TABLE cable_segments ADD COLUMN carrier text
    CONSTRAINT cable_segments_carrier_known CHECK (carrier IN ('duct', 'direct', 'telecom_pole', 'electric_pole', 'lighting_pole'));
