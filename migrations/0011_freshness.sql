-- Servers that keep facts in memory ask the history which rows the transactions
-- changed that they have not seen yet.

-- +goose Up

CREATE INDEX history_xid ON history (xid);

-- When a rule set was published and when its end was set: for the register as it was
-- known at a time. The time is the transaction's, as in the history.
ALTER TABLE rule_sets ADD COLUMN ended_at timestamptz;
COMMENT ON COLUMN rule_sets.ended_at IS 'When valid_to was set after publication; null where it was published with it or is open.';

-- +goose StatementBegin
CREATE FUNCTION rule_sets_note_times() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state = 'published' AND NEW.published_at IS NULL THEN
        NEW.published_at := now();
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.state = 'published' AND NEW.valid_to IS DISTINCT FROM OLD.valid_to THEN
        NEW.ended_at := now();
    END IF;
    RETURN NEW;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER note_times BEFORE INSERT OR UPDATE ON rule_sets FOR EACH ROW EXECUTE FUNCTION rule_sets_note_times();

-- Zones whose edge is so poorly known that they matter far away: few, if any.
CREATE INDEX mast_zones_poor ON mast_zones (accuracy_m) WHERE NOT illustrative AND accuracy_m > 2900;
