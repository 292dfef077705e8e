// Package httpapi is all HTTP and nothing but HTTP: the OGC API – Features face of
// the layers, the calls beside it, authentication, problems, caching.
//
// A request passes: limits of the request line, the route (404, 405, OPTIONS), who
// asks (401), whether they may (403, 404), media types (415, 406), validation (400), its
// turn (429, 503), work. Handlers return errors; only problem.go writes them.
//
// Who asks is a key, or the session of a person who has signed in; what a session
// changes must carry a token that only our own page knows (identify.go).
//
// Which layers there are depends on who asks: a layer for staff alone is, to all others, a
// collection that there is not. Handlers take layers from the request, never from the
// registry.
//
// Decided: one table of routes (routes.go), from which the router, HEAD, OPTIONS, Allow and
// the comparison with the OpenAPI document all follow, because a second list drifts.
//
// Decided: documents are pages too (html*.go, pages/), made of the same JSON or the same
// rows, so that a page can show nothing else; and an error is a page where a page was
// asked for, with the status and texts of the problem, because people read it.
//
// Decided: HTML is sent only where it is liked better than everything else, by f or by
// Accept, because clients that send */* or name several types want data.
//
// Decided: pages go by key, not by offset, because an offset skips or repeats
// features when somebody edits between two pages.
//
// Decided: answers up to 8 MiB are complete before their first byte, so that a
// failure can still become a problem; longer ones stream, and one that fails is
// aborted so that no client takes it for whole.
//
// Decided: HEAD is told what GET of the same headers would be, compressed or not. Where that
// is compressed there is no length: it is known only once the answer is made.
package httpapi
