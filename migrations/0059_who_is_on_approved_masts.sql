-- Approved masts have their operators on them: that such a mast is in a proposal is said before
-- that it is occupied.

-- +goose Up

-- As before, but of masts of approved proposals, which filed_update and filed_delete keep.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION bts_sites_keep_occupied() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF (TG_OP = 'DELETE' OR NEW.code <> OLD.code) AND OLD.status <> 'draft'
        AND EXISTS (SELECT FROM operator_positions p WHERE p.site_code = OLD.code AND p.status <> 'draft'
            AND daterange(p.valid_from, p.valid_to) && daterange(OLD.valid_from, OLD.valid_to))
        AND NOT EXISTS (SELECT FROM proposal_features f JOIN proposals p ON p.id = f.proposal
            WHERE f.layer = 'bts_sites' AND f.feature = OLD.id AND p.state = 'approved') THEN
        RAISE EXCEPTION 'operators are on site %', OLD.code
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'bts_sites_occupied', HINT = 'Remove or move their positions first.';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$$;
-- +goose StatementEnd
REVOKE EXECUTE ON FUNCTION bts_sites_keep_occupied() FROM PUBLIC;
