package account

import "context"

// askingKey is the key of a context's request.
type askingKey struct{}

// Asking is a request on its way: whom it is from is found out after its context was made.
type Asking struct {
	Request string // id of the request, which the audit records with what it changes
	viewer  Viewer
	known   bool
}

// WithAsking returns a context of the work for a request.
func WithAsking(ctx context.Context, a *Asking) context.Context {
	return context.WithValue(ctx, askingKey{}, a)
}

// Tell says for whom the work of the context is, from now on. It is told before the work
// begins, and once.
func Tell(ctx context.Context, v Viewer) {
	if a, ok := ctx.Value(askingKey{}).(*Asking); ok {
		a.viewer, a.known = v, true
	}
}

// WithViewer returns a context of work that is done for the viewer.
func WithViewer(ctx context.Context, v Viewer) context.Context {
	return WithAsking(ctx, &Asking{viewer: v, known: true})
}

// ViewerOf returns whom the work of the context is done for; false for work of the
// server's own, which nobody asked for, or before it is known who did.
func ViewerOf(ctx context.Context) (Viewer, bool) {
	a, ok := ctx.Value(askingKey{}).(*Asking)
	if !ok || !a.known {
		return Viewer{}, false
	}
	return a.viewer, true
}

// RequestOf returns the id of the request that the work is done for, "" for none.
func RequestOf(ctx context.Context) string {
	if a, ok := ctx.Value(askingKey{}).(*Asking); ok {
		return a.Request
	}
	return ""
}
