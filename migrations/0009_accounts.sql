-- Organisations and API keys.

-- +goose Up

CREATE TABLE organisations (
    code         text PRIMARY KEY CONSTRAINT organisations_code_not_blank CHECK (code <> '' AND code = btrim(code)),
    kind         text NOT NULL CONSTRAINT organisations_kind_known CHECK (kind IN ('operator', 'agency')),
    name         jsonb NOT NULL
);

CREATE TABLE api_keys (
    id           text PRIMARY KEY,
    hash         bytea NOT NULL UNIQUE,
    name         text NOT NULL,
    role         text NOT NULL CONSTRAINT api_keys_role_known
                     CHECK (role IN ('operator', 'consulted', 'officer', 'approver', 'administrator')),
    organisation text,
    territory    text,
    created_by   text NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz,
    revoked_at   timestamptz
);
COMMENT ON COLUMN api_keys.hash IS 'SHA-256 of the key; the key itself is shown once and kept nowhere.';

GRANT SELECT ON organisations, api_keys TO hatang_app;
