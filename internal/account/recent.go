package account

import "container/list"

// recent is a map of so many keys at most, which forgets the one put longest ago. It is not
// safe for concurrent use; every call takes the same time however many keys there are.
type recent[K comparable, V any] struct {
	keys  int
	byKey map[K]*list.Element
	order *list.List // of *kept, the one put last at the front
}

type kept[K comparable, V any] struct {
	key   K
	value V
}

func newRecent[K comparable, V any](keys int) *recent[K, V] {
	return &recent[K, V]{keys: keys, byKey: map[K]*list.Element{}, order: list.New()}
}

// get returns the key's value; the zero value if there is none.
func (r *recent[K, V]) get(key K) V {
	e, ok := r.byKey[key]
	if !ok {
		var none V
		return none
	}
	return e.Value.(*kept[K, V]).value
}

// put sets the key's value and makes it the latest.
func (r *recent[K, V]) put(key K, value V) {
	if e, ok := r.byKey[key]; ok {
		e.Value.(*kept[K, V]).value = value
		r.order.MoveToFront(e)
		return
	}
	r.byKey[key] = r.order.PushFront(&kept[K, V]{key: key, value: value})
	if len(r.byKey) > r.keys {
		r.drop(r.order.Back().Value.(*kept[K, V]).key)
	}
}

// set changes the key's value where it stands; no key, nothing to change.
func (r *recent[K, V]) set(key K, value V) {
	if e, ok := r.byKey[key]; ok {
		e.Value.(*kept[K, V]).value = value
	}
}

// drop forgets a key.
func (r *recent[K, V]) drop(key K) {
	if e, ok := r.byKey[key]; ok {
		r.order.Remove(e)
		delete(r.byKey, key)
	}
}

// dropOldest forgets up to n keys put longest ago while their values are spent.
func (r *recent[K, V]) dropOldest(n int, spent func(V) bool) {
	for ; n > 0 && r.order.Len() > 0; n-- {
		oldest := r.order.Back().Value.(*kept[K, V])
		if !spent(oldest.value) {
			return
		}
		r.drop(oldest.key)
	}
}
