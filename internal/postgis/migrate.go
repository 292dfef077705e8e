package postgis

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"hatang/internal/layer"
	"hatang/migrations"
)

// Migrate brings the schema of the owner's database up to date, writes the
// registry's documentation as column comments and checks that tables and registry
// agree. Several servers may call it at once: one applies, the others wait.
func Migrate(ctx context.Context, ownerURL string, layers *layer.Registry) error {
	config, err := pgx.ParseConfig(ownerURL)
	if err != nil {
		return fmt.Errorf("database URL: %w", err)
	}
	config.OnNotice = nil
	maps.Copy(config.RuntimeParams, migrationLimits().settings())
	db := stdlib.OpenDB(*config)
	defer db.Close()
	// The locker's own pause of five seconds between tries is long for a start-up.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 120))
	if err != nil {
		return fmt.Errorf("migration lock: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, migrations.Files, goose.WithSessionLocker(locker))
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate the schema: %w", err)
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return translate("connect after migrating", err)
	}
	defer closeConn(ctx, conn)
	if _, err := conn.Exec(ctx, commentsSQL(layers)); err != nil {
		return translate("comment the columns", err)
	}
	references, err := readReferences(ctx, conn)
	if err != nil {
		return translate("read the reference layers", err)
	}
	all := layers.Clone()
	if err := all.Replace(references); err != nil {
		return err
	}
	return CheckSchema(ctx, conn, all)
}

// commentsSQL writes the registry's English documentation as comments of tables and columns.
func commentsSQL(layers *layer.Registry) string {
	var b strings.Builder
	// Whoever waits here keeps nobody from reading or writing.
	fmt.Fprintf(&b, "SET LOCAL lock_timeout = %d; SELECT pg_advisory_xact_lock(7140617);\n", commentsLock.Milliseconds())
	for _, l := range layers.All() {
		fmt.Fprintf(&b, "COMMENT ON TABLE %s IS %s;\n", quote(l.Name), literal(l.Doc.EN))
		for _, f := range l.Fields {
			fmt.Fprintf(&b, "COMMENT ON COLUMN %s.%s IS %s;\n", quote(l.Name), quote(f.Name), literal(f.Doc.EN))
		}
	}
	return b.String()
}

// literal quotes text of ours for a statement that takes no parameters.
func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// quote quotes an identifier.
func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

const columnsSQL = `
SELECT a.attrelid::regclass::text, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull
FROM pg_attribute a
WHERE a.attrelid = ANY (SELECT to_regclass(quote_ident(t)) FROM unnest($1::text[]) t)
  AND a.attnum > 0 AND NOT a.attisdropped`

// CheckSchema compares the tables with the registry and returns every
// disagreement at once.
func CheckSchema(ctx context.Context, conn *pgx.Conn, layers *layer.Registry) error {
	var names []string
	all := layers.Whole().All()
	for _, l := range all {
		names = append(names, l.Name)
	}
	type column struct {
		kind     string
		required bool
	}
	found := map[string]column{}
	rows, err := conn.Query(ctx, columnsSQL, names)
	if err != nil {
		return translate("read the schema", err)
	}
	var table, name string
	var c column
	if _, err := pgx.ForEachRow(rows, []any{&table, &name, &c.kind, &c.required}, func() error {
		found[table+"."+name] = c
		return nil
	}); err != nil {
		return translate("read the schema", err)
	}
	var faults layer.Faults
	expect := func(at, kind string, required bool) {
		got, ok := found[at]
		delete(found, at)
		if !ok || got.kind != kind || got.required != required {
			faults.Add(at, "cột là %q (bắt buộc: %t), sổ đăng ký cần %q (%t)", "the column is %q (required %t), the registry wants %q (%t)", got.kind, got.required, kind, required)
		}
	}
	for _, l := range all {
		expect(l.Name+".id", "bigint", true)
		expect(l.Name+".geom", fmt.Sprintf("geometry(%s,%d)", l.ColumnGeometry(), layer.SRID), !l.MayLackGeometry())
		if column := geometryColumn(l); column != "geom" {
			expect(l.Name+"."+column, fmt.Sprintf("geometry(%s,%d)", l.ColumnGeometry(), l.StorageSRID()), false)
		}
		for _, f := range l.Fields {
			expect(l.Name+"."+f.Name, f.Kind.Column(), f.Required)
		}
	}
	for at := range found {
		faults.Add(at, "cột không có trong sổ đăng ký", "the column is not in the registry")
	}
	if err := checkSight(ctx, conn, layers, &faults); err != nil {
		return translate("read which rows are hidden", err)
	}
	return faults.Err()
}

// checkSight compares which rows are hidden, as the triggers and the registry have it:
// the one counts versions and gives ids, the other decides who sees.
func checkSight(ctx context.Context, conn *pgx.Conn, layers *layer.Registry, faults *layer.Faults) error {
	type sight struct {
		drafts, asSet bool
		withheld      string
	}
	found := map[string]sight{}
	rows, err := conn.Query(ctx, "SELECT layer, drafts, published_as_set, coalesce(withheld, '') FROM layer_sight")
	if err != nil {
		return err
	}
	var name string
	var s sight
	if _, err := pgx.ForEachRow(rows, []any{&name, &s.drafts, &s.asSet, &s.withheld}, func() error {
		found[name] = s
		return nil
	}); err != nil {
		return err
	}
	for _, l := range layers.Whole().All() {
		want := sight{drafts: l.HasDrafts(), asSet: l.PublishedAsSet}
		if l.WithheldField != "" {
			want.withheld = fmt.Sprintf("%s = ANY ('{%s}'::text[])", l.WithheldField, strings.Join(l.WithheldValues, ","))
		}
		if l.StaffOnly() {
			want.withheld = "true"
		}
		if got := found[l.Name]; got != want {
			faults.Add(l.Name, "layer_sight là %+v, sổ đăng ký cần %+v", "layer_sight is %+v, the registry wants %+v", got, want)
		}
	}
	return nil
}
