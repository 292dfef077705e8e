-- Notices of what becomes of proposals. What there is to tell is a row of the transaction that
-- makes it so, by whatever path; servers find out afterwards whom to tell, and tell them.

-- +goose Up

ALTER TABLE people ADD COLUMN notices boolean NOT NULL DEFAULT true,
    ADD COLUMN language text NOT NULL DEFAULT 'vi' CONSTRAINT people_language_known CHECK (language IN ('vi', 'en'));
COMMENT ON COLUMN people.notices IS 'Whether the person is sent notices by mail.';
GRANT UPDATE (notices, language) ON people TO hatang_app;

CREATE TABLE webhooks (
    organisation text PRIMARY KEY REFERENCES organisations,
    url          text NOT NULL CONSTRAINT webhooks_url_https CHECK (url LIKE 'https://%' AND length(url) <= 2000),
    secret       bytea NOT NULL CONSTRAINT webhooks_secret_length CHECK (octet_length(secret) = 32),
    set_by       text NOT NULL DEFAULT hatang_who(),
    set_at       timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE webhooks IS 'Where programs of organisations are told, and the secret by which they know that it is we.';

-- +goose StatementBegin
CREATE FUNCTION webhooks_note() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    w webhooks := coalesce(NEW, OLD);
BEGIN
    PERFORM hatang_audit('webhook.' || CASE TG_OP WHEN 'DELETE' THEN 'removed' ELSE 'set' END, 'organisation:' || w.organisation, jsonb_build_object('url', w.url));
    RETURN NULL;
END
$$;
CREATE FUNCTION webhooks_sign() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.set_by := hatang_who();
    NEW.set_at := now();
    RETURN NEW;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER sign BEFORE UPDATE ON webhooks FOR EACH ROW EXECUTE FUNCTION webhooks_sign();
CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON webhooks FOR EACH ROW EXECUTE FUNCTION webhooks_note();

CREATE TABLE notices (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    proposal  bigint NOT NULL REFERENCES proposals,
    kind      text NOT NULL CONSTRAINT notices_kind_known CHECK (kind IN ('filed', 'supplemented', 'withdrawn', 'more_asked', 'approved', 'refused', 'renewed', 'expired', 'built',
        'consulted', 'answered', 'overdue', 'expiring', 'not_built')),
    revision  bigint,
    agency    text REFERENCES organisations,
    day       date,
    made_at   timestamptz NOT NULL DEFAULT now(),
    spread_at timestamptz
);
COMMENT ON TABLE notices IS 'What there is to tell of proposals.';
COMMENT ON COLUMN notices.revision IS 'Of the step; null where it is none.';
COMMENT ON COLUMN notices.agency IS 'That is asked, or has answered.';
COMMENT ON COLUMN notices.day IS 'The day that is near, or past.';
COMMENT ON COLUMN notices.spread_at IS 'Since when it is known whom to tell: notice_deliveries.';
CREATE UNIQUE INDEX notices_deadlines ON notices (proposal, kind, day) WHERE day IS NOT NULL;
CREATE INDEX notices_to_spread ON notices (id) WHERE spread_at IS NULL;

CREATE TABLE notice_deliveries (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    notice       bigint NOT NULL REFERENCES notices,
    person       bigint REFERENCES people,
    organisation text REFERENCES organisations,
    party        text NOT NULL CONSTRAINT notice_deliveries_party_known CHECK (party IN ('organisation', 'officer', 'agency')),
    message      uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    state        text NOT NULL DEFAULT 'waiting' CONSTRAINT notice_deliveries_state_known CHECK (state IN ('waiting', 'delivered', 'failed', 'dropped')),
    attempts     int NOT NULL DEFAULT 0,
    due_at       timestamptz NOT NULL DEFAULT now(),
    lease        uuid,
    leased_until timestamptz,
    error        text,
    ended_at     timestamptz,
    CONSTRAINT notice_deliveries_to_one CHECK (num_nonnulls(person, organisation) = 1),
    CONSTRAINT notice_deliveries_ended CHECK ((state = 'waiting') = (ended_at IS NULL)),
    UNIQUE (notice, person),
    UNIQUE (notice, organisation)
);
COMMENT ON TABLE notice_deliveries IS 'Who is told a notice: a person by mail, an organisation by its webhook.';
COMMENT ON COLUMN notice_deliveries.party IS 'As whom; who is none of these any more when it is sent is not told.';
COMMENT ON COLUMN notice_deliveries.message IS 'By which receivers know one that comes twice.';
COMMENT ON COLUMN notice_deliveries.lease IS 'Of the server that sends it, until leased_until.';
COMMENT ON COLUMN notice_deliveries.error IS 'Why it was not delivered at the last attempt.';
CREATE INDEX notice_deliveries_due ON notice_deliveries (due_at, id) WHERE state = 'waiting';

-- What has ended stays so: nothing is sent again.
-- +goose StatementBegin
CREATE FUNCTION notice_deliveries_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state <> 'waiting' THEN
        RAISE EXCEPTION 'the notice is %', OLD.state USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION notices_of_steps() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO notices (proposal, kind, revision) VALUES (NEW.proposal, CASE NEW.action WHEN 'renew' THEN 'renewed' ELSE NEW.after END, NEW.revision);
    RETURN NULL;
END
$$;

CREATE FUNCTION notices_of_questions() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO notices (proposal, kind, agency) SELECT DISTINCT proposal, 'consulted', agency FROM new_rows WHERE proposal IS NOT NULL ORDER BY 1, 3;
    RETURN NULL;
END
$$;

CREATE FUNCTION notices_of_answers() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO notices (proposal, kind, agency) SELECT DISTINCT n.proposal, 'answered', n.agency FROM new_rows n JOIN old_rows o USING (id)
        WHERE n.proposal IS NOT NULL AND o.answered_at IS NULL AND n.answered_at IS NOT NULL ORDER BY 1, 3;
    RETURN NULL;
END
$$;

-- Notes which days are past, and which are so near; each once.
CREATE FUNCTION hatang_note_deadlines(days int) RETURNS void LANGUAGE sql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO notices (proposal, kind, day) SELECT d.id, d.kind, d.day FROM (
            SELECT id, 'overdue' AS kind, due_on AS day FROM proposals WHERE due_on < hatang_today()
            UNION ALL SELECT id, CASE WHEN expires_on < hatang_today() THEN 'not_built' ELSE 'expiring' END, expires_on FROM proposals WHERE state = 'approved' AND expires_on <= hatang_today() + days) d
        WHERE NOT EXISTS (SELECT FROM notices n WHERE (n.proposal, n.kind, n.day) = (d.id, d.kind, d.day)) ORDER BY d.id
    ON CONFLICT (proposal, kind, day) WHERE day IS NOT NULL DO NOTHING
$$;
-- +goose StatementEnd
CREATE INDEX proposals_expiring ON proposals (expires_on) WHERE state = 'approved';
CREATE TRIGGER ended BEFORE UPDATE ON notice_deliveries FOR EACH ROW EXECUTE FUNCTION notice_deliveries_end();
CREATE TRIGGER tell AFTER INSERT ON proposal_steps FOR EACH ROW WHEN (NEW.action NOT IN ('consult', 'answer', 'attach')) EXECUTE FUNCTION notices_of_steps();
CREATE TRIGGER tell AFTER INSERT ON consultations REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION notices_of_questions();
CREATE TRIGGER tell_answers AFTER UPDATE ON consultations REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION notices_of_answers();

REVOKE EXECUTE ON FUNCTION webhooks_note(), webhooks_sign(), notice_deliveries_end(), notices_of_steps(), notices_of_questions(), notices_of_answers(), hatang_note_deadlines(int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hatang_note_deadlines(int) TO hatang_app;
GRANT SELECT, DELETE, INSERT (organisation, url, secret), UPDATE (url, secret) ON webhooks TO hatang_app;
GRANT SELECT, UPDATE (spread_at) ON notices TO hatang_app;
GRANT SELECT, INSERT (notice, person, organisation, party), UPDATE (state, attempts, due_at, lease, leased_until, error, ended_at) ON notice_deliveries TO hatang_app;
