-- What the audit keeps of webhooks.

-- +goose Up

-- Decided: of an address the audit keeps the host. By its path or its query the receiver may
-- know who calls, as by a password; and the audit outlasts the webhook, and is in every backup.
-- +goose StatementBegin
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
