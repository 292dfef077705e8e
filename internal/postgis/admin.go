package postgis

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"hatang/internal/layer"
)

// querier is what a connection and a transaction have in common.
type querier interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Oldest versions that Hatang works with.
const (
	oldestServer  = 140000 // PostgreSQL 14
	oldestPostGIS = 3.1
)

// CheckServer says precisely what the database lacks for Hatang, all at once.
func CheckServer(ctx context.Context, url string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return translate("connect to the database", err)
	}
	defer closeConn(ctx, conn)
	var server int
	var serverName, postgis string
	var hasPostGIS, hasBtree, mayCreate, mayExtend, mayRole, mayReference, superuser bool
	err = conn.QueryRow(ctx, `SELECT current_setting('server_version_num')::int, current_setting('server_version'),
		coalesce((SELECT extversion FROM pg_extension WHERE extname = 'postgis'), (SELECT default_version FROM pg_available_extensions WHERE name = 'postgis'), ''),
		EXISTS (SELECT FROM pg_extension WHERE extname = 'postgis'),
		EXISTS (SELECT FROM pg_available_extensions WHERE name = 'btree_gist'),
		has_schema_privilege('public', 'CREATE'),
		has_database_privilege(current_database(), 'CREATE') OR EXISTS (SELECT FROM pg_extension WHERE extname = 'btree_gist'),
		CASE WHEN to_regclass('spatial_ref_sys') IS NULL THEN true ELSE has_table_privilege(to_regclass('spatial_ref_sys'), 'INSERT') END,
		EXISTS (SELECT FROM pg_roles WHERE rolname = current_user AND rolcreaterole) OR 2 = (SELECT count(*) FROM pg_roles WHERE rolname IN ('hatang_app', 'hatang_read') AND pg_has_role(oid, 'MEMBER')),
		EXISTS (SELECT FROM pg_roles WHERE rolname = current_user AND rolsuper)`).
		Scan(&server, &serverName, &postgis, &hasPostGIS, &hasBtree, &mayCreate, &mayExtend, &mayReference, &mayRole, &superuser)
	if err != nil {
		return translate("ask the database what it is", err)
	}
	var f layer.Faults
	if server < oldestServer {
		f.Add("PostgreSQL", "cần PostgreSQL 14 trở lên, máy chủ là %s", "PostgreSQL 14 or newer is needed, the server is %s", serverName)
	}
	var release float64
	if _, err := fmt.Sscanf(postgis, "%f", &release); postgis == "" || err != nil || release < oldestPostGIS {
		f.Add("PostGIS", "cần PostGIS 3.1 trở lên, máy chủ có %q", "PostGIS 3.1 or newer is needed, the server offers %q", postgis)
	} else if !hasPostGIS && !superuser {
		f.Add("PostGIS", "chưa cài trong cơ sở dữ liệu này; quản trị chạy: CREATE EXTENSION postgis", "is not installed in this database; a superuser runs: CREATE EXTENSION postgis")
	}
	if !hasBtree {
		f.Add("btree_gist", "thiếu phần mở rộng btree_gist (gói postgresql-contrib)", "the extension btree_gist is not available (package postgresql-contrib)")
	}
	if !mayCreate {
		f.Add("schema public", "người dùng không được tạo bảng trong schema public", "the user may not create tables in schema public")
	}
	if !mayExtend {
		f.Add("btree_gist", "người dùng không được tạo phần mở rộng; quản trị chạy: CREATE EXTENSION btree_gist", "the user may not create extensions; a superuser runs: CREATE EXTENSION btree_gist")
	}
	if !mayReference {
		f.Add("spatial_ref_sys", "người dùng không được thêm hệ toạ độ; quản trị chạy: GRANT INSERT ON spatial_ref_sys TO người dùng này", "the user may not add reference systems; a superuser runs: GRANT INSERT ON spatial_ref_sys TO this user")
	}
	if !mayRole && !superuser {
		f.Add("role hatang_app", "người dùng không được tạo vai trò; quản trị chạy: CREATE ROLE hatang_app; CREATE ROLE hatang_read; GRANT hatang_read TO hatang_app; GRANT hatang_app, hatang_read TO người dùng này", "the user may not create roles; a superuser runs: CREATE ROLE hatang_app; CREATE ROLE hatang_read; GRANT hatang_read TO hatang_app; GRANT hatang_app, hatang_read TO this user")
	}
	return f.Err()
}

// ServerVersion names the versions of PostgreSQL and PostGIS.
func ServerVersion(ctx context.Context, url string) (string, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return "", translate("connect to the database", err)
	}
	defer closeConn(ctx, conn)
	var version string
	err = conn.QueryRow(ctx, `SELECT 'PostgreSQL ' || current_setting('server_version') || ', PostGIS ' ||
		coalesce((SELECT extversion FROM pg_extension WHERE extname = 'postgis'), 'not installed')`).Scan(&version)
	return version, translate("ask the database what it is", err)
}

// Inconsistencies finds what no constraint can: tables that disagree with the
// registry, operator positions without a site, zones that follow no commune, and
// changes past the history.
func (s *Store) Inconsistencies(ctx context.Context) ([]string, error) {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return nil, translate("look for inconsistencies", err)
	}
	defer conn.Release()
	var problems []string
	if err := CheckSchema(ctx, conn.Conn(), s.layers); err != nil {
		problems = append(problems, err.Error())
	}
	var published int
	if err := conn.QueryRow(ctx, "SELECT count(*) FROM reference_layers WHERE withdrawn_at IS NULL").Scan(&published); err != nil {
		return problems, translate("look for inconsistencies", err)
	}
	sound, err := readReferences(ctx, conn)
	if err != nil {
		return problems, translate("look for inconsistencies", err)
	}
	if bad := published - len(sound); bad > 0 {
		problems = append(problems, fmt.Sprintf("%d reference layers whose definition cannot be one", bad))
	}
	for _, q := range []struct{ what, sql string }{
		{"operator positions whose site is not in force with them", `SELECT count(*) FROM operator_positions p WHERE NOT EXISTS (
			SELECT FROM bts_sites s WHERE s.code = p.site_code AND daterange(s.valid_from, s.valid_to) && daterange(p.valid_from, p.valid_to))`},
		{"mast zones that follow a commune which is not there", `SELECT count(*) FROM mast_zones z WHERE follows_commune IS NOT NULL
			AND NOT EXISTS (SELECT FROM communes c WHERE c.code = z.follows_commune)`},
	} {
		var n int
		if err := conn.QueryRow(ctx, q.sql).Scan(&n); err != nil {
			return problems, translate("look for inconsistencies", err)
		}
		if n > 0 {
			problems = append(problems, fmt.Sprintf("%d %s", n, q.what))
		}
	}
	past, err := unrecorded(ctx, conn, s.layers.Whole().All())
	return append(problems, past...), translate("look for inconsistencies", err)
}
