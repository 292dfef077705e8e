package formats

import (
	"bytes"
	"math"
	"strconv"
)

// NoDecimals is for coordinates in whole degrees or metres, 0 being what a format does
// by itself.
const NoDecimals = -1

// MaxDecimals is the most that a coordinate is written with: more than a float64 has.
const MaxDecimals = 15

// Decimals of coordinates where nothing is asked: a centimetre in degrees, a
// millimetre in metres.
const (
	decimalsDegrees = 7
	decimalsMetres  = 3
)

// asked is a number of decimals by the convention of Sheet; otherwise is for 0.
func asked(decimals, otherwise int) int {
	switch decimals {
	case 0:
		return otherwise
	case NoDecimals:
		return 0
	}
	return decimals
}

// mostFixed is up to how many decimals a coordinate is written by way of an integer: of
// more, a float64 has not all.
const mostFixed = 9

// appendFixed writes so many decimals, scale being 10 to that power, without trailing
// zeros; false for what is no number of a sane size. Up to mostFixed it goes by way of an
// integer, several times faster than the shortest exact form; beyond, it is that form
// where it is short enough.
func appendFixed(dst []byte, x float64, decimals int, scale float64) ([]byte, bool) {
	if decimals > mostFixed {
		return appendLong(dst, x, decimals)
	}
	scaled := math.Round(x * scale)
	if !(math.Abs(scaled) < 1<<62) {
		return dst, false
	}
	n := int64(scaled)
	if n < 0 {
		dst = append(dst, '-')
		n = -n
	}
	unit := int64(scale)
	dst = strconv.AppendInt(dst, n/unit, 10)
	fraction := n % unit
	if fraction == 0 {
		return dst, true
	}
	at := len(dst)
	dst = strconv.AppendInt(dst, unit+fraction, 10) // with a 1 before it, so with its first zeros
	dst[at] = '.'
	for dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
	}
	return dst, true
}

func appendLong(dst []byte, x float64, decimals int) ([]byte, bool) {
	if !(math.Abs(x) < 1e15) {
		return dst, false
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, x, 'f', -1, 64)
	if at := bytes.IndexByte(dst[start:], '.'); at < 0 || len(dst)-start-at-1 <= decimals {
		return dst, true
	}
	dst = strconv.AppendFloat(dst[:start], x, 'f', decimals, 64)
	return bytes.TrimRight(bytes.TrimRight(dst, "0"), "."), true
}

// round cuts a coordinate to decimals; ties go away from zero.
func round(x float64, decimals int) float64 {
	scale := math.Pow10(decimals)
	if scaled := x * scale; math.Abs(scaled) < 1<<53 {
		return math.Round(scaled) / scale
	}
	return x
}
