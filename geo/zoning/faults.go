package zoning

import (
	"fmt"
	"strconv"
	"strings"

	"hatang/geo"
)

// Fault is one thing wrong with a rule set or a proposal, and where.
type Fault struct {
	Pointer string   `json:"pointer"` // RFC 6901; "" is the whole document
	Message geo.Text `json:"message"`
}

// FaultsError reports all faults of a document at once, in the document's order.
type FaultsError struct {
	Of     string // what was read: "rule set" or "proposal"
	Faults []Fault
}

// Error writes one line per fault, in English, pointer first.
func (e *FaultsError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d faults", e.Of, len(e.Faults))
	for _, f := range e.Faults {
		fmt.Fprintf(&b, "\n%s: %s", f.Pointer, f.Message.EN)
	}
	return b.String()
}

// faultList collects faults while a document is read.
type faultList []Fault

// faultKind is a sentence with places for arguments, in both languages.
type faultKind geo.Text

// The sentences. Each %s is filled in order, the same arguments in both languages.
// Go has no constant structs: nothing assigns to these.
var (
	faultNotJSON      = faultKind{"Không phải JSON hợp lệ: %s.", "Not valid JSON: %s."}
	faultDuplicateKey = faultKind{"Khóa này xuất hiện hai lần.", "This key occurs twice."}
	faultTrailing     = faultKind{"Còn dữ liệu sau khi tài liệu kết thúc.", "There is data after the end of the document."}
	faultNotObject    = faultKind{"Phải là một đối tượng {…}.", "Must be an object {…}."}
	faultNotList      = faultKind{"Phải là một danh sách […].", "Must be a list […]."}
	faultNotString    = faultKind{"Phải là một chuỗi ký tự.", "Must be a string."}
	faultNotBoolean   = faultKind{"Phải là true hoặc false.", "Must be true or false."}
	faultNotNumber    = faultKind{"Phải là một số.", "Must be a number."}
	faultNotInteger   = faultKind{"Phải là một số nguyên.", "Must be a whole number."}
	faultMissing      = faultKind{"Thiếu trường bắt buộc này.", "This required field is missing."}
	faultUnknownField = faultKind{"Trường không được biết đến.", "Unknown field."}
	faultNoUnit       = faultKind{"Số không có đơn vị; trường đúng là %s.", "A number without a unit; the field is %s."}
	faultEmpty        = faultKind{"Không được để trống.", "Must not be empty."}
	faultOutOfRange   = faultKind{"Phải nằm trong khoảng %s đến %s.", "Must lie between %s and %s."}
	faultUnknownValue = faultKind{"Không biết giá trị %s; các giá trị được nhận: %s.", "Unknown value %s; accepted: %s."}
	faultDuplicate    = faultKind{"%s đã được dùng ở %s.", "%s is already used at %s."}
	faultDates        = faultKind{"Ngày hết hiệu lực %s không sau ngày có hiệu lực %s.", "The end date %s is not after the start date %s."}
	faultBadDate      = faultKind{"Ngày phải có dạng YYYY-MM-DD.", "A date has the form YYYY-MM-DD."}
	faultNoSource     = faultKind{"Quy tắc không ghi nguồn thì không được nạp.", "A rule without a source does not load."}
	faultNoClause     = faultKind{"Quy tắc không ghi điều khoản thì không được nạp.", "A rule without a clause does not load."}
	faultNotAllowed   = faultKind{"Loại ưu tiên %s không thuộc các loại được phép.", "The preferred type %s is not among the allowed ones."}
	faultOverlap      = faultKind{"Dòng này chồng lên dòng %s cho cùng loại cột và chiều cao.", "This row overlaps row %s for the same mast type and heights."}
	faultPlaceholder  = faultKind{"Không biết chỗ điền %s trong câu này.", "Unknown placeholder %s in this sentence."}
	faultFormat       = faultKind{"Định dạng %s không được hỗ trợ; phiên bản này đọc định dạng 1.", "Format %s is not supported; this version reads format 1."}
	faultNothingAsked = faultKind{"Quy tắc không đòi hỏi gì.", "The rule asks for nothing."}
	faultDeep         = faultKind{"Lồng nhau quá %s cấp.", "Nested deeper than %s levels."}
	faultOwnClass     = faultKind{"Cột vượt giới hạn không thể vẫn là loại %s.", "A mast over the limits cannot still be of the type %s."}
)

func (f *faultList) add(pointer string, kind faultKind, args ...string) {
	*f = append(*f, Fault{pointer, geo.Text{VI: fill(kind.VI, args), EN: fill(kind.EN, args)}})
}

// fill replaces each %s by the next argument; arguments are never read as formats.
func fill(template string, args []string) string {
	var b strings.Builder
	for _, a := range args {
		before, after, found := strings.Cut(template, "%s")
		if !found {
			break
		}
		b.WriteString(before)
		b.WriteString(a)
		template = after
	}
	b.WriteString(template)
	return b.String()
}

// err returns the collected faults as an error, nil when there are none.
func (f faultList) err(of string) error {
	if len(f) == 0 {
		return nil
	}
	return &FaultsError{Of: of, Faults: f}
}

func quote(s string) string { return strconv.Quote(s) }

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

func joinTypes(types []geo.MastType) string { return joinStrings(types) }

func joinStructures(structures []geo.Structure) string { return joinStrings(structures) }

// joinStrings writes a list of words as "A1a, A1b".
func joinStrings[S ~string](items []S) string {
	var b strings.Builder
	for i, s := range items {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(string(s))
	}
	return b.String()
}
