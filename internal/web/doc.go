// Package web is the page that people open at "/": a map of every layer, a form
// that checks a mast, districts coloured by an indicator, and a dialog to sign in, make
// keys and, for administrators, keep people, in Vietnamese and English.
//
// The page is written in TypeScript in ui/ and bundled by `npm run build` into dist/,
// which is embedded in the binary. This package serves the bundle and one document,
// /ui/layers.json, which tells the page what the registry holds: groups, titles,
// colours, fields with units and allowed values. Everything else the page shows, it
// asks of the public API like any other client.
//
// The bundle also holds the script and the style sheet of the API's own pages, which
// package httpapi writes: it is told their addresses (APIAssets).
//
// Decided: no framework and no tiles on the first page, because the largest layer has
// under a thousand features; the page asks no other host unless a base map is
// configured, and its Content-Security-Policy says so to the browser.
package web
