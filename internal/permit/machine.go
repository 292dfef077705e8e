package permit

import (
	"fmt"
	"slices"

	"hatang/internal/layer"
)

// transition is one row of a state machine.
type transition[State, Action, Party ~string] struct {
	Before State
	Action Action
	Party  Party
	After  State
}

// next returns, by a state machine, as whom somebody who is of the parties takes a step, and
// where it leads. layer.ErrForbidden where the state has it for others alone; layer.ErrConflict
// where the state has it for nobody, or not for him who takes it in another: who is kept from
// a step that nobody has is not told what keeps him from others.
func next[State, Action, Party ~string](machine []transition[State, Action, Party], before State, action Action, parties []Party) (Party, State, error) {
	his, others := false, false
	for _, t := range machine {
		here := t.Before == before
		switch {
		case t.Action != action:
		case !slices.Contains(parties, t.Party):
			others = others || here
		case here:
			return t.Party, t.After, nil
		default:
			his = true
		}
	}
	if others && !his {
		return "", "", fmt.Errorf("the step %s is not for %v: %w", action, parties, layer.ErrForbidden)
	}
	return "", "", fmt.Errorf("there is no step %s from %s: %w", action, before, layer.ErrConflict)
}
