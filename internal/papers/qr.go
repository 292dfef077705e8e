package papers

import (
	"fmt"

	"github.com/paulmach/orb"
	"rsc.io/qr"
)

// MaxQR is how long an address may be that is drawn as a QR code, bytes: longer ones make
// squares too small to be read from a print.
const MaxQR = 400

// QR draws a text as a QR code with sides of so many millimetres, the white border that it
// needs included.
func QR(text string, side float64) (Drawing, error) {
	if len(text) > MaxQR {
		return Drawing{}, fmt.Errorf("an address of %d bytes is too long for a QR code", len(text))
	}
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return Drawing{}, fmt.Errorf("draw a QR code: %w", err)
	}
	const border = 4 // squares, by the standard
	d := Drawing{Width: side, Height: side}
	square := side / float64(code.Size+2*border)
	d.add(Shape{Paths: [][]orb.Point{rectangle(0, 0, side, side)}, Closed: true, Fill: &white})
	dark := Shape{Closed: true, Fill: &black}
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			from := x
			for x < code.Size && code.Black(x, y) {
				x++
			}
			if x > from {
				dark.Paths = append(dark.Paths, rectangle(float64(from+border)*square, float64(y+border)*square, float64(x-from)*square, square))
			}
		}
	}
	d.add(dark)
	return d, nil
}
