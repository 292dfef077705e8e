package geo

// MastType is the class of a mast in the plan's own letters.
// Source: the plan, Phần 2, III.2.4.1; Joint Circular 15/2016/TTLT-BTTTT-BXD.
type MastType string

// The four mast types. A1 is non-bulky, A2 bulky.
const (
	A1a MastType = "A1a" // small mast standing on a building
	A1b MastType = "A1b" // environment-friendly: hidden in or imitating architecture
	A2a MastType = "A2a" // bulky, on an existing building
	A2b MastType = "A2b" // bulky, on the ground
)

// MastTypes lists every mast type, least bulky first.
func MastTypes() []MastType { return []MastType{A1a, A1b, A2a, A2b} }

// Valid reports whether t is one of MastTypes.
func (t MastType) Valid() bool { return t == A1a || t == A1b || t == A2a || t == A2b }

// Structure is how a mast stands.
type Structure string

// The structures a mast can have. Whether it is concealed is a property of its own.
const (
	SelfSupporting Structure = "self_supporting"
	Guyed          Structure = "guyed"
	Rooftop        Structure = "rooftop"
	Wall           Structure = "wall"
	OtherStructure Structure = "other"
)

// Structures lists every structure.
func Structures() []Structure {
	return []Structure{SelfSupporting, Guyed, Rooftop, Wall, OtherStructure}
}

// Valid reports whether s is one of Structures.
func (s Structure) Valid() bool {
	switch s {
	case SelfSupporting, Guyed, Rooftop, Wall, OtherStructure:
		return true
	}
	return false
}

// Text is one sentence or title in the two languages every user text has.
type Text struct {
	VI string `json:"vi"`
	EN string `json:"en"`
}

// In returns the text in the language "vi" or "en"; anything else reads as English.
func (t Text) In(language string) string {
	if language == "vi" {
		return t.VI
	}
	return t.EN
}
