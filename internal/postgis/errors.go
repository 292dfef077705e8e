package postgis

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"hatang/geo"
	"hatang/internal/layer"
	"hatang/internal/permit"
)

// translate wraps a database error in the words of package layer. It goes by
// SQLSTATE and the constraint's name, never by the text of a message.
func translate(doing string, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("%s: %w", doing, layer.ErrNotFound)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s: %w: %w", doing, layer.ErrTimeout, err)
	}
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("%s: %w", doing, err)
	}
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		if connectionLost(err) {
			return fmt.Errorf("%s: %w: %w", doing, layer.ErrUnavailable, err)
		}
		return fmt.Errorf("%s: %w", doing, err)
	}
	switch {
	case pg.Code == "42P01": // undefined table
		return fmt.Errorf("%s: %w: %w: %w", doing, ErrNoSchema, layer.ErrChanged, err)
	case pg.Code == "42703" || pg.Code == "0A000" || pg.Code == "42501": // undefined column; a statement made for other columns; no right any more
		return fmt.Errorf("%s: %w: %w", doing, layer.ErrChanged, err)
	case pg.Code == "42P07": // a layer's name is taken, or one that is made of it
		return fmt.Errorf("%s: %w", doing, layer.ErrNameTaken)
	case pg.Code == "54000" && pg.Routine == "exec_stmt_raise":
		return fmt.Errorf("%s: %w", doing, layer.ErrTooManyLayers)
	case pg.Code == "HT020":
		return fmt.Errorf("%s: %w", doing, layer.ErrStale)
	case pg.Code == "HT021":
		return fmt.Errorf("%s: %w: %w", doing, layer.ErrConflict, err)
	case pg.Code == "HT022":
		return fmt.Errorf("%s: %w", doing, layer.ErrForbidden)
	case pg.Code == "HT023":
		return &permit.RefusedError{Detail: geo.Text{VI: "Chưa đủ ý kiến đồng ý bắt buộc của cơ quan có thẩm quyền: xem missing_consents của hồ sơ. Ở vành đai biên giới và khu vực quân sự phải có văn bản: số, ngày và tệp.",
			EN: "Consent that is required has not been given: see missing_consents of the proposal. In a border belt and in military areas it must be on paper: with number, date and file."}}
	case pg.Code == "HT025":
		return &permit.RefusedError{Detail: geo.Text{VI: fmt.Sprintf("Đã thay đổi sau khi kiểm tra, nên không thể duyệt: %s. Hãy yêu cầu bổ sung.", pg.Detail),
			EN: fmt.Sprintf("Changed since it was checked, and so it cannot be approved: %s. Have it supplemented (ask_more).", pg.Detail)}}
	case pg.ConstraintName == "sharing_requests_one_open":
		return &permit.RefusedError{Detail: geo.Text{VI: "Đơn vị bạn đang có một đề nghị chưa kết thúc về đối tượng này.", EN: "Your organisation has a request about this feature that is open."}}
	case pg.Code == "HT024":
		id, _ := strconv.ParseInt(pg.Detail, 10, 64) // what is no number names none
		return fmt.Errorf("%s: %w", doing, &layer.FiledError{Proposal: id})
	case pg.Code == "HT030":
		return fmt.Errorf("%s: %w", doing, permit.ErrNoSigningKey)
	case pg.Code == "P0002":
		return fmt.Errorf("%s: %w", doing, layer.ErrNotFound)
	case pg.Code == "57014" || pg.Code == "55P03": // cancelled by its time limit; lock not available
		return fmt.Errorf("%s: %w: %w", doing, layer.ErrTimeout, err)
	case pg.ConstraintName == "mast_zones_follows_commune_known":
		var f layer.Faults
		f.Add("/properties/follows_commune", "xã này không có trong thời gian của vùng", "the commune is not there in the zone's time")
		return f.Err()
	case pg.Code == "53100": // disk full
		return fmt.Errorf("%s: %w: %w", doing, layer.ErrNoSpace, err)
	case pg.Code == "23503" || pg.Code == "23505" || pg.Code == "23P01" || pg.Code == "23001" || pg.Code == "40001" || pg.Code == "40P01":
		return fmt.Errorf("%s: %w: %w", doing, layer.ErrConflict, err)
	case strings.HasPrefix(pg.Code, "08"), strings.HasPrefix(pg.Code, "53"), strings.HasPrefix(pg.Code, "57P"):
		return fmt.Errorf("%s: %w: %w", doing, layer.ErrUnavailable, err)
	case pg.Code == "23514" || pg.Code == "23502" || pg.Code == "22023" || pg.Code == "22003" || pg.Code == "22008" || pg.Code == "22021":
		return &layer.InvalidError{Faults: constraintFaults(pg)}
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// connectionLost reports whether the connection broke under the statement.
func connectionLost(err error) bool {
	var connect *pgconn.ConnectError
	var network *net.OpError
	return errors.As(err, &connect) || errors.As(err, &network) || pgconn.SafeToRetry(err) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed)
}

// constraintFaults says which rule of the table a row breaks.
func constraintFaults(pg *pgconn.PgError) layer.Faults {
	var f layer.Faults
	switch {
	case pg.Code == "23502":
		f.Add("/properties/"+pg.ColumnName, "bắt buộc phải có", "is required")
	case strings.HasSuffix(pg.ConstraintName, "_geom_valid"):
		f.Add("/geometry", "vùng tự cắt hoặc không hợp lệ", "the polygon crosses itself or is otherwise invalid")
	case strings.HasSuffix(pg.ConstraintName, "_geom_in_range"):
		f.Add("/geometry", "hình rỗng hoặc toạ độ ngoài phạm vi kinh độ, vĩ độ", "the geometry is empty or outside the range of longitude and latitude")
	case pg.ConstraintName == "valid_time_in_order":
		f.Add("/properties/valid_to", "phải sau valid_from", "must be after valid_from")
	case pg.ConstraintName != "":
		f.Add("/properties", "vi phạm quy tắc %s", "breaks the rule %s", pg.ConstraintName)
	default:
		f.Add("/geometry", "không đúng kiểu hình của lớp hoặc giá trị không hợp lệ", "not the layer's kind of geometry, or a value out of range")
	}
	return f
}

// ErrNoSchema is returned by Open for a database that has not been migrated.
var ErrNoSchema = errors.New("the database has no schema of Hatang yet")
