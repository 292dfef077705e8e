-- Files attached to proposals, and to the answers of agencies. Attaching one is a step, so
-- that who decides on what he has read is told that there is more. What is attached stays
-- as it is: serving adds rows and nothing else.

-- +goose Up

INSERT INTO proposal_transitions (before, action, party, after) VALUES
    ('filed', 'attach', 'organisation', 'filed'), ('more_asked', 'attach', 'organisation', 'more_asked'), ('supplemented', 'attach', 'organisation', 'supplemented'),
    ('filed', 'attach', 'officer', 'filed'), ('more_asked', 'attach', 'officer', 'more_asked'), ('supplemented', 'attach', 'officer', 'supplemented'),
    ('consulting', 'attach', 'officer', 'consulting'), ('consulting', 'attach', 'agency', 'consulting');

CREATE TABLE attachments (
    id         bigint PRIMARY KEY,
    proposal   bigint NOT NULL,
    revision   bigint NOT NULL,
    agency     text REFERENCES organisations,
    name       text NOT NULL CONSTRAINT attachments_name_length CHECK (length(name) BETWEEN 1 AND 200),
    media_type text NOT NULL,
    bytes      bigint NOT NULL CONSTRAINT attachments_some_bytes CHECK (bytes > 0),
    sha256     bytea NOT NULL CONSTRAINT attachments_sha256_length CHECK (octet_length(sha256) = 32),
    UNIQUE (proposal, revision),
    UNIQUE (id, proposal, agency),
    FOREIGN KEY (proposal, revision) REFERENCES proposal_steps
);
COMMENT ON TABLE attachments IS 'Files of proposals; who attached each, as whom and when, its step says.';
COMMENT ON COLUMN attachments.agency IS 'To whose answer it belongs, for staff and that agency to see; null for one of the proposal.';

-- Nobody learns from the ids of those that he sees how many others there are.
CREATE TRIGGER identify BEFORE INSERT ON attachments FOR EACH ROW WHEN (NEW.id IS NULL) EXECUTE FUNCTION hatang_identify_hidden();

-- The bytes, 1 MiB a row but for the last. Most such files are compressed as they are.
CREATE TABLE attachment_chunks (
    attachment bigint NOT NULL REFERENCES attachments,
    number     int NOT NULL CONSTRAINT attachment_chunks_from_one CHECK (number > 0),
    bytes      bytea NOT NULL CONSTRAINT attachment_chunks_some_bytes CHECK (octet_length(bytes) BETWEEN 1 AND 1048576),
    PRIMARY KEY (attachment, number)
);
ALTER TABLE attachment_chunks ALTER bytes SET STORAGE EXTERNAL;

ALTER TABLE consultations ADD COLUMN attachment bigint,
    ADD CONSTRAINT consultations_attachment_of_the_answer FOREIGN KEY (attachment, proposal, agency) REFERENCES attachments (id, proposal, agency),
    ADD CONSTRAINT consultations_attachment_answers CHECK (attachment IS NULL OR answer IS NOT NULL AND proposal IS NOT NULL);
COMMENT ON COLUMN consultations.attachment IS 'The file of the answer; null for none.';

-- A file belongs to the step that attaches it; one of an answer to an agency that has yet to
-- give it.
-- +goose StatementBegin
CREATE FUNCTION attachments_judge() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    s proposal_steps;
BEGIN
    SELECT * INTO STRICT s FROM proposal_steps WHERE proposal = NEW.proposal AND revision = NEW.revision;
    IF s.party = 'agency' THEN
        NEW.agency := s.organisation;
    END IF;
    IF s.action <> 'attach' OR s.party = 'organisation' AND NEW.agency IS NOT NULL OR NEW.agency IS NOT NULL AND NOT EXISTS (SELECT FROM consultations c
            WHERE c.proposal = NEW.proposal AND c.agency = NEW.agency AND c.answered_at IS NULL AND c.withdrawn_at IS NULL) THEN
        RAISE EXCEPTION 'nothing is attached there' USING ERRCODE = 'HT021';
    END IF;
    RETURN NEW;
END
$$;

-- At the end of the transaction a step that attaches has its file, and a file its bytes.
CREATE FUNCTION attachments_are_whole() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    a    attachments;
    good boolean;
BEGIN
    SELECT * INTO a FROM attachments WHERE CASE TG_TABLE_NAME WHEN 'proposal_steps' THEN (proposal, revision) = ((to_jsonb(NEW) ->> 'proposal')::bigint, (to_jsonb(NEW) ->> 'revision')::bigint)
        ELSE id = (to_jsonb(NEW) ->> 'id')::bigint END;
    SELECT sum(octet_length(c.bytes)) = a.bytes AND bool_and(octet_length(c.bytes) = least(1048576, a.bytes - 1048576 * (c.number - 1::bigint)))
        AND sha256(string_agg(c.bytes, '' ORDER BY c.number)) = a.sha256 INTO good FROM attachment_chunks c WHERE c.attachment = a.id;
    IF good IS NOT TRUE THEN
        RAISE EXCEPTION 'the file is not there, or not all of it' USING ERRCODE = 'HT021';
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION attachment_chunks_judge() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF (SELECT coalesce(sum(octet_length(c.bytes)), 0) + octet_length(NEW.bytes) FROM attachment_chunks c WHERE c.attachment = NEW.attachment)
            > (SELECT bytes FROM attachments WHERE id = NEW.attachment) THEN
        RAISE EXCEPTION 'the file has all its bytes' USING ERRCODE = 'HT021';
    END IF;
    RETURN NEW;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER judge BEFORE INSERT ON attachments FOR EACH ROW EXECUTE FUNCTION attachments_judge();
CREATE TRIGGER judge BEFORE INSERT ON attachment_chunks FOR EACH ROW EXECUTE FUNCTION attachment_chunks_judge();
CREATE CONSTRAINT TRIGGER are_whole AFTER INSERT ON attachments DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION attachments_are_whole();
CREATE CONSTRAINT TRIGGER has_file AFTER INSERT ON proposal_steps DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.action = 'attach') EXECUTE FUNCTION attachments_are_whole();
CREATE TRIGGER keep BEFORE UPDATE OR DELETE OR TRUNCATE ON attachments FOR EACH STATEMENT EXECUTE FUNCTION hatang_keep_file();
CREATE TRIGGER keep BEFORE UPDATE OR DELETE OR TRUNCATE ON attachment_chunks FOR EACH STATEMENT EXECUTE FUNCTION hatang_keep_file();

REVOKE EXECUTE ON FUNCTION attachments_judge(), attachments_are_whole(), attachment_chunks_judge() FROM PUBLIC;
GRANT SELECT, INSERT (proposal, revision, agency, name, media_type, bytes, sha256) ON attachments TO hatang_app;
GRANT SELECT, INSERT ON attachment_chunks TO hatang_app;
GRANT UPDATE (attachment) ON consultations TO hatang_app;
