package postgis

import (
	"context"
	"crypto/ed25519"
	"time"

	"github.com/jackc/pgx/v5"

	"hatang/internal/account"
	"hatang/internal/permit"
)

// RecordVerdict keeps a sealed verdict that the viewer has asked for. permit.ErrNoSigningKey
// where its key is not in use any more.
func (s *Store) RecordVerdict(ctx context.Context, v account.Viewer, r permit.Record) error {
	return s.write(ctx, v, "record the verdict", func(tx pgx.Tx) error { return record(ctx, tx, r) })
}

func record(ctx context.Context, tx pgx.Tx, r permit.Record) error {
	_, err := tx.Exec(ctx, "INSERT INTO verdicts (body, basis, key, signature) VALUES ($1, $2, $3, $4)", string(r.Body), string(r.Basis), r.Key, r.Signature)
	return err
}

// recordSealed keeps the verdicts that go with a proposal; none where nothing seals any.
func recordSealed(ctx context.Context, tx pgx.Tx, proposal int64, sealed permit.Sealed) error {
	if sealed == nil {
		return nil
	}
	records, err := sealed(proposal)
	if err != nil {
		return err
	}
	for _, r := range records {
		if err := record(ctx, tx, r); err != nil {
			return err
		}
	}
	return nil
}

// Verdict returns a recorded verdict by its number, and whether the viewer may see it;
// layer.ErrNotFound. It is seen by who asked for it, by others of his organisation where it
// was judged by what they all see, by who sees everything, and by those who have to do with
// the feature of the proposal that it was filed with, who see its answer there.
func (s *Store) Verdict(ctx context.Context, v account.Viewer, number string) (permit.Record, error) {
	r := permit.Record{Kept: &permit.RecordColumns{}}
	k := r.Kept
	var on day
	err := s.pool.kept.QueryRow(ctx, `SELECT number, kind, verdict, date, known_at, coalesce(rule_set, ''), proposal, asked_by, snapshot::text, recorded_at, body, basis, key, signature
		FROM verdicts WHERE number = $1`, number).
		Scan(&k.Number, &k.Kind, &k.Verdict, &on, &k.KnownAt, &k.RuleSet, &k.Proposal, &k.AskedBy, &k.Snapshot, &k.RecordedAt, &r.Body, &r.Basis, &r.Key, &r.Signature)
	if err != nil {
		return permit.Record{}, translate("look up the verdict", err)
	}
	k.Date = on.Date
	r.Sees, err = s.seesVerdict(ctx, v, r)
	return r, translate("look up the verdict", err)
}

func (s *Store) seesVerdict(ctx context.Context, v account.Viewer, r permit.Record) (sees bool, err error) {
	basis, err := r.ReadBasis()
	if err != nil {
		return false, err
	}
	switch judged := basis.Viewer(); {
	case !v.Known():
		return false, nil
	case v.SeesEverything(), r.Kept.AskedBy == v.Name && v.Name != "":
		return true, nil
	case judged.Organisation != "" && judged.Organisation == v.OrganisationOn(judgedLayer(r.Kept.Kind)) && !judged.Staff():
		return true, nil
	case r.Kept.Proposal == nil:
		return false, nil
	}
	body, err := r.Read()
	if err != nil || body.Feature == nil {
		return false, err
	}
	c := &conditions{}
	c.add("f.proposal = %s AND f.layer = %s AND f.feature = %s", c.bind(*r.Kept.Proposal), c.bind(body.Feature.Collection), c.bind(body.Feature.ID))
	c.add("%s", c.tiesOf(v).features())
	err = s.pool.kept.QueryRow(ctx, "SELECT EXISTS (SELECT FROM proposal_features f JOIN proposals p ON p.id = f.proposal"+c.where()+")", c.args...).Scan(&sees)
	return sees, err
}

// judgedLayer is the layer that what a verdict is about would be in.
func judgedLayer(k permit.Kind) string {
	if k == permit.CableKind {
		return "cable_segments"
	}
	return "bts_sites"
}

// SigningKeys returns the public halves of all keys there have been, the newest first.
func (s *Store) SigningKeys(ctx context.Context) ([]permit.SigningKey, error) {
	keys, err := signingKeys(ctx, s.pool.kept)
	return keys, translate("read the signing keys", err)
}

func signingKeys(ctx context.Context, q querier) ([]permit.SigningKey, error) {
	rows, err := q.Query(ctx, "SELECT id, public_key, valid_from, valid_until FROM signing_keys ORDER BY valid_from DESC, id")
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (permit.SigningKey, error) {
		var k permit.SigningKey
		var until *time.Time
		err := row.Scan(&k.ID, (*[]byte)(&k.Public), &k.From, &until)
		k.From = k.From.UTC()
		if until != nil {
			k.Until = until.UTC()
		}
		return k, err
	})
}

// SigningKeyInUse reports whether there is a key that verdicts are signed by.
func (a *Admin) SigningKeyInUse(ctx context.Context) (used bool, err error) {
	err = a.conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM signing_keys WHERE valid_until IS NULL)").Scan(&used)
	return used, translate("look for a signing key", err)
}

// AddSigningKey puts the public half of a key in use, and reports whether it did: with first,
// only where none is. Those in use go on being used until EndSigningKeys.
func (a *Admin) AddSigningKey(ctx context.Context, public ed25519.PublicKey, first bool, by string) (added bool, err error) {
	err = pgx.BeginFunc(ctx, a.conn, func(tx pgx.Tx) error {
		if err := sign(ctx, tx, by); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "LOCK TABLE signing_keys IN SHARE ROW EXCLUSIVE MODE"); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, "INSERT INTO signing_keys (id, public_key) SELECT $1, $2 WHERE NOT $3 OR NOT EXISTS (SELECT FROM signing_keys WHERE valid_until IS NULL)",
			permit.KeyID(public), []byte(public), first)
		added = tag.RowsAffected() == 1
		return err
	})
	return added && err == nil, translate("add the signing key", err)
}

// EndSigningKeys ends all keys in use but one. What is being recorded by them is so before,
// or not at all.
func (a *Admin) EndSigningKeys(ctx context.Context, but, by string) error {
	return translate("end the signing keys", pgx.BeginFunc(ctx, a.conn, func(tx pgx.Tx) error {
		if err := sign(ctx, tx, by); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "UPDATE signing_keys SET valid_until = clock_timestamp() WHERE valid_until IS NULL AND id <> $1", but)
		return err
	}))
}
