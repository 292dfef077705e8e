-- Moves what the generator made out of the way of the product's own tables.
CREATE SCHEMA national;
ALTER TABLE public.sites SET SCHEMA national;
ALTER TABLE public.zones SET SCHEMA national;
ALTER TABLE public.communes SET SCHEMA national;
ALTER TABLE public.districts SET SCHEMA national;
ALTER TABLE public.probes SET SCHEMA national;
DROP TABLE public.postal_points, public.fibre_routes;
DROP SCHEMA bench CASCADE;
