// Package papers sets what is decided as papers: a recorded verdict and a decision of the
// register, as PDF and as the parts of a page of HTML, in Vietnamese or English, with a map.
//
// It is pure: a model goes in and bytes come out, the same bytes for the same model. A Paper
// holds every word that is printed, so that its two forms say the same. What a viewer may see
// is decided before: what is not in the model is not on the paper.
//
// Decided: pages are made of a Drawing each, as the map and the QR code are, and a Drawing has
// two back ends, SVG and PDF. Lines are broken here, by the widths of the fonts that are in the
// file, so that a row is known to fit before it is drawn.
package papers
