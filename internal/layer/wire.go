package layer

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

// postgresEpoch is the day and instant from which PostgreSQL counts.
var postgresEpoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// AppendJSON appends the JSON form of a value in wire form, which is PostgreSQL's
// binary format in network byte order: 8-byte integers and floats, one-byte
// booleans, dates as days and timestamps as microseconds since 2000-01-01, text as
// UTF-8. A nil value is null. It fails on a value too short for its kind, which
// means that column and registry disagree.
func (k Kind) AppendJSON(dst, value []byte) ([]byte, error) {
	if value == nil {
		return append(dst, "null"...), nil
	}
	switch k {
	case Text:
		return AppendString(dst, value), nil
	case Integer:
		if len(value) == 8 {
			return strconv.AppendInt(dst, int64(binary.BigEndian.Uint64(value)), 10), nil
		}
	case Number:
		if len(value) == 8 {
			return appendFloat(dst, math.Float64frombits(binary.BigEndian.Uint64(value))), nil
		}
	case Boolean:
		if len(value) == 1 {
			return strconv.AppendBool(dst, value[0] != 0), nil
		}
	case Date:
		if len(value) == 4 {
			return appendDate(dst, int32(binary.BigEndian.Uint32(value))), nil
		}
	case Timestamp:
		if len(value) == 8 {
			return appendTimestamp(dst, int64(binary.BigEndian.Uint64(value))), nil
		}
	case TextList:
		return appendTextList(dst, value)
	}
	return dst, fmt.Errorf("a value of %d bytes is no %s", len(value), k)
}

// AppendText appends a value in wire form as the bare text that ParseText reads, for
// cells and elements of files: words as they are, dates, instants and numbers as in JSON
// without quotes, the values of a list with commas between, or as its JSON where that
// would be read otherwise. What is null in JSON appends nothing and is told by false.
// Errors are those of AppendJSON.
func (k Kind) AppendText(dst, value []byte) ([]byte, bool, error) {
	if value == nil {
		return dst, false, nil
	}
	switch k {
	case Text:
		return append(dst, value...), true, nil
	case TextList:
		dst, err := appendListText(dst, value)
		return dst, err == nil, err
	}
	start := len(dst)
	dst, err := k.AppendJSON(dst, value)
	if err != nil {
		return dst[:start], false, err
	}
	written := dst[start:]
	switch {
	case string(written) == "null":
		return dst[:start], false, nil
	case written[0] == '"': // of what is no text, a string has nothing escaped in it
		copy(written, written[1:])
		return dst[:len(dst)-2], true, nil
	}
	return dst, true, nil
}

// What PostgreSQL's date and timestamp with time zone can hold beside their infinities,
// days and microseconds from postgresEpoch; of the latter, what Go's int64 of the Unix
// epoch holds, too.
const (
	firstDay, lastDay = -2451545, 2145031948
	firstMicrosecond  = -211813488000000000
	lastMicrosecond   = math.MaxInt64 - 946684800000000
)

// ValidWire reports whether a value, not nil, is one in wire form (see AppendJSON) that
// the column of a field can hold: what was not read from there can be given back to it.
// Lists are none.
func (k Kind) ValidWire(value []byte) bool {
	switch k {
	case Text:
		return utf8.Valid(value) && bytes.IndexByte(value, 0) < 0
	case Integer, Number:
		return len(value) == 8
	case Boolean:
		return len(value) == 1 && value[0] <= 1
	case Date:
		if len(value) != 4 {
			return false
		}
		days := int32(binary.BigEndian.Uint32(value))
		return days >= firstDay && days <= lastDay || days == math.MinInt32 || days == math.MaxInt32
	case Timestamp:
		if len(value) != 8 {
			return false
		}
		at := int64(binary.BigEndian.Uint64(value))
		return at >= firstMicrosecond && at <= lastMicrosecond || at == math.MinInt64 || at == math.MaxInt64
	default:
		return false
	}
}

// appendDate writes a date; PostgreSQL's infinities are written as null, being no day.
func appendDate(dst []byte, days int32) []byte {
	if days == math.MaxInt32 || days == math.MinInt32 {
		return append(dst, "null"...)
	}
	return append(appendDay(append(dst, '"'), int64(days)), '"')
}

// appendDay writes the day so many after 2000-01-01, four times as fast as package time
// in the years of four digits.
func appendDay(dst []byte, days int64) []byte {
	const (
		era  = 146097 // days of 400 years
		from = 730425 // days from 0000-03-01 to 2000-01-01
	)
	if days < -from || days >= 20*era {
		return postgresEpoch.AddDate(0, 0, int(days)).AppendFormat(dst, time.DateOnly)
	}
	// Years begin in March here, so that the day that is not always there is the last.
	// Source: H. Hinnant, chrono-Compatible Low-Level Date Algorithms (2014).
	at, of := floorDiv(days+from, era)
	year := (of - of/1460 + of/36524 - of/146096) / 365
	ofYear := of - (365*year + year/4 - year/100)
	month := (5*ofYear + 2) / 153
	day := ofYear - (153*month+2)/5 + 1
	year += at * 400
	if month += 3; month > 12 {
		month, year = month-12, year+1
	}
	dst = append(dst, digits(year/100)...)
	dst = append(append(append(dst, digits(year%100)...), '-'), digits(month)...)
	return append(append(dst, '-'), digits(day)...)
}

// digits are the two digits of a number below 100.
func digits(n int64) string { return twoDigits[2*n : 2*n+2] }

const twoDigits = "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748495051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899"

// appendTimestamp writes an instant in UTC; PostgreSQL's infinities are written as null.
func appendTimestamp(dst []byte, microseconds int64) []byte {
	if microseconds == math.MaxInt64 || microseconds == math.MinInt64 {
		return append(dst, "null"...)
	}
	const second, day = 1_000_000, 24 * 3600
	days, rest := floorDiv(microseconds, day*second)
	seconds, fraction := rest/second, rest%second
	dst = appendDay(append(dst, '"'), days)
	dst = append(append(append(dst, 'T'), digits(seconds/3600)...), ':')
	dst = append(append(append(dst, digits(seconds/60%60)...), ':'), digits(seconds%60)...)
	if fraction > 0 {
		dst = append(append(append(append(dst, '.'), digits(fraction/10000)...), digits(fraction/100%100)...), digits(fraction%100)...)
		dst = bytes.TrimRight(dst, "0")
	}
	return append(dst, 'Z', '"')
}

// floorDiv divides so that what is left is never negative.
func floorDiv(a, b int64) (quotient, rest int64) {
	quotient, rest = a/b, a%b
	if rest < 0 {
		quotient, rest = quotient-1, rest+b
	}
	return quotient, rest
}

// appendFloat writes the shortest number that reads back the same; JSON has no
// NaN or infinity, which are written as null.
func appendFloat(dst []byte, x float64) []byte {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return append(dst, "null"...)
	}
	// Most numbers are whole; -0 is no whole number here.
	if n := int64(x); float64(n) == x && -1<<53 < n && n < 1<<53 && (n != 0 || !math.Signbit(x)) {
		return strconv.AppendInt(dst, n, 10)
	}
	return strconv.AppendFloat(dst, x, 'f', -1, 64)
}

// maxDimensions is PostgreSQL's own limit for arrays.
const maxDimensions = 6

// items walks PostgreSQL's binary text[]. The type allows lists of lists, whose items
// are those of one list here.
type items struct {
	rest []byte
	left uint64 // items to come
	bad  bool
}

func itemsOf(value []byte) items {
	const header, dimension = 12, 8
	if len(value) < header {
		return items{bad: true}
	}
	dimensions := uint64(binary.BigEndian.Uint32(value))
	l := items{rest: value[header:], left: 1}
	if dimensions == 0 {
		l.left = 0
		return l
	}
	if dimensions > maxDimensions || uint64(len(l.rest)) < dimensions*dimension {
		return items{bad: true}
	}
	for range dimensions {
		l.left *= uint64(binary.BigEndian.Uint32(l.rest))
		l.rest = l.rest[dimension:]
	}
	return l
}

// next returns the next item, nil for null; false behind the last, and where the bytes
// are no list.
func (l *items) next() (item []byte, ok bool) {
	if l.left == 0 || l.bad {
		return nil, false
	}
	l.left--
	if len(l.rest) < 4 {
		l.bad = true
		return nil, false
	}
	size := int32(binary.BigEndian.Uint32(l.rest))
	l.rest = l.rest[4:]
	if size < 0 {
		return nil, true
	}
	if len(l.rest) < int(size) {
		l.bad = true
		return nil, false
	}
	item, l.rest = l.rest[:size:size], l.rest[size:]
	return item, true
}

// err tells whether what was walked is a list.
func (l *items) err(value []byte) error {
	if l.bad {
		return fmt.Errorf("a value of %d bytes is no %s", len(value), TextList)
	}
	return nil
}

// appendTextList writes PostgreSQL's binary text[] as a JSON array.
func appendTextList(dst, value []byte) ([]byte, error) {
	dst = append(dst, '[')
	start := len(dst)
	list := itemsOf(value)
	for item, ok := list.next(); ok; item, ok = list.next() {
		if len(dst) > start {
			dst = append(dst, ',')
		}
		if item == nil {
			dst = append(dst, "null"...)
		} else {
			dst = AppendString(dst, item)
		}
	}
	return append(dst, ']'), list.err(value)
}

// appendListText writes a list as ParseText reads it.
func appendListText(dst, value []byte) ([]byte, error) {
	start, plain := len(dst), true
	list := itemsOf(value)
	for item, ok := list.next(); ok; item, ok = list.next() {
		if len(dst) > start {
			dst = append(dst, ',')
		}
		plain = plain && len(item) > 0 && item[0] != '[' && !bytes.ContainsRune(item, ',') && len(bytes.TrimSpace(item)) == len(item)
		dst = append(dst, item...)
	}
	if plain && len(dst) > start {
		return dst, list.err(value)
	}
	return appendTextList(dst[:start], value)
}

const hexDigits = "0123456789abcdef"

// AppendString appends text as a JSON string. Bytes that are not UTF-8 become U+FFFD.
func AppendString(dst, s []byte) []byte {
	dst = append(dst, '"')
	ascii, bare := looked(s)
	switch {
	case bare && (ascii || utf8.Valid(s)):
		return append(append(dst, s...), '"')
	case ascii || utf8.Valid(s):
		return append(appendEscaped(dst, s), '"')
	}
	for len(s) > 0 {
		r, size := utf8.DecodeRune(s)
		if r == utf8.RuneError && size == 1 {
			dst = append(dst, `\ufffd`...)
		} else {
			dst = appendEscaped(dst, s[:size])
		}
		s = s[size:]
	}
	return append(dst, '"')
}

// looked reports whether a text is ASCII, and whether nothing in it is escaped in a JSON
// string, eight bytes at a time.
func looked(s []byte) (ascii, bare bool) {
	const (
		each  = 0x0101010101010101
		highs = 0x80 * each
	)
	var high, odd uint64 // bits of bytes that are not ASCII, and of some that are escaped
	for ; len(s) >= 8; s = s[8:] {
		w := binary.LittleEndian.Uint64(s)
		high |= w
		odd |= ((w - ' '*each) | ((w ^ '"'*each) - each) | ((w ^ '\\'*each) - each)) &^ w
	}
	for _, b := range s {
		high |= uint64(b)
		if b < ' ' || b == '"' || b == '\\' {
			odd |= highs
		}
	}
	return high&highs == 0, odd&highs == 0
}

// appendEscaped appends text without what may not stand in a JSON string.
func appendEscaped(dst, s []byte) []byte {
	start := 0
	for i, b := range s {
		if b >= ' ' && b != '"' && b != '\\' {
			continue
		}
		dst = append(dst, s[start:i]...)
		start = i + 1
		switch b {
		case '"', '\\':
			dst = append(dst, '\\', b)
		case '\n':
			dst = append(dst, `\n`...)
		case '\t':
			dst = append(dst, `\t`...)
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[b>>4], hexDigits[b&15])
		}
	}
	return append(dst, s[start:]...)
}
