-- What a server must know to turn guesses away by itself.

-- +goose Up

-- Until when each limit refuses an attempt to sign in; null for one that lets it pass.
-- +goose StatementBegin
CREATE FUNCTION hatang_sign_in_full(whose text, whence text, home boolean, span interval, of_pair int, of_network int, of_account int,
    OUT pair_until timestamptz, OUT network_until timestamptz, OUT account_until timestamptz)
LANGUAGE sql VOLATILE AS $$
    SELECT
        (SELECT at + span FROM sign_in_attempts WHERE login = whose AND network = whence AND NOT forgiven AND at > clock_timestamp() - span ORDER BY at DESC OFFSET of_pair - 1 LIMIT 1),
        (SELECT at + span FROM sign_in_attempts WHERE network = whence AND at > clock_timestamp() - span ORDER BY at DESC OFFSET of_network - 1 LIMIT 1),
        (SELECT at + span FROM sign_in_attempts WHERE NOT home AND login = whose AND NOT at_home AND at > clock_timestamp() - span ORDER BY at DESC OFFSET of_account - 1 LIMIT 1)
$$;
-- +goose StatementEnd

-- As before, and says which limits refuse. Where the account's does, it names the networks
-- in which that is at home: there, and nowhere else, it does not hold. They are null where
-- they are too many to be named.
DROP FUNCTION hatang_sign_in_begin(text, text, boolean, interval, int, int, int);
DROP FUNCTION hatang_sign_in_refused_until(text, text, boolean, interval, int, int, int);
-- +goose StatementBegin
CREATE FUNCTION hatang_sign_in_begin(whose text, whence text, home boolean, span interval, of_pair int, of_network int, of_account int,
    OUT attempt bigint, OUT refused_until timestamptz, OUT pair_until timestamptz, OUT network_until timestamptz, OUT account_until timestamptz, OUT homes text[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    most_homes constant int := 256;
BEGIN
    FOR try IN 1..2 LOOP
        SELECT f.pair_until, f.network_until, f.account_until INTO pair_until, network_until, account_until
            FROM hatang_sign_in_full(whose, whence, home, span, of_pair, of_network, of_account) f;
        refused_until := greatest(pair_until, network_until, account_until);
        IF account_until IS NOT NULL THEN
            SELECT array_agg(network::text) INTO homes FROM (
                SELECT DISTINCT s.network FROM people p JOIN sessions s ON s.person = p.id
                WHERE p.login = whose AND s.network IS NOT NULL AND s.started_at > now() - interval '30 days' LIMIT most_homes + 1) places;
            homes := CASE WHEN coalesce(cardinality(homes), 0) <= most_homes THEN coalesce(homes, '{}') END;
        END IF;
        IF refused_until IS NOT NULL THEN
            RETURN;
        END IF;
        IF try = 1 THEN -- and once more when it is its turn
            PERFORM pg_advisory_xact_lock(7140619, hashtext(whence));
            PERFORM pg_advisory_xact_lock(7140620, hashtext(whose));
        END IF;
    END LOOP;
    DELETE FROM sign_in_attempts WHERE id IN (
        SELECT id FROM sign_in_attempts WHERE at <= clock_timestamp() - span ORDER BY at LIMIT 10 FOR UPDATE SKIP LOCKED);
    INSERT INTO sign_in_attempts (login, network, at_home) VALUES (whose, whence, home) RETURNING id INTO attempt;
END
$$;
-- +goose StatementEnd
REVOKE EXECUTE ON FUNCTION hatang_sign_in_full(text, text, boolean, interval, int, int, int) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION hatang_sign_in_begin(text, text, boolean, interval, int, int, int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hatang_sign_in_begin(text, text, boolean, interval, int, int, int) TO hatang_app;

-- Where people have signed in from lately, the latest first.
CREATE INDEX sessions_started ON sessions (started_at);
