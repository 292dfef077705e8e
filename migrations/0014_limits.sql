-- The audit is proved a piece at a time.

-- +goose Up

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

REVOKE EXECUTE ON FUNCTION hatang_audit_broken_after(bigint, bytea, int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hatang_audit_broken_after(bigint, bytea, int) TO hatang_app;
