//go:build race

package zoning_test

const raceDetector = true
