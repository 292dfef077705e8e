-- What one may not see of a proposal cannot be inferred: who does not see a proposal meets none
-- of what holds for its drafts while it is examined. That what is approved is what was checked is
-- judged when it is approved: by the revision of each feature.

-- +goose Up

ALTER TABLE proposal_features ADD COLUMN revision bigint;
COMMENT ON COLUMN proposal_features.revision IS 'Of the row when it was filed or last supplemented: at another one it is not approved.';
-- +goose StatementBegin
DO $$
DECLARE
    which text;
BEGIN
    FOR which IN SELECT DISTINCT layer FROM proposal_features LOOP
        EXECUTE format('UPDATE proposal_features f SET revision = t.revision FROM %I t WHERE f.layer = %1$L AND t.id = f.feature', which);
    END LOOP;
END
$$;

-- The proposals that who acts sees, as the server says; unless it says any, all of them. Of others
-- he must not learn by what becomes of his changes.
CREATE FUNCTION hatang_heeds(proposal bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT coalesce(proposal = ANY (nullif(current_setting('hatang.heeded', true), '')::bigint[]), true)
$$;

-- As before, but for proposals that are not heeded; and the revision is noted.
CREATE OR REPLACE FUNCTION proposal_features_take() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    p proposals;
BEGIN
    SELECT * INTO STRICT p FROM proposals WHERE id = NEW.proposal;
    IF p.state <> 'new' OR NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = to_regclass(quote_ident(NEW.layer)) AND tgname = 'filed_update') THEN
        RAISE EXCEPTION 'nothing is added to a proposal once it is filed, nor of a layer that has no rules' USING ERRCODE = 'HT021';
    END IF;
    EXECUTE format('SELECT code, ST_Force2D(geom), revision FROM %I WHERE id = $1 AND status = ''draft'' AND owner_organisation = $2 FOR UPDATE', NEW.layer)
        INTO NEW.code, NEW.geom, NEW.revision USING NEW.feature, p.organisation;
    IF NEW.code IS NULL OR EXISTS (SELECT FROM proposal_features f JOIN proposals o ON o.id = f.proposal
            WHERE f.layer = NEW.layer AND f.feature = NEW.feature AND o.id <> p.id AND hatang_proposal_open(o.state) AND hatang_heeds(o.id)) THEN
        RAISE EXCEPTION 'row % of % is no draft that can be filed', NEW.feature, NEW.layer USING ERRCODE = 'HT021';
    END IF;
    RETURN NEW;
END
$$;

-- As before, but that a feature is approved as it was checked or not at all (HT025).
CREATE OR REPLACE FUNCTION proposal_steps_judge() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    p       proposals;
    filed   proposal_features;
    current bigint;
    changed text[] := '{}';
BEGIN
    SELECT * INTO STRICT p FROM proposals WHERE id = NEW.proposal FOR UPDATE;
    IF NEW.revision <> p.revision + 1 THEN
        RAISE EXCEPTION 'the proposal is at revision %', p.revision USING ERRCODE = 'HT020';
    END IF;
    NEW.who := hatang_who();
    NEW.at := now();
    NEW.request := nullif(current_setting('hatang.request', true), '');
    NEW.before := p.state;
    NEW.after := (SELECT t.after FROM proposal_transitions t WHERE t.before = p.state AND t.action = NEW.action AND t.party = NEW.party);
    IF NEW.after IS NULL THEN
        RAISE EXCEPTION 'there is no step % of the % from %', NEW.action, NEW.party, p.state USING ERRCODE = 'HT021';
    END IF;
    IF NEW.party = 'organisation' AND NEW.organisation IS DISTINCT FROM p.organisation
        OR NEW.party IN ('officer', 'approver') AND (NEW.organisation IS NOT DISTINCT FROM p.organisation OR hatang_of_organisation(NEW.who, p.organisation)
            OR EXISTS (SELECT FROM proposal_steps s WHERE s.proposal = p.id AND s.party = 'organisation' AND (s.who = NEW.who OR s.person = NEW.person)))
        OR NEW.party = 'agency' AND NOT EXISTS (SELECT FROM consultations c WHERE c.proposal = p.id AND c.agency = NEW.organisation) THEN
        RAISE EXCEPTION 'the step is not for %', NEW.who USING ERRCODE = 'HT022';
    END IF;
    IF NEW.action IN ('ask_more', 'refuse') AND NEW.reasons IS NULL
        OR NEW.action = 'file' AND NOT EXISTS (SELECT FROM proposal_features f WHERE f.proposal = p.id)
        OR NEW.action IN ('approve', 'renew') AND NOT coalesce(NEW.expires_on > greatest(hatang_today(), p.expires_on), false)
        OR NEW.action = 'expire' AND NOT p.expires_on < hatang_today()
        OR NEW.action NOT IN ('approve', 'renew') AND NEW.expires_on IS NOT NULL
        OR (NEW.verdict IS NOT NULL) <> (NEW.action = 'supplement') THEN
        RAISE EXCEPTION 'the step % lacks what it needs', NEW.action USING ERRCODE = 'HT021';
    END IF;
    IF NEW.action = 'approve' AND cardinality(hatang_missing_consents(p.id)) > 0 THEN
        RAISE EXCEPTION 'consents are missing' USING ERRCODE = 'HT023';
    END IF;
    IF NEW.action = 'approve' THEN
        FOR filed IN SELECT * FROM proposal_features WHERE proposal = p.id ORDER BY layer, feature LOOP
            EXECUTE format('SELECT revision FROM %I WHERE id = $1 AND status = ''draft'' AND owner_organisation = $2 FOR UPDATE', filed.layer) INTO current USING filed.feature, p.organisation;
            IF current IS DISTINCT FROM filed.revision THEN
                changed := changed || filed.code;
            END IF;
        END LOOP;
        IF changed <> '{}' THEN
            RAISE EXCEPTION 'features are not as they were checked' USING ERRCODE = 'HT025', DETAIL = array_to_string(changed, ', ');
        END IF;
    END IF;
    RETURN NEW;
END
$$;

-- As before, for the proposals that are heeded, and for all that is approved: of that everybody
-- knows. What a step does to rows is in no other proposal's way.
CREATE OR REPLACE FUNCTION hatang_keep_filed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    r record;
    columns text[];
BEGIN
    IF NOT EXISTS (SELECT FROM proposal_features) THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'DELETE' THEN
        IF EXISTS (SELECT FROM old_rows o JOIN proposal_features f ON f.layer = TG_TABLE_NAME AND f.feature = o.id
                JOIN proposals p ON p.id = f.proposal WHERE hatang_proposal_open(p.state) AND (p.state = 'approved' OR pg_trigger_depth() = 1 AND hatang_heeds(p.id))) THEN
            RAISE EXCEPTION 'the row is in an open proposal' USING ERRCODE = 'HT024';
        END IF;
        RETURN NULL;
    END IF;
    FOR r IN SELECT p.state, to_jsonb(o) - 'geom' AS before, to_jsonb(n) - 'geom' AS after, ST_AsEWKB(o.geom) <> ST_AsEWKB(n.geom) AS moved
            FROM old_rows o JOIN new_rows n ON n.id = o.id JOIN proposal_features f ON f.layer = TG_TABLE_NAME AND f.feature = o.id
            JOIN proposals p ON p.id = f.proposal WHERE hatang_proposal_open(p.state) AND (p.state = 'approved' OR pg_trigger_depth() = 1 AND hatang_heeds(p.id)) FOR SHARE OF p LOOP
        columns := ARRAY(SELECT key FROM jsonb_each(r.after) a WHERE a.value IS DISTINCT FROM r.before -> a.key AND a.key NOT IN ('revision', 'updated_at'))
            || CASE WHEN r.moved THEN '{geom}'::text[] ELSE '{}' END;
        IF NOT (CASE
            WHEN r.state = 'more_asked' THEN NOT columns && '{status,code,owner_organisation,jurisdiction,valid_to}'::text[]
            WHEN r.state = 'approved' AND r.before ->> 'status' = 'draft' THEN r.after ->> 'status' = 'planned' AND columns <@ '{status,valid_from}'::text[]
            WHEN r.state = 'approved' THEN NOT columns && '{status,code,owner_organisation,jurisdiction,valid_from,valid_to,geom}'::text[]
            ELSE columns = '{}' END) THEN
            RAISE EXCEPTION 'the row is in an open proposal' USING ERRCODE = 'HT024';
        END IF;
    END LOOP;
    -- A revision in which nothing is another is as good as the one that was checked.
    UPDATE proposal_features f SET revision = n.revision FROM old_rows o JOIN new_rows n ON n.id = o.id, proposals p
        WHERE f.layer = TG_TABLE_NAME AND f.feature = o.id AND f.revision = o.revision AND p.id = f.proposal AND hatang_proposal_open(p.state) AND p.state <> 'approved'
            AND to_jsonb(n) - '{geom,revision,updated_at}'::text[] = to_jsonb(o) - '{geom,revision,updated_at}'::text[] AND ST_AsEWKB(n.geom) = ST_AsEWKB(o.geom);
    RETURN NULL;
END
$$;
-- +goose StatementEnd
