package filter

import "time"

// Place is where a part of a filter stands: a byte offset into text, or a JSON pointer.
type Place struct {
	Offset  int
	Pointer string
	JSON    bool // Pointer counts, not Offset
}

// Expr is a part of a filter: one of the types below, always by pointer.
type Expr interface {
	// Place returns where the part stands in what was parsed.
	Place() Place
}

type (
	// Call is an operator or a function with its operands. Op is the name that the JSON
	// form gives it ("and", "s_intersects"), or the name of a function the standard does
	// not have. The second operand of "in" is a *List.
	Call struct {
		At   Place
		Op   string
		Args []Expr
	}
	// Property is the value of a property.
	Property struct {
		At   Place
		Name string
	}
	// Text is a character literal.
	Text struct {
		At    Place
		Value string
	}
	// Number is a numeric literal: whole numbers keep every digit in Int, others are in Float.
	Number struct {
		At    Place
		Whole bool
		Int   int64
		Float float64
	}
	// Boolean is TRUE or FALSE.
	Boolean struct {
		At    Place
		Value bool
	}
	// Date is a day; its time is midnight, UTC.
	Date struct {
		At    Place
		Value time.Time
	}
	// Timestamp is an instant in UTC.
	Timestamp struct {
		At    Place
		Value time.Time
	}
	// Interval is the time between two instants, both belonging to it. An end is a *Date,
	// *Timestamp, *Open, *Property or a function's *Call.
	Interval struct {
		At       Place
		From, To Expr
	}
	// Open is the end of an interval that has none there.
	Open struct{ At Place }
	// List is an array, or what stands behind IN.
	List struct {
		At    Place
		Items []Expr
	}
	// Geometry is a geometric literal. Parts are polygons of rings of positions; kinds
	// with less nesting have one of what they lack, so that a point is one part with one
	// ring of one position, and the lines of a MultiLineString are rings of one part.
	Geometry struct {
		At      Place
		Kind    string // as GeoJSON writes it
		Z       bool   // positions have heights
		Parts   [][][]Position
		Members []*Geometry // of a GeometryCollection
	}
	// Box is a bounding box; a west edge east of the east edge crosses the antimeridian.
	Box struct {
		At       Place
		Z        bool
		Min, Max Position
	}
)

// Position is x, y and height, in the order in which they were written.
type Position [3]float64

// Place implements Expr.
func (e *Call) Place() Place { return e.At }

// Place implements Expr.
func (e *Property) Place() Place { return e.At }

// Place implements Expr.
func (e *Text) Place() Place { return e.At }

// Place implements Expr.
func (e *Number) Place() Place { return e.At }

// Place implements Expr.
func (e *Boolean) Place() Place { return e.At }

// Place implements Expr.
func (e *Date) Place() Place { return e.At }

// Place implements Expr.
func (e *Timestamp) Place() Place { return e.At }

// Place implements Expr.
func (e *Interval) Place() Place { return e.At }

// Place implements Expr.
func (e *Open) Place() Place { return e.At }

// Place implements Expr.
func (e *List) Place() Place { return e.At }

// Place implements Expr.
func (e *Geometry) Place() Place { return e.At }

// Place implements Expr.
func (e *Box) Place() Place { return e.At }

// Value returns the number, rounded where a whole one has too many digits.
func (e *Number) Value() float64 {
	if e.Whole {
		return float64(e.Int)
	}
	return e.Float
}

// children returns the parts directly below a part.
func children(e Expr) []Expr {
	switch e := e.(type) {
	case *Call:
		return e.Args
	case *List:
		return e.Items
	case *Interval:
		return []Expr{e.From, e.To}
	}
	return nil
}

// isLiteral reports whether a part is a scalar literal.
func isLiteral(e Expr) bool {
	switch e.(type) {
	case *Text, *Number, *Boolean, *Date, *Timestamp:
		return true
	}
	return false
}
