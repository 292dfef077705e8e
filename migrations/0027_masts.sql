-- Positions of different operators that lie beside each other and were found to be on two
-- masts: they are not proposed as one site any more, as long as they lie where they did.

-- +goose Up

CREATE TABLE masts_apart (
    position_a text NOT NULL,
    position_b text NOT NULL,
    place_a    geometry(Point, 4326) NOT NULL,
    place_b    geometry(Point, 4326) NOT NULL,
    reason     text CONSTRAINT masts_apart_reason_length CHECK (length(reason) BETWEEN 1 AND 4000),
    found_by   text NOT NULL DEFAULT hatang_who(),
    found_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (position_a, position_b),
    CONSTRAINT masts_apart_in_order CHECK (position_a < position_b)
);
COMMENT ON TABLE masts_apart IS 'Pairs of operator positions, by code, that were found to be on two masts.';

-- +goose StatementBegin
CREATE FUNCTION masts_apart_note() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    pair masts_apart := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
BEGIN
    PERFORM hatang_audit(CASE TG_OP WHEN 'DELETE' THEN 'masts.together' ELSE 'masts.apart' END, 'positions:' || pair.position_a || ',' || pair.position_b,
        jsonb_strip_nulls(jsonb_build_object('reason', pair.reason, 'place_a', ST_AsText(pair.place_a), 'place_b', ST_AsText(pair.place_b))));
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON masts_apart FOR EACH ROW EXECUTE FUNCTION masts_apart_note();

REVOKE EXECUTE ON FUNCTION masts_apart_note() FROM PUBLIC;
GRANT SELECT, DELETE, INSERT (position_a, position_b, place_a, place_b, reason), UPDATE (place_a, place_b, reason) ON masts_apart TO hatang_app;
