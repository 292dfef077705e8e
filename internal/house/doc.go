// Package house holds no program, only tests of how the repository is built: who may import
// whom, what may stand at its top, and that the files for Docker agree with the rest where no
// Docker daemon can try them.
//
// Decided: a test beside the linter's rule, because `go test` is what everybody runs. The table in
// house_test.go is the one place to change when a room is added.
package house
