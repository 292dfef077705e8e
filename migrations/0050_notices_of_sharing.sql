-- Notices of requests to share, noted as those of proposals are. What could not be delivered
-- is sent again when an administrator says so. Organisations attach files while agencies are
-- asked, too.

-- +goose Up

INSERT INTO proposal_transitions (before, action, party, after) VALUES ('consulting', 'attach', 'organisation', 'consulting');

ALTER TABLE notices
    ALTER proposal DROP NOT NULL,
    ADD COLUMN sharing text REFERENCES sharing_requests,
    ADD CONSTRAINT notices_about_one CHECK (num_nonnulls(proposal, sharing) = 1),
    DROP CONSTRAINT notices_kind_known,
    ADD CONSTRAINT notices_kind_known CHECK (CASE WHEN sharing IS NULL
        THEN kind IN ('filed', 'supplemented', 'withdrawn', 'more_asked', 'approved', 'refused', 'renewed', 'expired', 'built', 'consulted', 'answered', 'overdue', 'expiring', 'not_built')
        ELSE kind IN ('sharing_asked', 'sharing_accepted', 'sharing_declined', 'sharing_mediation', 'sharing_agreed', 'sharing_refused', 'sharing_withdrawn', 'sharing_due', 'sharing_overdue') END);
COMMENT ON TABLE notices IS 'What there is to tell of proposals and of requests to share.';
COMMENT ON COLUMN notices.sharing IS 'The request to share that it is about; null for a proposal.';
CREATE UNIQUE INDEX notices_deadlines_of_sharing ON notices (sharing, kind, day) WHERE day IS NOT NULL;
CREATE INDEX sharing_requests_due ON sharing_requests (due_on) WHERE due_on IS NOT NULL;

ALTER TABLE notice_deliveries DROP CONSTRAINT notice_deliveries_party_known,
    ADD CONSTRAINT notice_deliveries_party_known CHECK (party IN ('organisation', 'officer', 'agency', 'asker', 'partner'));

-- What has ended stays so, but that what failed may be sent again, from the first attempt on.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION notice_deliveries_end() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF OLD.state = 'failed' AND (NEW.state, NEW.attempts) = ('waiting', 0) THEN
        PERFORM hatang_audit('notice.again', 'notice:' || OLD.id, jsonb_build_object('message', OLD.message, 'attempts', OLD.attempts));
    ELSIF OLD.state <> 'waiting' THEN
        RAISE EXCEPTION 'the notice is %', OLD.state USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION notices_of_shares() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO notices (sharing, kind, revision) VALUES (NEW.request, 'sharing_' || NEW.after, NEW.revision);
    RETURN NULL;
END
$$;

-- Notes which days are past, and which are so near; each once. The days of requests to share
-- are those of the server's reference date. For days so near alone that somebody is told of
-- them by rights (permit.ExpiringDays, permit.ShareDueDays): who has the serving role's
-- connection has nobody told of more.
DROP FUNCTION hatang_note_deadlines(int);
CREATE FUNCTION hatang_note_deadlines(expiring_days int, sharing_days int, today date) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF (expiring_days BETWEEN 0 AND 30 AND sharing_days BETWEEN 0 AND 3 AND isfinite(today)) IS NOT TRUE THEN
        RAISE EXCEPTION 'deadlines are noted from 0 to 30 days before, those of sharing from 0 to 3, not % and % on %', expiring_days, sharing_days, today USING ERRCODE = 'invalid_parameter_value';
    END IF;
    INSERT INTO notices (proposal, kind, day) SELECT d.id, d.kind, d.day FROM (
            SELECT id, 'overdue' AS kind, due_on AS day FROM proposals WHERE due_on < hatang_today()
            UNION ALL SELECT id, CASE WHEN expires_on < hatang_today() THEN 'not_built' ELSE 'expiring' END, expires_on FROM proposals WHERE state = 'approved' AND expires_on <= hatang_today() + expiring_days) d
        WHERE NOT EXISTS (SELECT FROM notices n WHERE (n.proposal, n.kind, n.day) = (d.id, d.kind, d.day)) ORDER BY d.id
    ON CONFLICT (proposal, kind, day) WHERE day IS NOT NULL DO NOTHING;
    INSERT INTO notices (sharing, kind, day) SELECT d.number, d.kind, d.due_on FROM (
            SELECT number, CASE WHEN due_on < today THEN 'sharing_overdue' ELSE 'sharing_due' END AS kind, due_on FROM sharing_requests WHERE due_on <= today + sharing_days) d
        WHERE NOT EXISTS (SELECT FROM notices n WHERE (n.sharing, n.kind, n.day) = (d.number, d.kind, d.due_on)) ORDER BY d.number
    ON CONFLICT (sharing, kind, day) WHERE day IS NOT NULL DO NOTHING;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER tell AFTER INSERT ON sharing_steps FOR EACH ROW EXECUTE FUNCTION notices_of_shares();

REVOKE EXECUTE ON FUNCTION notices_of_shares(), hatang_note_deadlines(int, int, date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hatang_note_deadlines(int, int, date) TO hatang_app;
