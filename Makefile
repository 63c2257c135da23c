# auth-gateway: plain "make" lists what there is.

GO    ?= go
TOOL  := $(GO) tool -modfile=tools/go.mod
STATE := $(CURDIR)/.run

.PHONY: help install run test test-unit test-deps lint fuzz bench clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /\1	/' | while IFS='	' read -r name what; do printf '  make %-10s %s\n' "$$name" "$$what"; done

install: ## Build bin/auth-gateway
	CGO_ENABLED=0 $(GO) build -ldflags '-s -w' -o bin/auth-gateway ./caddy

run: install ## Build and run the gateway with a demo upstream on http://localhost:8080
	@mkdir -p $(STATE)
	@XDG_DATA_HOME=$(STATE)/data XDG_CONFIG_HOME=$(STATE)/config exec bin/auth-gateway run --config Caddyfile

# Hundreds of servers and browsers start and are killed here, on machines that do
# other things as well. Up to three tests that fail are run once more, alone, and
# named in the summary: what fails twice has failed. A data race is never run again.
AGAIN := --rerun-fails=1 --rerun-fails-max-failures=3 --rerun-fails-abort-on-data-race

test: test-deps ## Run every test; installs what it needs (as root on Debian or Ubuntu)
	$(TOOL) gotestsum --format pkgname --format-hide-empty-pkg $(AGAIN) --packages ./... -- -race -count=1 -timeout 30m -tags e2e

test-unit: ## Run the tests without browsers and clients of other languages
	$(GO) test ./...

test-deps:
	@scripts/test-deps

lint: ## gofumpt, go vet, staticcheck, import rules
	@test -z "$$($(TOOL) gofumpt -l . | tee /dev/stderr)"
	$(GO) vet -tags e2e ./...
	$(TOOL) staticcheck -tags e2e ./...
	$(GO) test -count=1 ./internal/house

fuzz: ## Run each fuzz target for FUZZTIME (10m); FUZZ picks some by name
	FUZZTIME=$(or $(FUZZTIME),10m) FUZZ='$(FUZZ)' scripts/fuzz

bench: test-deps ## Benchmarks: the parts, look-ups by numbers of users, the whole gateway against plain Caddy
	$(GO) test -run '^$$' -bench . -benchmem ./internal/gate ./internal/authz ./internal/token ./internal/store ./internal/cache
	$(GO) test -run '^$$' -bench Proxy -benchtime 20000x -count 3 ./internal/bench

clean: ## Remove what was built and the state of "make run"
	rm -rf bin .run .cache internal/e2e/npm/node_modules
