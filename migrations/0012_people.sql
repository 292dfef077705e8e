-- People, what they and keys may do, how they sign in, and the audit of all that.

-- +goose Up

CREATE TABLE people (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    login        text NOT NULL UNIQUE CONSTRAINT people_login_form CHECK (login <> '' AND login = lower(btrim(login))),
    name         text NOT NULL CONSTRAINT people_name_not_blank CHECK (btrim(name) <> ''),
    email        text,
    organisation text REFERENCES organisations,
    password     text,
    created_by   text NOT NULL DEFAULT hatang_who(),
    created_at   timestamptz NOT NULL DEFAULT now(),
    disabled_at  timestamptz
);
COMMENT ON COLUMN people.password IS 'argon2id in PHC form; null for those who sign in elsewhere.';
CREATE UNIQUE INDEX people_email ON people (lower(email));

CREATE TABLE identities (
    issuer    text NOT NULL,
    subject   text NOT NULL,
    person    bigint NOT NULL REFERENCES people,
    linked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (issuer, subject)
);
COMMENT ON TABLE identities IS 'Who a person is to an OpenID Connect provider.';

CREATE TABLE sessions (
    hash       bytea PRIMARY KEY,
    person     bigint NOT NULL REFERENCES people,
    address    text NOT NULL DEFAULT '',
    started_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    ended_at   timestamptz
);
CREATE INDEX sessions_person ON sessions (person);
COMMENT ON COLUMN sessions.hash IS 'SHA-256 of the cookie, which is kept nowhere.';

ALTER TABLE api_keys ADD COLUMN person bigint REFERENCES people;
COMMENT ON COLUMN api_keys.person IS 'Whose key it is: it never may more than he, and ends with him. Null for a program of its own.';
CREATE INDEX api_keys_person ON api_keys (person);

CREATE TABLE grants (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person       bigint REFERENCES people,
    key          text REFERENCES api_keys,
    role         text NOT NULL CONSTRAINT grants_role_known
                     CHECK (role IN ('operator', 'consulted', 'officer', 'approver', 'administrator')),
    layers       text[] CONSTRAINT grants_some_layer CHECK (cardinality(layers) > 0),
    territory    text CONSTRAINT grants_territory_not_blank CHECK (territory <> ''),
    granted_by   text NOT NULL DEFAULT hatang_who(),
    granted_at   timestamptz NOT NULL DEFAULT now(),
    withdrawn_at timestamptz,
    CONSTRAINT grants_of_one CHECK (num_nonnulls(person, key) = 1),
    CONSTRAINT grants_administer_everything CHECK (role <> 'administrator' OR layers IS NULL AND territory IS NULL)
);
COMMENT ON COLUMN grants.layers IS 'Names of layers; null for all.';
COMMENT ON COLUMN grants.territory IS 'Code of an administrative unit; null for everywhere.';
CREATE INDEX grants_person ON grants (person) WHERE withdrawn_at IS NULL;
CREATE INDEX grants_key ON grants (key) WHERE withdrawn_at IS NULL;
CREATE INDEX grants_territory ON grants (territory) WHERE withdrawn_at IS NULL;

-- An administrator's key that was limited to a territory was so for its writing alone:
-- it goes on as an officer's.
INSERT INTO grants (key, role, territory, granted_by, granted_at)
    SELECT id, CASE WHEN territory IS NULL THEN role ELSE replace(role, 'administrator', 'officer') END, nullif(territory, ''), created_by, created_at FROM api_keys;
ALTER TABLE api_keys DROP COLUMN role, DROP COLUMN territory;

-- What a key may now: the grants it was given, those of a person's key as far as the
-- person himself still has them.
CREATE VIEW grants_in_force AS
    SELECT g.id, g.person, g.key, g.role, g.layers, g.territory
    FROM grants g LEFT JOIN api_keys k ON k.id = g.key
    WHERE g.withdrawn_at IS NULL AND (k.person IS NULL OR EXISTS (
        SELECT FROM grants own WHERE own.person = k.person AND own.withdrawn_at IS NULL
            AND (own.role = 'administrator' OR own.role = g.role
                AND (own.layers IS NULL OR g.layers <@ own.layers)
                AND (own.territory IS NULL OR own.territory = g.territory))));

-- What has ended is not brought back: a key or a grant is given anew, a person signs in
-- anew, and each leaves its own trace.
-- +goose StatementBegin
CREATE FUNCTION hatang_stay_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what has ended in % stays so', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$;
-- +goose StatementEnd
CREATE TRIGGER stay_ended BEFORE UPDATE ON grants FOR EACH ROW
    WHEN (OLD.withdrawn_at IS NOT NULL AND NEW.withdrawn_at IS DISTINCT FROM OLD.withdrawn_at) EXECUTE FUNCTION hatang_stay_ended();
CREATE TRIGGER stay_ended BEFORE UPDATE ON api_keys FOR EACH ROW
    WHEN (OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at) EXECUTE FUNCTION hatang_stay_ended();
CREATE TRIGGER stay_ended BEFORE UPDATE ON sessions FOR EACH ROW
    WHEN (OLD.ended_at IS NOT NULL AND NEW.ended_at IS DISTINCT FROM OLD.ended_at) EXECUTE FUNCTION hatang_stay_ended();

-- The audit: entries chained by their hashes, of which the last is kept apart.

CREATE TABLE audit (
    id         bigint PRIMARY KEY,
    at         timestamptz NOT NULL,
    who        text NOT NULL,
    db_user    text NOT NULL,
    action     text NOT NULL,
    subject    text NOT NULL,
    detail     jsonb NOT NULL,
    request_id text NOT NULL,
    hash       bytea NOT NULL
);
COMMENT ON TABLE audit IS 'Sign-ins, rights, keys and refused writes. Entries are added by hatang_audit() alone and never changed.';
COMMENT ON COLUMN audit.hash IS 'SHA-256 of the hash before it and of this entry: see hatang_audit_hash.';

CREATE TABLE audit_head (
    one  boolean PRIMARY KEY DEFAULT true CONSTRAINT audit_head_one CHECK (one),
    id   bigint NOT NULL,
    hash bytea NOT NULL
);
INSERT INTO audit_head (id, hash) VALUES (0, sha256('hatang'));

-- +goose StatementBegin
CREATE FUNCTION hatang_audit_hash(before bytea, e audit) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT sha256(before || convert_to(jsonb_build_array(e.id, CASE WHEN isfinite(e.at) THEN trunc(extract(epoch FROM e.at) * 1000000) END,
        e.who, e.db_user, e.action, e.subject, e.detail, e.request_id)::text, 'UTF8'))
$$;
-- +goose StatementEnd

-- Adds an entry. Writers wait for each other from here until they commit, so that the
-- chain has the order of the commits.
-- +goose StatementBegin
CREATE FUNCTION hatang_audit(action text, subject text, detail jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    head  audit_head;
    entry audit;
BEGIN
    SELECT * INTO STRICT head FROM audit_head FOR UPDATE;
    entry := ROW(head.id + 1, clock_timestamp(), hatang_who(), session_user, action, subject, detail,
        coalesce(current_setting('hatang.request', true), ''), NULL);
    entry.hash := hatang_audit_hash(head.hash, entry);
    INSERT INTO audit VALUES (entry.*);
    UPDATE audit_head SET id = entry.id, hash = entry.hash;
END
$$;
-- +goose StatementEnd

-- The first entry that is not as it was written, is missing, or has none that should
-- follow it; null where all is in order.
-- +goose StatementBegin
CREATE FUNCTION hatang_audit_broken_at() RETURNS bigint LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(
        (SELECT min(number) FROM (
            SELECT row_number() OVER w AS number, a.id <> row_number() OVER w
                OR a.hash <> hatang_audit_hash(coalesce(lag(a.hash) OVER w, sha256('hatang')), a) AS broken
            FROM audit a WINDOW w AS (ORDER BY id)) entries WHERE broken),
        (SELECT least(h.id, l.id) + 1 FROM audit_head h, (
            SELECT coalesce(max(id), 0) AS id, coalesce((SELECT hash FROM audit ORDER BY id DESC LIMIT 1), sha256('hatang')) AS hash FROM audit) l
         WHERE (h.id, h.hash) IS DISTINCT FROM (l.id, l.hash)),
        CASE WHEN NOT EXISTS (SELECT FROM audit_head) THEN 1 END)
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION hatang_audit_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'entries of the audit are never changed or removed' USING ERRCODE = 'restrict_violation';
END
$$;
-- +goose StatementEnd
CREATE TRIGGER keep BEFORE UPDATE OR DELETE OR TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION hatang_audit_keep();

-- Whatever path a change of rights takes, psql's too, it leaves an entry: what was
-- made, or which columns became what. Secrets are never written there.
-- +goose StatementBegin
CREATE FUNCTION hatang_audit_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    made   jsonb := CASE WHEN TG_OP = 'DELETE' THEN to_jsonb(OLD) ELSE to_jsonb(NEW) END;
    old    jsonb := CASE WHEN TG_OP = 'UPDATE' THEN to_jsonb(OLD) ELSE '{}' END;
    detail jsonb;
    whose  text;
BEGIN
    SELECT coalesce(jsonb_object_agg(key, CASE WHEN key IN ('password', 'hash') THEN '"changed"'::jsonb ELSE value END), '{}') INTO detail
        FROM jsonb_each(made) WHERE value IS DISTINCT FROM coalesce(old -> key, 'null') AND (key <> 'hash' OR TG_OP = 'UPDATE');
    IF detail = '{}' THEN
        RETURN NULL;
    END IF;
    whose := CASE WHEN made ->> 'key' IS NOT NULL THEN 'key:' || (made ->> 'key')
        WHEN TG_TABLE_NAME = 'api_keys' THEN 'key:' || (made ->> 'id')
        WHEN TG_TABLE_NAME = 'people' THEN 'person:' || (made ->> 'login')
        WHEN made ->> 'person' IS NOT NULL THEN 'person:' || (SELECT p.login FROM people p WHERE p.id = (made ->> 'person')::bigint)
        ELSE coalesce(made ->> 'jurisdiction', made ->> 'code', '') END;
    PERFORM hatang_audit(CASE WHEN TG_TABLE_NAME = 'sessions' THEN CASE TG_OP WHEN 'INSERT' THEN 'sign_in' ELSE 'sign_out' END
        ELSE TG_ARGV[0] || CASE TG_OP WHEN 'INSERT' THEN '.added' WHEN 'UPDATE' THEN '.changed' ELSE '.removed' END END, whose, detail);
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON people FOR EACH ROW EXECUTE FUNCTION hatang_audit_change('person');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON identities FOR EACH ROW EXECUTE FUNCTION hatang_audit_change('identity');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON sessions FOR EACH ROW EXECUTE FUNCTION hatang_audit_change('session');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON api_keys FOR EACH ROW EXECUTE FUNCTION hatang_audit_change('key');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON grants FOR EACH ROW EXECUTE FUNCTION hatang_audit_change('grant');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON organisations FOR EACH ROW EXECUTE FUNCTION hatang_audit_change('organisation');

-- The serving role ends things; it removes and rewrites nothing.
REVOKE EXECUTE ON FUNCTION hatang_audit(text, text, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hatang_audit(text, text, jsonb) TO hatang_app;
REVOKE EXECUTE ON FUNCTION hatang_audit_broken_at() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hatang_audit_broken_at() TO hatang_app;
GRANT SELECT ON people, identities, sessions, grants, grants_in_force, audit TO hatang_app;
GRANT INSERT (login, name, email, organisation, password), UPDATE (name, email, organisation, password, disabled_at) ON people TO hatang_app;
GRANT INSERT ON identities TO hatang_app;
GRANT INSERT (hash, person, address, expires_at), UPDATE (ended_at) ON sessions TO hatang_app;
GRANT INSERT (id, hash, name, organisation, person, created_by, expires_at), UPDATE (revoked_at) ON api_keys TO hatang_app;
GRANT INSERT (person, key, role, layers, territory), UPDATE (withdrawn_at) ON grants TO hatang_app;
GRANT INSERT ON organisations TO hatang_app;
