package httpapi

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"hatang/internal/permit"
)

// What a member of a member is called that nobody knows is said, for who has mistyped it.
func TestUnknownMembersAreNamed(t *testing.T) {
	var agreement *permit.Agreement
	faults := readMember("/agreement", json.RawMessage(`{"sharez": []}`), reflect.ValueOf(&agreement).Elem())
	if len(faults) != 1 || faults[0].At != "/agreement" || !strings.Contains(faults[0].Detail.EN, `"sharez"`) || !strings.Contains(faults[0].Detail.VI, `"sharez"`) {
		t.Errorf("%+v", faults)
	}
}
