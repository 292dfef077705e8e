-- What the serving role may have noted of days to come, and what the audit keeps of webhooks.

-- +goose Up

-- As before, but for days so near alone that somebody is told of them by rights
-- (permit.ExpiringDays): who has the serving role's connection tells nobody of more.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION hatang_note_deadlines(days int) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF (days BETWEEN 0 AND 30) IS NOT TRUE THEN
        RAISE EXCEPTION 'deadlines are noted from 0 to 30 days before, not %', days USING ERRCODE = 'invalid_parameter_value';
    END IF;
    INSERT INTO notices (proposal, kind, day) SELECT d.id, d.kind, d.day FROM (
            SELECT id, 'overdue' AS kind, due_on AS day FROM proposals WHERE due_on < hatang_today()
            UNION ALL SELECT id, CASE WHEN expires_on < hatang_today() THEN 'not_built' ELSE 'expiring' END, expires_on FROM proposals WHERE state = 'approved' AND expires_on <= hatang_today() + days) d
        WHERE NOT EXISTS (SELECT FROM notices n WHERE (n.proposal, n.kind, n.day) = (d.id, d.kind, d.day)) ORDER BY d.id
    ON CONFLICT (proposal, kind, day) WHERE day IS NOT NULL DO NOTHING;
END
$$;

-- Decided: of an address the audit keeps the host. By its path or its query the receiver may
-- know who calls, as by a password; and the audit outlasts the webhook, and is in every backup.
CREATE OR REPLACE FUNCTION webhooks_note() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    w webhooks := coalesce(NEW, OLD);
BEGIN
    PERFORM hatang_audit('webhook.' || CASE TG_OP WHEN 'DELETE' THEN 'removed' ELSE 'set' END, 'organisation:' || w.organisation,
        jsonb_build_object('host', regexp_replace(split_part(translate(w.url, '?#\', '///'), '/', 3), '^.*@', '')));
    RETURN NULL;
END
$$;
-- +goose StatementEnd
