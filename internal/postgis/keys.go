package postgis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/memory"
)

// grantsOf is a column of the grants in force of a person or key, as JSON.
const grantsOf = `coalesce((SELECT jsonb_agg(jsonb_build_object('id', g.id, 'role', g.role, 'layers', g.layers, 'territory', coalesce(g.territory, '')) ORDER BY g.id)
	FROM grants_in_force g WHERE g.%s = %s), '[]')`

// KeyViewer returns whose key it is; layer.ErrNotFound for a key that is unknown,
// expired, revoked or of a person who is disabled. Cost: one index look-up on the hash
// and one for its grants, in a statement for all who ask at the same time.
func (s *Store) KeyViewer(ctx context.Context, key string) (account.Viewer, error) {
	holder, err := s.KeyHolder(ctx, string(account.Hash(key)))
	return holder.Of, err
}

// KeyHolder is KeyViewer by the key's hash, and says of which state of the database it speaks.
func (s *Store) KeyHolder(ctx context.Context, hash string) (memory.Holder[account.Viewer], error) {
	return holder(ctx, &s.keysAsked, "look up the key", hash, s.lookUpKeys)
}

// holder returns who has the secret of a hash; layer.ErrNotFound for nobody.
func holder[A any](ctx context.Context, asked *gatherings[oneKind, string, *memory.Holder[A]], doing, hash string, read func(context.Context, []*lookUp[string, *memory.Holder[A]]) error) (memory.Holder[A], error) {
	one := asked.ask(ctx, oneKind{}, hash, read)
	if one.err == nil && one.answer == nil {
		one.err = layer.ErrNotFound
	}
	if one.err != nil {
		return memory.Holder[A]{}, translate(doing, one.err)
	}
	return *one.answer, nil
}

// asOf are columns that say of which state of the database a row of who has a secret is, and how
// many seconds that is good for: until it ends by itself, and a day at most.
const asOf = `(SELECT ` + identity + ` FROM pg_database d WHERE d.datname = current_database()), (SELECT version FROM layer_versions WHERE layer = '` + memory.AccessLayer + `'),
	extract(epoch FROM least(%s, now() + interval '1 day') - now())::float8`

// lookUpKeys answers questions for keys. Nobody changes what several are told.
func (s *Store) lookUpKeys(ctx context.Context, questions []*lookUp[string, *memory.Holder[account.Viewer]]) error {
	return answerByHash(ctx, s, questions, `SELECT k.hash, `+fmt.Sprintf(asOf, "k.expires_at")+`, k.id, coalesce(k.person, 0), coalesce(p.organisation, k.organisation, ''), `+fmt.Sprintf(grantsOf, "key", "k.id")+`
		FROM api_keys k LEFT JOIN people p ON p.id = k.person
		WHERE k.hash = $1 AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now()) AND p.disabled_at IS NULL`,
		func(v *account.Viewer, row pgx.Rows, state ...any) error {
			var id string
			err := row.Scan(append(state, &id, &v.Person, &v.Organisation, &v.Grants)...)
			v.Name = "key:" + id
			return err
		})
}

// answerByHash answers questions for hashes with what scan makes of the rows: their first columns
// are the hash and asOf. sql is the statement for one hash, which is all there is as a rule: it
// keeps its plan, while one for any number of them may have to be planned each time, which takes
// longer than to carry it out.
func answerByHash[A any](ctx context.Context, s *Store, questions []*lookUp[string, *memory.Holder[A]], sql string, scan func(of *A, row pgx.Rows, state ...any) error) error {
	ctx, cancel := s.forOthers(ctx)
	defer cancel()
	hashes := make([][]byte, len(questions))
	for i, q := range questions {
		hashes[i] = []byte(q.of)
	}
	var asked any = hashes[0]
	if slices.ContainsFunc(questions, func(q *lookUp[string, *memory.Holder[A]]) bool { return q.of != questions[0].of }) {
		sql, asked = strings.Replace(sql, "hash = $1", "hash = ANY ($1)", 1), hashes
	}
	rows, err := s.pool.kept.Query(ctx, sql, asked)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var hash []byte
		var seconds float64
		answer := &memory.Holder[A]{}
		if err := scan(&answer.Of, rows, &hash, &answer.Server, &answer.Access, &seconds); err != nil {
			return err
		}
		answer.For = time.Duration(seconds * float64(time.Second))
		for _, q := range questions {
			if q.of == string(hash) {
				q.answer = answer
			}
		}
	}
	return rows.Err()
}

// viewerNamed returns a key or a person as they are now by the name that the history records;
// layer.ErrForbidden for who is no more, or has no access any more.
func viewerNamed(ctx context.Context, q querier, name string) (account.Viewer, error) {
	v := account.Viewer{Name: name}
	kind, of, _ := strings.Cut(name, ":")
	sql := `SELECT coalesce(k.person, 0), coalesce(p.organisation, k.organisation, ''), ` + fmt.Sprintf(grantsOf, "key", "k.id") + `
		FROM api_keys k LEFT JOIN people p ON p.id = k.person
		WHERE k.id = $1 AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now()) AND p.disabled_at IS NULL`
	if kind == "person" {
		sql = `SELECT p.id, coalesce(p.organisation, ''), ` + fmt.Sprintf(grantsOf, "person", "p.id") + ` FROM people p WHERE p.login = $1 AND p.disabled_at IS NULL`
	}
	err := q.QueryRow(ctx, sql, of).Scan(&v.Person, &v.Organisation, &v.Grants)
	if errors.Is(err, pgx.ErrNoRows) {
		err = fmt.Errorf("%s has no access any more: %w", name, layer.ErrForbidden)
	}
	return v, err
}

// Keys returns the keys that the viewer keeps, the newest first: all for an
// administrator, else a person's own, of which a key knows itself alone.
func (s *Store) Keys(ctx context.Context, v account.Viewer) ([]account.Key, error) {
	rows, err := s.pool.kept.Query(ctx, `SELECT k.id, k.name, coalesce(p.organisation, k.organisation, ''), k.person, `+fmt.Sprintf(grantsOf, "key", "k.id")+`,
			k.created_by, k.created_at, k.expires_at, k.revoked_at
		FROM api_keys k LEFT JOIN people p ON p.id = k.person WHERE `+keptBy+` ORDER BY k.created_at DESC, k.id`, v.Administers(), ownOf(v), v.KeyID())
	if err != nil {
		return nil, translate("list the keys", err)
	}
	keys, err := pgx.CollectRows(rows, pgx.RowToStructByPos[account.Key])
	return keys, translate("list the keys", err)
}

// keptBy picks, of the keys k, those that a viewer keeps. Its parameters: whether he administers,
// ownOf and KeyID.
//
// Decided: a key that is no administrator's sees and revokes itself alone. Made for one layer,
// it has no business with what else the person does.
const keptBy = `($1 OR k.person = $2 AND $3 IN ('', k.id))`

// ownOf is the id of the viewer's person, null for none.
func ownOf(v account.Viewer) any {
	if v.Person == 0 {
		return nil
	}
	return v.Person
}

// AddKey keeps a key. The viewer must be allowed to make keys and to hand on its grants, and
// make keys for himself alone unless he is an administrator: else layer.ErrForbidden.
func (s *Store) AddKey(ctx context.Context, v account.Viewer, k account.NewKeyRecord) error {
	if !v.MayMakeKeys() {
		return fmt.Errorf("%s makes no keys: %w", v.Name, layer.ErrForbidden)
	}
	if !v.Administers() && k.Person != v.Person {
		return fmt.Errorf("a key for somebody else: %w", layer.ErrForbidden)
	}
	for _, g := range k.Grants {
		if !v.MayGrant(g) {
			return fmt.Errorf("a grant of %s: %w", g.Role, layer.ErrForbidden)
		}
	}
	return s.write(ctx, v, "keep the key", func(tx pgx.Tx) error { return addKey(ctx, tx, s.layers, k, v.Name) })
}

// RevokeKey ends a key at once; layer.ErrNotFound for one that the viewer does not keep.
func (s *Store) RevokeKey(ctx context.Context, v account.Viewer, id string) error {
	return s.write(ctx, v, "revoke the key", func(tx pgx.Tx) error {
		var known bool
		if err := tx.QueryRow(ctx, "SELECT true FROM api_keys k WHERE "+keptBy+" AND id = $4", v.Administers(), ownOf(v), v.KeyID(), id).Scan(&known); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "UPDATE api_keys SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL", id)
		return err
	})
}

// addKey writes a key and its grants; *layer.InvalidError with all faults of both.
func addKey(ctx context.Context, tx querier, layers *layer.Registry, k account.NewKeyRecord, by string) error {
	if err := checkGrants(ctx, tx, layers, k.Organisation, k.Grants); err != nil {
		return err
	}
	var expires, person any
	if !k.Expires.IsZero() {
		expires = k.Expires
	}
	if k.Person != 0 {
		person = k.Person
	}
	if _, err := tx.Exec(ctx, `INSERT INTO api_keys (id, hash, name, organisation, person, created_by, expires_at)
		VALUES ($1, $2, $3, nullif($4, ''), $5, $6, $7)`, k.ID, k.Hash, k.Name, k.Organisation, person, by, expires); err != nil {
		return err
	}
	for _, g := range k.Grants {
		if _, err := addGrant(ctx, tx, "key", k.ID, g); err != nil {
			return err
		}
	}
	return nil
}

// addGrant writes a grant of a person or a key and returns its id.
func addGrant(ctx context.Context, tx querier, column string, of any, g account.Grant) (id int64, err error) {
	err = tx.QueryRow(ctx, "INSERT INTO grants ("+column+", role, layers, territory) VALUES ($1, $2, $3, nullif($4, '')) RETURNING id",
		of, string(g.Role), g.Layers, g.Territory).Scan(&id)
	return id, err
}

// checkGrants returns all that does not exist or does not go together of grants and of
// the organisation they act for, as *layer.InvalidError.
func checkGrants(ctx context.Context, tx querier, layers *layer.Registry, organisation string, grants []account.Grant) error {
	var faults layer.Faults
	territories := make([]string, len(grants))
	for i, g := range grants {
		territories[i] = g.Territory
	}
	var known bool
	var missing []string
	err := tx.QueryRow(ctx, `SELECT $1 = '' OR EXISTS (SELECT FROM organisations WHERE code = $1),
		ARRAY(SELECT code FROM unnest($2::text[]) code WHERE code <> '' AND hatang_territory(code) IS NULL)`, organisation, territories).Scan(&known, &missing)
	if err != nil {
		return err
	}
	if !known {
		faults.Add("/organisation", "không có tổ chức %q trong sổ đăng ký", "the register has no organisation %q", organisation)
	}
	for i, g := range grants {
		at := fmt.Sprintf("/grants/%d", i)
		if g.Role == account.Public || !g.Role.Valid() {
			faults.Add(at+"/role", "không có vai trò %q", "there is no role %q", g.Role)
		}
		if g.Role == account.Administrator && (g.Layers != nil || g.Territory != "") {
			faults.Add(at, "quản trị không giới hạn theo lớp hay địa bàn", "an administrator is not limited to layers or a territory")
		}
		if g.Role == account.Consulted && g.Territory != "" {
			faults.Add(at+"/territory", "cơ quan được hỏi ý kiến theo từng đối tượng, không theo địa bàn", "an agency is consulted row by row, not by territory")
		}
		if g.Layers != nil && len(g.Layers) == 0 {
			faults.Add(at+"/layers", "phải có ít nhất một lớp; null là mọi lớp", "at least one layer is needed; null means all")
		}
		if slices.Contains(missing, g.Territory) {
			faults.Add(at+"/territory", "không có đơn vị hành chính %q trong sổ đăng ký", "the register has no administrative unit %q", g.Territory)
		}
		for _, name := range g.Layers {
			if _, ok := layers.Whole().Get(name); !ok {
				faults.Add(at+"/layers", "không có lớp %q", "there is no layer %q", name)
			}
		}
	}
	return faults.Err()
}

// Admin works with the owner's rights: what the serving role must not do. Close it.
type Admin struct{ conn *pgx.Conn }

// OpenAdmin connects as the owner of the schema.
func OpenAdmin(ctx context.Context, ownerURL string) (*Admin, error) {
	conn, err := pgx.Connect(ctx, ownerURL)
	if err != nil {
		return nil, translate("connect to the database", err)
	}
	return &Admin{conn}, nil
}

// closeConn ends a connection that was only asked something: an error in saying
// goodbye cannot change the answer.
func closeConn(ctx context.Context, conn *pgx.Conn) {
	_ = conn.Close(context.WithoutCancel(ctx))
}

// Close ends the connection.
func (a *Admin) Close(ctx context.Context) error { return a.conn.Close(context.WithoutCancel(ctx)) }

// AddFirstKey keeps the key if there is none at all yet, and says whether it did.
// Of several servers that start at once, one does.
func (a *Admin) AddFirstKey(ctx context.Context, k account.NewKeyRecord, by string) (bool, error) {
	added := false
	err := pgx.BeginFunc(ctx, a.conn, func(tx pgx.Tx) error {
		if err := sign(ctx, tx, by); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "LOCK TABLE api_keys IN SHARE ROW EXCLUSIVE MODE"); err != nil {
			return err
		}
		var some bool
		if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM api_keys)").Scan(&some); err != nil || some {
			return err
		}
		added = true
		return addKey(ctx, tx, nil, k, by)
	})
	return added, translate("keep the first key", err)
}
