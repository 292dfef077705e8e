-- What is asked in a proposal is the proposal's: staff who do not see it are not told of the
-- question, and ask for themselves what they would ask about any other draft. It is taken back
-- or given more time by nobody of the organisation that it is about.

-- +goose Up

DROP INDEX consultations_one_open;
CREATE UNIQUE INDEX consultations_one_open ON consultations (layer, feature, agency, coalesce(proposal, 0)) WHERE answered_at IS NULL AND withdrawn_at IS NULL;

-- The steps of the proposal end its questions, too, those of its organisation among them.
-- +goose StatementBegin
CREATE FUNCTION consultations_of_proposals() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM proposals p WHERE p.id = NEW.proposal AND hatang_of_organisation(hatang_who(), p.organisation)) THEN
        RAISE EXCEPTION 'the question is not for % to change', hatang_who() USING ERRCODE = 'HT022';
    END IF;
    RETURN NEW;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER of_proposals BEFORE UPDATE OF due_on, withdrawn_at ON consultations FOR EACH ROW
    WHEN (NEW.proposal IS NOT NULL AND NEW.answer IS NULL AND pg_trigger_depth() = 0) EXECUTE FUNCTION consultations_of_proposals();

REVOKE EXECUTE ON FUNCTION consultations_of_proposals() FROM PUBLIC;
