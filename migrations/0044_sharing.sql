-- Sharing through the department: one organisation asks others to use what is theirs, or to
-- build together. Serving adds steps and nothing else, as with proposals: a trigger takes
-- each by the table of transitions, and the one that follows it changes the request.

-- +goose Up

-- The state machine. permit.ShareTransitions is the same list; a test compares them.
CREATE TABLE sharing_transitions (
    before text NOT NULL,
    action text NOT NULL,
    party  text NOT NULL CONSTRAINT sharing_transitions_party_known CHECK (party IN ('asker', 'partner', 'officer')),
    after  text NOT NULL,
    PRIMARY KEY (before, action, party)
);
INSERT INTO sharing_transitions (before, action, party, after) VALUES
    ('new', 'ask', 'asker', 'asked'),
    ('asked', 'accept', 'partner', 'accepted'), ('accepted', 'accept', 'partner', 'accepted'),
    ('asked', 'decline', 'partner', 'declined'), ('accepted', 'decline', 'partner', 'declined'),
    ('asked', 'mediate', 'asker', 'mediation'), ('accepted', 'mediate', 'asker', 'mediation'), ('declined', 'mediate', 'asker', 'mediation'),
    ('asked', 'mediate', 'officer', 'mediation'), ('accepted', 'mediate', 'officer', 'mediation'), ('declined', 'mediate', 'officer', 'mediation'),
    ('accepted', 'agree', 'asker', 'agreed'), ('mediation', 'agree', 'officer', 'agreed'), ('mediation', 'refuse', 'officer', 'refused'),
    ('asked', 'withdraw', 'asker', 'withdrawn'), ('accepted', 'withdraw', 'asker', 'withdrawn'),
    ('declined', 'withdraw', 'asker', 'withdrawn'), ('mediation', 'withdraw', 'asker', 'withdrawn');

CREATE TABLE sharing_requests (
    number       text PRIMARY KEY CONSTRAINT sharing_requests_number_form CHECK (number ~ '^S-[0-9]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}$'),
    asker        text NOT NULL REFERENCES organisations,
    collection   text NOT NULL CONSTRAINT sharing_requests_collection_known CHECK (collection IN ('bts_sites', 'ducts', 'pole_lines')),
    feature      bigint,
    code         text,
    owner        text,
    jurisdiction text,
    geom         geometry(Geometry, 4326) NOT NULL,
    wanted       jsonb NOT NULL,
    reasons      text NOT NULL CONSTRAINT sharing_requests_reasons_length CHECK (length(reasons) BETWEEN 1 AND 4000),
    asked_on     date NOT NULL,
    asked_at     timestamptz NOT NULL DEFAULT now(),
    state        text NOT NULL DEFAULT 'new',
    revision     bigint NOT NULL DEFAULT 0,
    due_on       date,
    answered_on  date,
    position     bigint,
    CONSTRAINT sharing_requests_of_a_feature CHECK (num_nonnulls(feature, code, owner) IN (0, 3))
);
COMMENT ON TABLE sharing_requests IS 'What organisations ask others to share or to build together; sharing_steps say how each came to its state.';
COMMENT ON COLUMN sharing_requests.number IS 'Random, for nobody to learn from his own how many others there are, or to try others''.';
COMMENT ON COLUMN sharing_requests.collection IS 'The layer of the feature, or of what is to be built together: these layers keep their names.';
COMMENT ON COLUMN sharing_requests.feature IS 'Id of the row that is asked for, which may be removed meanwhile; null where something is to be built together.';
COMMENT ON COLUMN sharing_requests.jurisdiction IS 'Whose plan sets the periods; null outside every province.';
COMMENT ON COLUMN sharing_requests.geom IS 'Where the feature lay when it was asked for, without heights, or the place to build at.';
COMMENT ON COLUMN sharing_requests.asked_on IS 'The server''s reference date, as all days here and in the steps; asked_at is when it was recorded.';
COMMENT ON COLUMN sharing_requests.due_on IS 'By when the next step is due; null where none is.';
COMMENT ON COLUMN sharing_requests.answered_on IS 'When the partners had all answered, or one had declined; null until then.';
COMMENT ON COLUMN sharing_requests.position IS 'Id of the operator position that the agreement made; null for none.';
CREATE INDEX sharing_requests_asked ON sharing_requests (asked_at, number);
CREATE INDEX sharing_requests_asker ON sharing_requests (asker, asked_at, number);
CREATE INDEX sharing_requests_code ON sharing_requests (collection, code);
CREATE INDEX sharing_requests_geom ON sharing_requests USING gist (geom);
CREATE UNIQUE INDEX sharing_requests_one_open ON sharing_requests (asker, collection, code) WHERE state IN ('new', 'asked', 'accepted', 'mediation');

CREATE TABLE sharing_partners (
    request      text NOT NULL REFERENCES sharing_requests,
    organisation text NOT NULL REFERENCES organisations,
    answered_on  date,
    PRIMARY KEY (request, organisation)
);
COMMENT ON TABLE sharing_partners IS 'Who is asked: the owner of a feature, or those with whom something is to be built.';
CREATE INDEX sharing_partners_organisation ON sharing_partners (organisation, request);

CREATE TABLE sharing_steps (
    request      text NOT NULL REFERENCES sharing_requests,
    revision     bigint NOT NULL,
    action       text NOT NULL,
    party        text NOT NULL,
    organisation text,
    person       bigint,
    who          text NOT NULL,
    taken_on     date NOT NULL,
    at           timestamptz NOT NULL DEFAULT now(),
    xid          xid8 NOT NULL DEFAULT pg_current_xact_id(),
    in_request   text,
    before       text NOT NULL,
    after        text NOT NULL,
    reasons      text CONSTRAINT sharing_steps_reasons_length CHECK (length(reasons) BETWEEN 1 AND 4000),
    capacity     jsonb,
    agreement    jsonb,
    document     jsonb,
    due_on       date,
    position     bigint,
    PRIMARY KEY (request, revision)
);
COMMENT ON TABLE sharing_steps IS 'Every step of every request to share; rows are added and never changed.';
COMMENT ON COLUMN sharing_steps.revision IS 'That of the request afterwards.';
COMMENT ON COLUMN sharing_steps.organisation IS 'Of who took the step; null for none.';
COMMENT ON COLUMN sharing_steps.xid IS 'The transaction, for servers that keep facts in memory and for verdicts that are made again.';
COMMENT ON COLUMN sharing_steps.in_request IS 'Id of the request to the server that it was taken in.';
COMMENT ON COLUMN sharing_steps.agreement IS 'What is offered by an acceptance, or agreed on: shares of capital, or terms.';
COMMENT ON COLUMN sharing_steps.document IS 'Number and date of the paper that an officer records.';
CREATE INDEX sharing_steps_xid ON sharing_steps (xid);

-- What is asked for is a row that is no draft, and its owner is who the register says.
-- +goose StatementBegin
CREATE FUNCTION sharing_requests_take() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF (NEW.state, NEW.revision) IS DISTINCT FROM ('new', 0::bigint) THEN
        RAISE EXCEPTION 'a request begins as new' USING ERRCODE = 'HT021';
    END IF;
    IF NEW.feature IS NOT NULL THEN
        EXECUTE format('SELECT code, owner_organisation, jurisdiction, ST_Force2D(geom) FROM %I WHERE id = $1 AND status <> ''draft'' AND owner_organisation <> $2 FOR SHARE', NEW.collection)
            INTO NEW.code, NEW.owner, NEW.jurisdiction, NEW.geom USING NEW.feature, NEW.asker;
        IF NEW.code IS NULL THEN
            RAISE EXCEPTION 'row % of % is none that can be asked for', NEW.feature, NEW.collection USING ERRCODE = 'HT021';
        END IF;
    ELSE
        NEW.jurisdiction := (SELECT p.code FROM provinces p WHERE ST_Intersects(p.geom, NEW.geom) ORDER BY p.valid_from DESC LIMIT 1);
    END IF;
    RETURN NEW;
END
$$;
CREATE FUNCTION sharing_partners_take() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM sharing_requests r WHERE r.number = NEW.request AND r.state = 'new' AND r.asker <> NEW.organisation AND coalesce(r.owner, NEW.organisation) = NEW.organisation) THEN
        RAISE EXCEPTION '% cannot be asked', NEW.organisation USING ERRCODE = 'HT021';
    END IF;
    RETURN NEW;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER take BEFORE INSERT ON sharing_requests FOR EACH ROW EXECUTE FUNCTION sharing_requests_take();
CREATE TRIGGER take BEFORE INSERT ON sharing_partners FOR EACH ROW EXECUTE FUNCTION sharing_partners_take();

-- Judges a step, and says who took it and what it led to. HT020: somebody was first; HT021:
-- no such transition; HT022: nobody acts on both sides, nor mediates for his own.
-- +goose StatementBegin
CREATE FUNCTION sharing_steps_judge() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    r      sharing_requests;
    asked  text[];
    silent bigint;
BEGIN
    SELECT * INTO STRICT r FROM sharing_requests WHERE number = NEW.request FOR UPDATE;
    SELECT array_agg(organisation), count(*) FILTER (WHERE answered_on IS NULL) INTO asked, silent FROM sharing_partners WHERE request = r.number;
    IF NEW.revision <> r.revision + 1 THEN
        RAISE EXCEPTION 'the request is at revision %', r.revision USING ERRCODE = 'HT020';
    END IF;
    NEW.who := hatang_who();
    NEW.at := now();
    NEW.xid := pg_current_xact_id();
    NEW.in_request := nullif(current_setting('hatang.request', true), '');
    NEW.before := r.state;
    NEW.after := (SELECT t.after FROM sharing_transitions t WHERE t.before = r.state AND t.action = NEW.action AND t.party = NEW.party);
    IF NEW.after IS NULL THEN
        RAISE EXCEPTION 'there is no step % of the % from %', NEW.action, NEW.party, r.state USING ERRCODE = 'HT021';
    END IF;
    IF NOT coalesce(CASE NEW.party WHEN 'asker' THEN NEW.organisation = r.asker WHEN 'partner' THEN NEW.organisation = ANY (asked)
            ELSE NOT EXISTS (SELECT FROM unnest(asked || r.asker) o WHERE o IS NOT DISTINCT FROM NEW.organisation OR hatang_of_organisation(NEW.who, o)) END, false)
        OR EXISTS (SELECT FROM sharing_steps s WHERE s.request = r.number AND (s.who = NEW.who OR s.person = NEW.person)
            AND (s.party, s.organisation) IS DISTINCT FROM (NEW.party, NEW.organisation)) THEN
        RAISE EXCEPTION 'the step is not for %', NEW.who USING ERRCODE = 'HT022';
    END IF;
    IF NOT coalesce(CASE NEW.action
            WHEN 'ask' THEN cardinality(asked) > 0 AND NEW.due_on IS NOT NULL
            WHEN 'mediate' THEN r.state <> 'asked' OR r.due_on < NEW.taken_on
            WHEN 'withdraw' THEN true
            WHEN 'agree' THEN NEW.agreement IS NOT NULL AND (NEW.party = 'officer' OR silent = 0
                AND NOT EXISTS (SELECT FROM sharing_steps s WHERE s.request = r.number AND s.action = 'accept' AND s.agreement <> NEW.agreement))
            WHEN 'refuse' THEN NEW.reasons IS NOT NULL
            ELSE EXISTS (SELECT FROM sharing_partners p WHERE p.request = r.number AND p.organisation = NEW.organisation AND p.answered_on IS NULL)
                AND (NEW.capacity IS NOT NULL OR r.feature IS NULL) AND CASE NEW.action WHEN 'accept' THEN NEW.agreement IS NOT NULL ELSE NEW.reasons IS NOT NULL END END, false)
        OR NEW.agreement IS NOT NULL AND NEW.action NOT IN ('accept', 'agree')
        OR NEW.capacity IS NOT NULL AND NEW.action NOT IN ('accept', 'decline')
        OR (NEW.position IS NOT NULL) <> (NEW.action = 'agree' AND r.feature IS NOT NULL AND r.collection = 'bts_sites')
        OR NEW.position IS NOT NULL AND NOT EXISTS (SELECT FROM operator_positions o WHERE o.id = NEW.position AND o.site_code = r.code AND o.operator = r.asker AND o.status <> 'draft') THEN
        RAISE EXCEPTION 'the step % lacks what it needs', NEW.action USING ERRCODE = 'HT021';
    END IF;
    RETURN NEW;
END
$$;

-- What a step does. A refusal is evidence in the checks of who asked, as of the mast: for
-- him and for staff its version is another, and for nobody else.
CREATE FUNCTION sharing_steps_do() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    r    sharing_requests;
    done boolean;
BEGIN
    UPDATE sharing_partners SET answered_on = NEW.taken_on WHERE request = NEW.request AND organisation = NEW.organisation AND NEW.action IN ('accept', 'decline');
    done := NEW.action = 'decline' OR NOT EXISTS (SELECT FROM sharing_partners p WHERE p.request = NEW.request AND p.answered_on IS NULL);
    UPDATE sharing_requests q SET state = NEW.after, revision = NEW.revision,
        due_on = CASE WHEN NEW.after = 'accepted' AND NOT done THEN q.due_on ELSE NEW.due_on END,
        answered_on = CASE WHEN NEW.party = 'partner' AND done THEN NEW.taken_on ELSE q.answered_on END, position = coalesce(NEW.position, q.position)
        WHERE q.number = NEW.request RETURNING * INTO r;
    IF r.collection = 'bts_sites' AND r.feature IS NOT NULL AND (NEW.before IN ('declined', 'mediation') OR NEW.after IN ('declined', 'refused')) THEN
        PERFORM hatang_touch('bts_sites', audience) FROM (
            SELECT 'staff' AS audience UNION SELECT 'organisation:' || r.asker
            UNION SELECT 'territory:' || g.territory FROM (SELECT DISTINCT territory FROM grants WHERE territory IS NOT NULL) g
                WHERE ST_Intersects(hatang_territory(g.territory), r.geom)) a;
    END IF;
    RETURN NULL;
END
$$;

-- Whatever path a change takes, a state has the step that led to it, and what was asked and
-- the steps stay.
CREATE FUNCTION sharing_requests_follow_steps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_jsonb(NEW) - '{state,revision,due_on,answered_on,position}'::text[] <> to_jsonb(OLD) - '{state,revision,due_on,answered_on,position}'::text[]
        OR NOT EXISTS (SELECT FROM sharing_steps s WHERE s.request = NEW.number AND s.revision = NEW.revision AND NEW.revision = OLD.revision + 1
            AND (s.before, s.after) = (OLD.state, NEW.state) AND NEW.position IS NOT DISTINCT FROM coalesce(s.position, OLD.position)) THEN
        RAISE EXCEPTION 'no step leads from % to %', OLD.state, NEW.state USING ERRCODE = 'HT021';
    END IF;
    RETURN NEW;
END
$$;
CREATE FUNCTION sharing_partners_follow_steps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.request, NEW.organisation) <> (OLD.request, OLD.organisation) OR OLD.answered_on IS NOT NULL OR NOT EXISTS (SELECT FROM sharing_steps s
            WHERE s.request = NEW.request AND s.organisation = NEW.organisation AND s.action IN ('accept', 'decline') AND s.taken_on = NEW.answered_on) THEN
        RAISE EXCEPTION 'no step is the answer of %', NEW.organisation USING ERRCODE = 'HT021';
    END IF;
    RETURN NEW;
END
$$;
CREATE FUNCTION sharing_requests_are_asked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM sharing_requests WHERE number = NEW.number AND state = 'new') THEN
        RAISE EXCEPTION 'a request is asked in the transaction that makes it' USING ERRCODE = 'HT021';
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER judge BEFORE INSERT ON sharing_steps FOR EACH ROW EXECUTE FUNCTION sharing_steps_judge();
CREATE TRIGGER do_it AFTER INSERT ON sharing_steps FOR EACH ROW EXECUTE FUNCTION sharing_steps_do();
CREATE TRIGGER follow_steps BEFORE UPDATE ON sharing_requests FOR EACH ROW EXECUTE FUNCTION sharing_requests_follow_steps();
CREATE TRIGGER follow_steps BEFORE UPDATE ON sharing_partners FOR EACH ROW EXECUTE FUNCTION sharing_partners_follow_steps();
CREATE CONSTRAINT TRIGGER are_asked AFTER INSERT ON sharing_requests DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION sharing_requests_are_asked();
CREATE TRIGGER keep BEFORE DELETE OR TRUNCATE ON sharing_requests FOR EACH STATEMENT EXECUTE FUNCTION hatang_keep_file();
CREATE TRIGGER keep BEFORE DELETE OR TRUNCATE ON sharing_partners FOR EACH STATEMENT EXECUTE FUNCTION hatang_keep_file();
CREATE TRIGGER keep BEFORE UPDATE OR DELETE OR TRUNCATE ON sharing_steps FOR EACH STATEMENT EXECUTE FUNCTION hatang_keep_file();
CREATE TRIGGER keep BEFORE UPDATE OR DELETE OR TRUNCATE ON sharing_transitions FOR EACH STATEMENT EXECUTE FUNCTION hatang_keep_file();

REVOKE EXECUTE ON FUNCTION sharing_requests_take(), sharing_partners_take(), sharing_steps_judge(), sharing_steps_do(), sharing_requests_follow_steps(), sharing_partners_follow_steps(), sharing_requests_are_asked() FROM PUBLIC;
GRANT SELECT ON sharing_transitions, sharing_requests, sharing_partners, sharing_steps TO hatang_app;
GRANT INSERT (number, asker, collection, feature, geom, wanted, reasons, asked_on) ON sharing_requests TO hatang_app;
GRANT INSERT (request, organisation) ON sharing_partners TO hatang_app;
GRANT INSERT (request, revision, action, party, organisation, person, taken_on, reasons, capacity, agreement, document, due_on, position) ON sharing_steps TO hatang_app;
-- Readers for others than staff find the refusals that those who were refused rely on, and
-- what the public figures count.
GRANT SELECT (number, asker, collection, feature, code, owner, jurisdiction, geom, state, asked_on, answered_on) ON sharing_requests TO hatang_read;
GRANT SELECT (request, organisation) ON sharing_partners TO hatang_read;
GRANT SELECT (request, revision, action, after, taken_on, at, xid) ON sharing_steps TO hatang_read;
