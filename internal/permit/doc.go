// Package permit answers whether a mast may stand somewhere: it reads proposals,
// gathers the rule set and the surroundings, has geo/zoning judge, and says what
// the answer was made from.
package permit
