package postgis

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"hatang/internal/account"
	"hatang/internal/layer"
)

// KeyViewer returns whose key it is; layer.ErrNotFound for a key that is unknown,
// expired or revoked. Cost: one index look-up on the hash.
func (s *Store) KeyViewer(ctx context.Context, key string) (account.Viewer, error) {
	var v account.Viewer
	var id, role string
	err := s.pool.QueryRow(ctx, `SELECT id, role, coalesce(organisation, ''), coalesce(territory, '') FROM api_keys
		WHERE hash = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())`, account.Hash(key)).
		Scan(&id, &role, &v.Organisation, &v.Territory)
	v.Role = account.Role(role)
	v.Name = "key:" + id
	return v, translate("look up the key", err)
}

// NewKey is a key to be kept.
type NewKey struct {
	ID, Key, Name           string
	Role                    account.Role
	Organisation, Territory string
	Expires                 time.Time // zero for never
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

// AddKey keeps the hash of a key. An organisation or territory that is not in the
// register is a *layer.InvalidError.
func (a *Admin) AddKey(ctx context.Context, k NewKey, by string) error {
	var organisation, territory bool
	err := a.conn.QueryRow(ctx, `SELECT $1 = '' OR EXISTS (SELECT FROM organisations WHERE code = $1),
		$2 = '' OR EXISTS (SELECT FROM provinces WHERE code = $2 UNION ALL SELECT FROM districts WHERE code = $2 UNION ALL SELECT FROM communes WHERE code = $2)`,
		k.Organisation, k.Territory).Scan(&organisation, &territory)
	if err != nil {
		return translate("look up organisation and territory", err)
	}
	var faults layer.Faults
	if !organisation {
		faults.Add("organisation", "không có tổ chức %q trong sổ đăng ký", "the register has no organisation %q", k.Organisation)
	}
	if !territory {
		faults.Add("territory", "không có đơn vị hành chính %q trong sổ đăng ký", "the register has no administrative unit %q", k.Territory)
	}
	if err := faults.Err(); err != nil {
		return err
	}
	return translate("keep the key", addKey(ctx, a.conn, k, by))
}

// AddFirstKey keeps the key if there is none at all yet, and says whether it did.
// Of several servers that start at once, one does.
func (a *Admin) AddFirstKey(ctx context.Context, k NewKey, by string) (bool, error) {
	added := false
	err := pgx.BeginFunc(ctx, a.conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "LOCK TABLE api_keys IN SHARE ROW EXCLUSIVE MODE"); err != nil {
			return err
		}
		var some bool
		if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM api_keys)").Scan(&some); err != nil || some {
			return err
		}
		added = true
		return addKey(ctx, tx, k, by)
	})
	return added, translate("keep the first key", err)
}

func addKey(ctx context.Context, db querier, k NewKey, by string) error {
	var expires *time.Time
	if !k.Expires.IsZero() {
		expires = &k.Expires
	}
	_, err := db.Exec(ctx, `INSERT INTO api_keys (id, hash, name, role, organisation, territory, created_by, expires_at)
		VALUES ($1, $2, $3, $4, nullif($5, ''), nullif($6, ''), $7, $8)`,
		k.ID, account.Hash(k.Key), k.Name, string(k.Role), k.Organisation, k.Territory, by, expires)
	return err
}
