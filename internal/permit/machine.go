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
// where it leads. layer.ErrForbidden where it is for others alone, whatever the state;
// layer.ErrConflict where the state has no such step for him.
func next[State, Action, Party ~string](machine []transition[State, Action, Party], before State, action Action, parties []Party) (Party, State, error) {
	his := false
	for _, t := range machine {
		if t.Action != action || !slices.Contains(parties, t.Party) {
			continue
		}
		if his = true; t.Before == before {
			return t.Party, t.After, nil
		}
	}
	if !his {
		return "", "", fmt.Errorf("the step %s is not for %v: %w", action, parties, layer.ErrForbidden)
	}
	return "", "", fmt.Errorf("there is no step %s from %s: %w", action, before, layer.ErrConflict)
}
