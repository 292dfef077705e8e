# Thin on purpose: the work is in .ci/ and in the programs themselves.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run test build lint bench soak

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 14

run: ## install what is missing, build, serve the Điện Biên plan at http://localhost:8080 (HATANG_LISTEN=:9000 for another port)
	@.ci/setup run
	@.ci/build
	@exec bin/hatang serve --demo --listen "$${HATANG_LISTEN:-:8080}"

test: ## the same set-up, and every test
	@.ci/setup test
	@.ci/build
	@.ci/test

build: ## bin/hatang, with the page in it
	@.ci/build

lint: ## the linter, pinned in .ci/tools.mod (the first time it is built: two minutes)
	@echo "==> golangci-lint"
	@go tool -modfile=.ci/tools.mod golangci-lint run ./...

bench: ## the benchmarks, and how many times faster than the peer's way; build/bench.json
	@go run .ci/bench.go

soak: ## the long runs: kills under load, nothing acknowledged may be lost; all that shares memory under the race detector
	@go test -count=1 -tags soak -run Soak -timeout 60m -v ./...
	@go test -count=1 -timeout 60m ./internal/postgis -run 'ARevert|EveryState|AnyText' -rapid.checks=1000
	@go test -count=1 -race -timeout 60m ./geo/... ./internal/httpapi ./internal/memory
