# make          build both programs into bin/
# make test     everything: lint, Go tests with -race, front-end and browser tests
# make test-busy  the Go tests on a machine that is made busy
# make help     the rest

SHELL       := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := build

TOOL    := go tool -modfile=.ci/tools/go.mod
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
LDFLAGS := -s -w -X github.com/vedettehq/vedette/cmd/internal/cli.version=$(VERSION)
FUZZTIME ?= 1m

# The limit of one package. TEST_EXEC, of .ci/busy, runs the test programs.
TEST_TIMEOUT ?= 25m
TEST_EXEC    ?=
TEST_SIDE    ?= 4
REPORT       := bin/test

# A program with the race detector sleeps before it ends; the tests start many.
export GORACE ?= atexit_sleep_ms=10

CHAOS_AGENTS  ?= 20
CHAOS_SECONDS ?= 180

TRUTH_N       ?= 20000
TRUTH_MINUTES ?= 10

.PHONY: build plugins packages packages-test upgrade-test upgrade-record test-packages test-plugins test fresh-report lint vuln chaos truth test-go test-busy test-web setup setup-web setup-system web generate bench fuzz fuzz-list clean help

build: ## Build bin/vedette and bin/vedette-agent.
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/ ./cmd/vedette ./cmd/vedette-agent

plugins: ## Build the plugins that are separate modules into bin/.
	for name in sql snmp; do (cd plugins/$$name && CGO_ENABLED=0 GOFLAGS= go build -trimpath -ldflags '-s -w' -o $(CURDIR)/bin/vedette-$$name .); done

packages: ## Make packages, images, bills of materials and checksums in bin/packages: ARCH ("amd64,arm64").
	@cd .ci/packages && GOFLAGS= go run . -out $(CURDIR)/bin/packages $(if $(ARCH),-arch $(ARCH))

packages-test: ## Install, upgrade, start and purge the packages, in a system of their own; compare two builds.
	cd .ci/packages && go vet ./... && go test -count=1 -timeout 60m ./...

test: fresh-report setup lint test-go test-plugins test-packages test-web ## Run every test; installs what they need.
	@.ci/skipped $(REPORT)/skipped

fresh-report:
	@mkdir -p $(REPORT) && rm -f $(REPORT)/skipped

lint: ## Check formatting, vet and staticcheck; govulncheck where its database can be reached.
	@unformatted=$$($(TOOL) gofumpt -l $$(git ls-files '*.go' | grep -v -e '\.pb\.go$$' -e '/symbols/.*_gen\.go$$')); \
	if [ -n "$$unformatted" ]; then echo "not gofumpt-ed (run: $(TOOL) gofumpt -w FILE):"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	$(TOOL) staticcheck ./...
	@$(MAKE) --no-print-directory vuln

vuln: ## Look for known vulnerabilities in what the programs call.
	@out=$$($(TOOL) govulncheck ./... 2>&1) && echo "$$out" || { \
	  if grep -q 'fetching vulnerabilities' <<<"$$out"; then mkdir -p $(REPORT); \
	    echo "govulncheck: its database cannot be reached from here" | tee -a $(REPORT)/skipped; \
	  else echo "$$out"; exit 1; fi; }

test-go: ## Run the Go tests with the race detector; tells what was skipped, and the time per package.
	@mkdir -p $(REPORT) && go build -o $(REPORT)/testreport ./internal/testreport
	go test -race -json -vet=off -parallel $(TEST_SIDE) -timeout $(TEST_TIMEOUT) $(if $(TEST_EXEC),-exec '$(TEST_EXEC)') ./... | \
	  $(REPORT)/testreport -skipped $(REPORT)/skipped

test-packages: ## Install, upgrade and purge the package of the agent, in a system of its own.
	@mkdir -p $(REPORT) && go build -o $(REPORT)/testreport ./internal/testreport
	cd .ci/packages && go vet ./... && go test -short -json -vet=off -timeout $(TEST_TIMEOUT) ./... | $(CURDIR)/$(REPORT)/testreport -skipped $(CURDIR)/$(REPORT)/skipped

test-plugins: ## Test the plugins that are separate modules, against the databases and the snmpd that this machine has.
	@mkdir -p $(REPORT) && go build -o $(REPORT)/testreport ./internal/testreport
	for name in sql snmp; do (cd plugins/$$name && go vet ./... && go test -race -json -vet=off -timeout $(TEST_TIMEOUT) ./... | \
	  $(CURDIR)/$(REPORT)/testreport -skipped $(CURDIR)/$(REPORT)/skipped); done

test-busy: ## Run the Go tests in half a core, beside two busy loops per core.
	@.ci/busy $(MAKE) --no-print-directory test-go TEST_TIMEOUT=50m

test-web: setup-web setup-system ## Check, test and build the web application, and drive it in a browser.
	cd web && npm run check && npm test && npm run build
	@git diff --exit-code --stat -- web/dist || { echo "web/dist is not what web/src builds: commit the result of 'make web'"; exit 1; }
	@test -z "$$(git status --porcelain -- web/dist)" || { git status --short -- web/dist; echo "web/dist has files that are not committed"; exit 1; }
	cd web && npm run e2e

setup: setup-web setup-system ## Install what the tests need.

setup-web: web/node_modules/.package-lock.json

web/node_modules/.package-lock.json: web/package-lock.json
	cd web && npm ci --no-audit --no-fund
	@touch $@

setup-system:
	@.ci/setup

web: setup-web ## Build web/dist, which is committed.
	cd web && npm run build

generate: ## Make the generated Go files and references anew.
	go generate ./...
	go test ./config -run '^TestReference$$' -update
	go test ./agent -run '^TestCountsAreDocumented$$' -update
	go test ./master -run '^TestRoutesAreDocumented$$' -update
	go test ./cmd/vedette -run '^TestCommandsAreDocumented$$' -args -update-docs

chaos: ## Prove delivery, and that bad days harm nobody, at large: CHAOS_AGENTS (20), CHAOS_SECONDS (180), CHAOS_SEED (any).
	CHAOS_AGENTS=$(CHAOS_AGENTS) CHAOS_SECONDS=$(CHAOS_SECONDS) CHAOS_SEED=$(CHAOS_SEED) \
	  go test -run '^TestChaos$$' -count=1 -v -timeout $$(( $(CHAOS_SECONDS) * 3 + 600 ))s ./cmd/internal/chaos
	STRESS_SECONDS=$(CHAOS_SECONDS) go test -run '^(TestStress|TestStarvedScriptHosts)$$' -count=1 -v \
	  -timeout $$(( $(CHAOS_SECONDS) * 30 + 6000 ))s ./cmd/internal/chaos
	REVISIONS=1000 go test -run '^TestManyRevisionsLeaveMemoryFlat$$' -count=1 -v -timeout 20m ./cmd/internal/chaos
	VEDETTE_TEST_HISTORY_KILLS=60 go test -run '^TestKillAtAnyPoint' -count=5 -v ./master/history
	VEDETTE_TEST_WORST_SECONDS=60 go test -run '^TestWorstMinute$$' -count=1 -v -timeout 20m ./master

truth: ## Hold random scripts against Go: TRUTH_N (20000), TRUTH_SEED (any), TRUTH_MINUTES (10) to make bad ones smaller.
	TRUTH_N=$(TRUTH_N) TRUTH_SEED=$(TRUTH_SEED) TRUTH_MINUTES=$(TRUTH_MINUTES) \
	  go test -run '^TestTruth$$' -count=1 -v -timeout 6h ./inspectors/script/internal/truth

bench: ## Run the benchmarks.
	go test -run '^$$' -bench . -benchmem ./rpc ./inspectors/... ./plugins/... ./agent/... ./master/... ./cmd/...

fuzz: ## Run every fuzz target for FUZZTIME (default 1m) each.
	@go test -list '^Fuzz' ./... 2>/dev/null | awk '/^Fuzz/ {t[++n]=$$1} /^ok/ {for (i=1;i<=n;i++) print $$2, t[i]; n=0}' | \
	while read -r pkg target; do echo "== $$pkg $$target"; go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 20x $$pkg; done

upgrade-test: ## Run the programs of the release before beside those of this tree, and upgrade and downgrade them.
	VEDETTE_TEST_BEFORE=1 go test -run "Neighbours$$" -count=1 -v -timeout 40m ./cmd/internal/neighbours

upgrade-record: ## Write down what programs of the release before say to each other, when before.txt has changed.
	VEDETTE_TEST_BEFORE=1 go test -run "^TestRecord$$" -count=1 -v -timeout 40m ./cmd/internal/neighbours -update

clean: ## Remove what was built.
	rm -rf bin

help: ## Show this.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
