-- Verdicts that are recorded: numbered, signed and never changed. A row is what its signed
-- text says; the columns beside it are taken from that, for questions to be asked of them.

-- +goose Up

CREATE TABLE signing_keys (
    id          text PRIMARY KEY CONSTRAINT signing_keys_id_form CHECK (id ~ '^[A-Za-z0-9_-]{43}$'),
    public_key  bytea NOT NULL UNIQUE CONSTRAINT signing_keys_public_key_length CHECK (octet_length(public_key) = 32),
    valid_from  timestamptz NOT NULL DEFAULT now(),
    valid_until timestamptz CONSTRAINT signing_keys_time_in_order CHECK (valid_until >= valid_from)
);
COMMENT ON TABLE signing_keys IS 'Ed25519 keys by which verdicts are signed: their public halves. The private ones are files of the servers.';
COMMENT ON COLUMN signing_keys.id IS 'Thumbprint of the key as a JWK (RFC 7638).';
COMMENT ON COLUMN signing_keys.valid_until IS 'Nothing is signed by it from then on; null for the one in use. What was signed before goes on being verified.';

-- +goose StatementBegin
CREATE FUNCTION signing_keys_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'UPDATE' OR (NEW.id, NEW.public_key, NEW.valid_from) IS DISTINCT FROM (OLD.id, OLD.public_key, OLD.valid_from) OR OLD.valid_until IS NOT NULL THEN
        RAISE EXCEPTION 'signing keys stay, and end once' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE FUNCTION signing_keys_audit() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM hatang_audit('signing_key.' || CASE TG_OP WHEN 'INSERT' THEN 'added' ELSE 'ended' END, 'signing-key:' || NEW.id, jsonb_build_object('public_key', encode(NEW.public_key, 'hex')));
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON signing_keys FOR EACH ROW EXECUTE FUNCTION signing_keys_keep();
CREATE TRIGGER keep_all BEFORE TRUNCATE ON signing_keys FOR EACH STATEMENT EXECUTE FUNCTION signing_keys_keep();
CREATE TRIGGER audit AFTER INSERT OR UPDATE ON signing_keys FOR EACH ROW EXECUTE FUNCTION signing_keys_audit();

CREATE TABLE verdicts (
    number      text PRIMARY KEY CONSTRAINT verdicts_number_form CHECK (number ~ '^V-[0-9]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}$'),
    kind        text NOT NULL CONSTRAINT verdicts_kind_known CHECK (kind IN ('placement', 'cable')),
    verdict     text NOT NULL CONSTRAINT verdicts_verdict_known CHECK (verdict IN ('permitted', 'conditional', 'undetermined', 'refused')),
    date        date NOT NULL,
    known_at    timestamptz NOT NULL,
    rule_set    text,
    proposal    bigint REFERENCES proposals,
    asked_by    text NOT NULL,
    snapshot    pg_snapshot NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    body        text NOT NULL,
    basis       text NOT NULL,
    key         text NOT NULL REFERENCES signing_keys,
    signature   bytea NOT NULL CONSTRAINT verdicts_signature_length CHECK (octet_length(signature) = 64)
);
COMMENT ON TABLE verdicts IS 'Verdicts as they were given; rows are added and never changed.';
COMMENT ON COLUMN verdicts.number IS 'Random, for nobody to learn from his own how many others there are, or to try others''.';
COMMENT ON COLUMN verdicts.known_at IS 'The record time by which it was judged: the question at that time gives the same verdict.';
COMMENT ON COLUMN verdicts.rule_set IS 'Id and version, ID@VERSION; null where no rule set was in force.';
COMMENT ON COLUMN verdicts.snapshot IS 'The transactions that were part of the register then. Those that had begun and not ended were not.';
COMMENT ON COLUMN verdicts.body IS 'What is signed: JSON, canonical as in RFC 8785.';
COMMENT ON COLUMN verdicts.basis IS 'Who asked, as whom it was judged, and the snapshot; the body holds its SHA-256.';
CREATE INDEX verdicts_known_at ON verdicts (known_at);
CREATE INDEX verdicts_proposal ON verdicts (proposal) WHERE proposal IS NOT NULL;

-- Takes the columns from what is signed. HT030: the key is not in use; waits for one that is
-- just being ended.
-- +goose StatementBegin
CREATE FUNCTION verdicts_take() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    said  jsonb := NEW.body::jsonb;
    basis jsonb := NEW.basis::jsonb;
BEGIN
    PERFORM FROM signing_keys WHERE id = NEW.key AND valid_until IS NULL FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the signing key % is not in use', NEW.key USING ERRCODE = 'HT030';
    END IF;
    NEW.number := said ->> 'number';
    NEW.kind := said ->> 'kind';
    NEW.verdict := said #>> '{answer,verdict}';
    NEW.date := (said ->> 'date')::date;
    NEW.known_at := (said ->> 'known_at')::timestamptz;
    NEW.rule_set := (said #>> '{rule_set,id}') || '@' || (said #>> '{rule_set,version}');
    NEW.proposal := (said ->> 'proposal')::bigint;
    NEW.asked_by := hatang_who();
    NEW.snapshot := (basis ->> 'snapshot')::pg_snapshot;
    NEW.recorded_at := now();
    IF said ->> 'basis_sha256' IS DISTINCT FROM encode(sha256(convert_to(NEW.basis, 'UTF8')), 'hex') OR basis ->> 'asked_by' IS DISTINCT FROM NEW.asked_by
        OR NEW.known_at NOT BETWEEN now() - interval '1 hour' AND clock_timestamp() THEN
        RAISE EXCEPTION 'the verdict is not of its basis' USING ERRCODE = 'HT021';
    END IF;
    RETURN NEW;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER take BEFORE INSERT ON verdicts FOR EACH ROW EXECUTE FUNCTION verdicts_take();
CREATE TRIGGER keep BEFORE UPDATE OR DELETE OR TRUNCATE ON verdicts FOR EACH STATEMENT EXECUTE FUNCTION hatang_keep_file();

REVOKE EXECUTE ON FUNCTION signing_keys_keep(), signing_keys_audit(), verdicts_take() FROM PUBLIC;
GRANT SELECT ON signing_keys, verdicts TO hatang_app;
GRANT SELECT ON signing_keys TO hatang_read;
GRANT SELECT (known_at, snapshot) ON verdicts TO hatang_read;
GRANT INSERT (body, basis, key, signature) ON verdicts TO hatang_app;
