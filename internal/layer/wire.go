package layer

import (
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

// appendDate writes a date; PostgreSQL's infinities are written as null, being no day.
func appendDate(dst []byte, days int32) []byte {
	if days == math.MaxInt32 || days == math.MinInt32 {
		return append(dst, "null"...)
	}
	dst = append(dst, '"')
	dst = postgresEpoch.AddDate(0, 0, int(days)).AppendFormat(dst, time.DateOnly)
	return append(dst, '"')
}

// appendTimestamp writes an instant in UTC; PostgreSQL's infinities are written as
// null. A time.Duration would overflow 292 years away from 2000.
func appendTimestamp(dst []byte, microseconds int64) []byte {
	if microseconds == math.MaxInt64 || microseconds == math.MinInt64 {
		return append(dst, "null"...)
	}
	at := time.UnixMicro(postgresEpoch.UnixMicro() + microseconds).UTC()
	dst = append(dst, '"')
	dst = at.AppendFormat(dst, time.RFC3339Nano)
	return append(dst, '"')
}

// appendFloat writes the shortest number that reads back the same; JSON has no
// NaN or infinity, which are written as null.
func appendFloat(dst []byte, x float64) []byte {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return append(dst, "null"...)
	}
	return strconv.AppendFloat(dst, x, 'f', -1, 64)
}

// maxDimensions is PostgreSQL's own limit for arrays.
const maxDimensions = 6

// appendTextList writes PostgreSQL's binary text[]; the type allows lists of lists,
// which are written as one list.
func appendTextList(dst, value []byte) ([]byte, error) {
	const header, dimension = 12, 8
	bad := fmt.Errorf("a value of %d bytes is no %s", len(value), TextList)
	if len(value) < header {
		return dst, bad
	}
	dimensions := uint64(binary.BigEndian.Uint32(value))
	rest := value[header:]
	if dimensions == 0 {
		return append(dst, "[]"...), nil
	}
	if dimensions > maxDimensions || uint64(len(rest)) < dimensions*dimension {
		return dst, bad
	}
	count := uint64(1)
	for range dimensions {
		count *= uint64(binary.BigEndian.Uint32(rest))
		rest = rest[dimension:]
	}
	dst = append(dst, '[')
	for i := range count {
		if i > 0 {
			dst = append(dst, ',')
		}
		if len(rest) < 4 {
			return dst, bad
		}
		size := int32(binary.BigEndian.Uint32(rest))
		rest = rest[4:]
		if size < 0 {
			dst = append(dst, "null"...)
			continue
		}
		if len(rest) < int(size) {
			return dst, bad
		}
		dst = AppendString(dst, rest[:size])
		rest = rest[size:]
	}
	return append(dst, ']'), nil
}

const hexDigits = "0123456789abcdef"

// AppendString appends text as a JSON string. Bytes that are not UTF-8 become U+FFFD.
func AppendString(dst, s []byte) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		b := s[i]
		if b >= utf8.RuneSelf {
			r, size := utf8.DecodeRune(s[i:])
			if r == utf8.RuneError && size == 1 {
				dst = append(append(dst, s[start:i]...), `\ufffd`...)
				start = i + 1
			}
			i += size
			continue
		}
		if b >= ' ' && b != '"' && b != '\\' {
			i++
			continue
		}
		dst = append(dst, s[start:i]...)
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
		i++
		start = i
	}
	return append(append(dst, s[start:]...), '"')
}
