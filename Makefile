# Node comes from npm, pinned in package.json, so every machine runs the same one.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# Longest one test may take, in milliseconds; a hang is a failure, a slow machine is not.
TEST_TIMEOUT := 1200000
NODE_TEST := node --test --test-timeout=$(TEST_TIMEOUT)

INSTALLED := node_modules/.package-lock.json

.PHONY: help demo test test-unit test-e2e test-sim test-casskop test-long test-faults test-soak test-changes check sim sim-replay sim-crash sim-mutants regions regions-down bench-ring bench-plan bench-scale monitoring crds rbac reference getting-started api-docs format pictures build

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(INSTALLED): package.json package-lock.json .npmrc
	npm ci --no-fund --no-audit --loglevel=error
	@touch $@

demo: $(INSTALLED) ## three regions, one MultiCassandraCluster, one ring; ONCE=1 exits after the proof
	node e2e/demo/main.ts $(if $(ONCE),--once)

test: check test-unit test-sim test-e2e ## everything: checks, unit tests, simulated and real regions

check: $(INSTALLED) ## types, lint, format, direction of imports
	tsc -p tsconfig.json
	oxlint --type-aware --deny-warnings src e2e crds
	prettier --check --log-level warn .
	$(NODE_TEST) --test-reporter=dot src/rooms.test.ts

test-unit: $(INSTALLED) ## unit and property tests; nothing leaves the process
	$(NODE_TEST) 'src/**/*.test.ts' 'e2e/casskop/*.test.ts' e2e/soak/leaks.test.ts 'e2e/sim/*/**/!(*.real).test.ts'

# These start hundreds of small Node processes; half of the start of each is compiling the same files again. Elsewhere it
# would make the coverage that the simulation measures less exact.
test-e2e test-casskop: export NODE_COMPILE_CACHE := $(CURDIR)/node_modules/.cache/node

test-e2e: $(INSTALLED) ## real API servers, real Cassandra; CASSKOP_BIN=/path/to/casskop takes the real CassKop
	node e2e/harness/toolchain.ts
	$(NODE_TEST) --test-concurrency=2 \
	  'e2e/{api,casskop/api,cli,connect,crd,demo,deploy,docs,guard,harness,kind,leadership,light-node,metrics,observability,package,proxy,regions,ring,ui}/**/*.test.ts' 'e2e/sim/conformance/*.real.test.ts'

test-sim: $(INSTALLED) ## simulated federations: random histories, crash points, mutants; within five minutes
	$(NODE_TEST) e2e/sim/budget.test.ts

SEEDS := 10000
FIRST_SEED := 1

sim: $(INSTALLED) ## SEEDS=10000 FIRST_SEED=1: that many random histories of a simulated federation
	node e2e/sim/main.ts --seeds $(SEEDS) --first $(FIRST_SEED)

sim-replay: $(INSTALLED) ## SEED=n: one history, with everything that happens; SHRINK=1 makes it smaller first
	node e2e/sim/main.ts --replay $(SEED) $(if $(SHRINK),--shrink)

sim-crash: $(INSTALLED) ## die at every write of every workload, before, during and after it
	node e2e/sim/crash.ts

sim-mutants: $(INSTALLED) ## put known mistakes into the controller, and see that the simulation finds each
	node e2e/sim/mutants/main.ts

test-casskop: $(INSTALLED) ## how a CassKop behaves, asked of the stand-in or of CASSKOP_BIN in real regions
	node e2e/harness/toolchain.ts
	$(NODE_TEST) e2e/sim/conformance/casskop.real.test.ts

SOAK_MINUTES := 10

test-long: test-faults test-soak test-changes ## real API servers, an hour in all: the three below

test-faults: $(INSTALLED) ## regions, hub and network fail in every way of docs/fault-matrix.md; a quarter of an hour
	node e2e/harness/toolchain.ts
	$(NODE_TEST) --test-concurrency=1 'e2e/faults/**/*.test.ts'

test-soak: $(INSTALLED) ## SOAK_MINUTES=10 of regions that come and go: nothing may leak
	node e2e/harness/toolchain.ts
	SOAK_MINUTES=$(SOAK_MINUTES) $(NODE_TEST) e2e/soak/soak.test.ts

test-changes: $(INSTALLED) ## changes of every kind of a ring of real nodes, at CassKop's own pace; half an hour
	node e2e/harness/toolchain.ts
	$(NODE_TEST) --test-concurrency=1 'e2e/changes/**/*.test.ts'

regions: $(INSTALLED) ## start the regions eu, us and ap and keep them
	node e2e/regions.ts up

regions-down: $(INSTALLED) ## stop what `make regions` started
	node e2e/regions.ts down

bench-ring: $(INSTALLED) ## time from apply to one ring, beside the floor; last line `ratio <number>`
	node e2e/bench/ring.ts

bench-plan: $(INSTALLED) ## time of one pass of the planner, beside a JSON round trip; last line `ratio <number>`
	node e2e/bench/plan.ts

bench-scale: build ## 100 regions and 50 federations on real API servers: start, rest and an edit; a quarter of an hour
	node e2e/harness/toolchain.ts
	node e2e/bench/scale.ts

monitoring: ## write the PrometheusRule from deploy/monitoring/rules.yaml
	cd deploy/monitoring && { sed '/^spec:/q' prometheusrule.yaml; sed -n '/^groups:/,$$s/^\(.\)/  \1/p;/^$$/p' rules.yaml; } > .new && mv .new prometheusrule.yaml

crds: $(INSTALLED) ## write crds/, and its copies in deploy/, from the schema
	node src/cli/main.ts crds > crds/.new && mv crds/.new crds/ringmaster.dev_multicassandraclusters.yaml
	cp crds/ringmaster.dev_multicassandraclusters.yaml deploy/helm/ringmaster/crds/
	cp crds/ringmaster.dev_multicassandraclusters.yaml deploy/kustomize/base/customresourcedefinition.yaml

rbac: $(INSTALLED) ## write config/rbac/ from what the client can call
	for place in hub region; do node src/cli/main.ts rbac $$place > config/rbac/.new && mv config/rbac/.new config/rbac/$$place.yaml; done

reference: $(INSTALLED) ## write docs/reference/multicassandracluster.md from the schema
	node src/cli/main.ts reference > docs/reference/multicassandracluster.md

getting-started: $(INSTALLED) ## write into docs/getting-started.md what its commands print
	WRITE_DOCS=1 $(NODE_TEST) e2e/docs/getting-started.test.ts

# Its own TypeScript: typedoc needs the compiler as a library, which ours is not any more.
api-docs: $(INSTALLED) ## write docs/reference/api.md from what the package exports
	npm exec --yes --package=typedoc@0.28.20 --package=typedoc-plugin-markdown@4.14.1 --package=typescript@6.0.3 -- \
	  typedoc --options docs/reference/typedoc.json
	mv docs/reference/.api/README.md docs/reference/api.md && rmdir docs/reference/.api

format: $(INSTALLED) ## format everything
	prettier --write --log-level warn .

pictures: $(INSTALLED) ## make the pictures of docs/status-page.md
	node e2e/ui/pictures.ts

build: $(INSTALLED) ## compile to dist/
	rm -rf dist
	tsc -p tsconfig.build.json
	mkdir -p dist/federation/guard && cp src/federation/guard/*.sh dist/federation/guard/
	mkdir -p dist/ui && cp -r src/ui/assets dist/ui/
