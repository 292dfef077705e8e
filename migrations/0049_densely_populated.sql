-- Densely populated areas are drawn by officers: rules of structure, spacing and sharing name them.

-- +goose Up

ALTER TABLE special_areas DROP CONSTRAINT special_areas_kind_known;
ALTER TABLE special_areas ADD CONSTRAINT special_areas_kind_known
    CHECK (kind IN ('border_belt', 'military', 'aviation_surface', 'support_area', 'densely_populated'));
