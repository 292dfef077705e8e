-- What all servers of a register share to keep limits: attempts to sign in are counted
-- together, and the audit is proved a piece at a time.

-- +goose Up

-- Attempts to sign in by password that count: those under way and those that failed. A
-- crash forgets them, as their window does a quarter of an hour later.
CREATE UNLOGGED TABLE sign_in_attempts (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    login    text NOT NULL,
    network  text NOT NULL,
    at_home  boolean NOT NULL,
    forgiven boolean NOT NULL DEFAULT false,
    at       timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON COLUMN sign_in_attempts.login IS 'As accounts are named; one name for all that can be nobody''s.';
COMMENT ON COLUMN sign_in_attempts.at_home IS 'From where the account has signed in lately: it does not count for the account elsewhere.';
COMMENT ON COLUMN sign_in_attempts.forgiven IS 'The account has signed in from there since: it counts for the network and the account, not for the two together.';
CREATE INDEX sign_in_attempts_pair ON sign_in_attempts (login, network, at) WHERE NOT forgiven;
CREATE INDEX sign_in_attempts_network ON sign_in_attempts (network, at);
CREATE INDEX sign_in_attempts_account ON sign_in_attempts (login, at) WHERE NOT at_home;
CREATE INDEX sign_in_attempts_at ON sign_in_attempts (at);

-- Until when an attempt is refused; null where it is let pass.
-- +goose StatementBegin
CREATE FUNCTION hatang_sign_in_refused_until(whose text, whence text, home boolean, span interval, of_pair int, of_network int, of_account int) RETURNS timestamptz
LANGUAGE sql VOLATILE AS $$
    SELECT max(at) + span FROM (
        (SELECT at FROM sign_in_attempts WHERE login = whose AND network = whence AND NOT forgiven AND at > clock_timestamp() - span ORDER BY at DESC OFFSET of_pair - 1 LIMIT 1)
        UNION ALL
        (SELECT at FROM sign_in_attempts WHERE network = whence AND at > clock_timestamp() - span ORDER BY at DESC OFFSET of_network - 1 LIMIT 1)
        UNION ALL
        (SELECT at FROM sign_in_attempts WHERE NOT home AND login = whose AND NOT at_home AND at > clock_timestamp() - span ORDER BY at DESC OFFSET of_account - 1 LIMIT 1)) full_ones
$$;
-- +goose StatementEnd

-- Counts an attempt that is let pass, and returns its number; else until when the next is
-- refused too. Many that come at once are counted one after the other, those that are
-- refused keep nobody waiting. Each that is counted clears away more that do not count
-- any more.
-- +goose StatementBegin
CREATE FUNCTION hatang_sign_in_begin(whose text, whence text, home boolean, span interval, of_pair int, of_network int, of_account int,
    OUT attempt bigint, OUT refused_until timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    refused_until := hatang_sign_in_refused_until(whose, whence, home, span, of_pair, of_network, of_account);
    IF refused_until IS NOT NULL THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(7140619, hashtext(whence));
    PERFORM pg_advisory_xact_lock(7140620, hashtext(whose));
    refused_until := hatang_sign_in_refused_until(whose, whence, home, span, of_pair, of_network, of_account);
    IF refused_until IS NOT NULL THEN
        RETURN;
    END IF;
    DELETE FROM sign_in_attempts WHERE id IN (
        SELECT id FROM sign_in_attempts WHERE at <= clock_timestamp() - span ORDER BY at LIMIT 10 FOR UPDATE SKIP LOCKED);
    INSERT INTO sign_in_attempts (login, network, at_home) VALUES (whose, whence, home) RETURNING id INTO attempt;
END
$$;
-- +goose StatementEnd

-- An attempt that did not fail does not count; after one that succeeded the earlier ones
-- of the account from there are forgiven.
-- +goose StatementBegin
CREATE FUNCTION hatang_sign_in_end(attempt bigint, succeeded boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    ended sign_in_attempts;
BEGIN
    SELECT * INTO ended FROM sign_in_attempts WHERE id = attempt;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(7140620, hashtext(ended.login));
    DELETE FROM sign_in_attempts WHERE id = attempt;
    IF succeeded THEN
        UPDATE sign_in_attempts SET forgiven = true WHERE login = ended.login AND network = ended.network AND NOT forgiven;
    END IF;
END
$$;
-- +goose StatementEnd

-- Where a person has signed in from: an IPv4 address or an IPv6 /64, null for what is no
-- address. Generated, so that sessions of before have it and no trigger is fired.
ALTER TABLE sessions ADD COLUMN network cidr GENERATED ALWAYS AS (
    CASE WHEN address ~ '^[0-9]+(\.[0-9]+){3}$' THEN network(set_masklen(address::inet, 32))
        WHEN address ~ '^[0-9a-f]*(:[0-9a-f]*)+$' THEN network(set_masklen(address::inet, 64)) END) STORED;
CREATE INDEX sessions_home ON sessions (person, network, started_at);

-- As hatang_audit_broken_at, of at most so many entries behind one whose hash is known
-- from before, 0 for the beginning. Where nothing is broken, what was proved is returned,
-- to go on from.
-- +goose StatementBegin
CREATE FUNCTION hatang_audit_broken_after(known_id bigint, known_hash bytea, most int,
    OUT broken_at bigint, OUT proved_id bigint, OUT proved_hash bytea)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    head audit_head;
    n    bigint;
BEGIN
    known_hash := CASE WHEN known_id = 0 THEN sha256('hatang') ELSE known_hash END;
    IF known_id > 0 AND NOT EXISTS (SELECT FROM audit WHERE id = known_id AND hash = known_hash) THEN
        broken_at := known_id;
        RETURN;
    END IF;
    SELECT count(*), min(number) FILTER (WHERE broken), max(id), (array_agg(hash ORDER BY id DESC))[1] INTO n, broken_at, proved_id, proved_hash FROM (
        SELECT a.id, a.hash, known_id + row_number() OVER w AS number, a.id <> known_id + row_number() OVER w
            OR a.hash <> hatang_audit_hash(coalesce(lag(a.hash) OVER w, known_hash), a.row) AS broken
        FROM (SELECT a.id, a.hash, a AS row FROM audit a WHERE known_id = 0 OR id > known_id ORDER BY id LIMIT most) a WINDOW w AS (ORDER BY id)) entries;
    proved_id := coalesce(proved_id, known_id);
    proved_hash := coalesce(proved_hash, known_hash);
    IF broken_at IS NULL AND n < most THEN
        SELECT * INTO head FROM audit_head;
        IF NOT FOUND THEN
            broken_at := 1;
        ELSIF (head.id, head.hash) IS DISTINCT FROM (proved_id, proved_hash) THEN
            broken_at := least(head.id, proved_id) + 1;
        END IF;
    END IF;
END
$$;
-- +goose StatementEnd

REVOKE EXECUTE ON FUNCTION hatang_sign_in_refused_until(text, text, boolean, interval, int, int, int) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION hatang_sign_in_begin(text, text, boolean, interval, int, int, int) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION hatang_sign_in_end(bigint, boolean) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION hatang_audit_broken_after(bigint, bytea, int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hatang_sign_in_begin(text, text, boolean, interval, int, int, int), hatang_sign_in_end(bigint, boolean),
    hatang_audit_broken_after(bigint, bytea, int) TO hatang_app;
