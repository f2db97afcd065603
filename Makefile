# The commands of the project. All but the *-saleor ones need only Python 3.11+ and the
# package registries; those need a checkout of Saleor (SALEOR_SOURCE) and Python 3.12.

.PHONY: help setup lint test coverage test-saleor demo demo-saleor bench bench-compare \
  bench-growth bench-orders bench-calls crash-matrix model-test hostile-month \
  hostile-month-small trading-day extension extension-setup extension-check \
  test-browser test-browser-saleor \
  test-browser-dashboard
SHELL := /bin/sh
BIN := .venv/bin
DEMO_BIN := .venv-demo/bin
RING2 = "$$(sh scripts/find-python.sh)" scripts/ring2.py
# All tests go to a worker per core; those that ARGS chooses run in one process.
TESTS = $(or $(ARGS),-n logical --maxprocesses 4 --dist worksteal)

help:
	@echo "make setup        a virtual environment for working on the project, in .venv"
	@echo "make lint         ruff, mypy, import rules, missing migrations"
	@echo "make test         the tests in the stand-alone shop      [ARGS='-k name']"
	@echo "make coverage     the same, and which lines they did not reach"
	@echo "make test-saleor  the tests in real Saleor               [ARGS='--version 3.23']"
	@echo "make demo         the main job in the stand-alone shop   [ORDERS=file.json]"
	@echo "                             [UNKNOWN_SKUS=a,b] [JSON=result.json] [SERVE=1]"
	@echo "                             [EMPTY=1: nothing is connected, for you to do it]"
	@echo "make demo-saleor  the main job in real Saleor, the same options"
	@echo "make extension        builds the pages in Saleor Dashboard, with npm"
	@echo "make extension-check  their lint, types and tests, and that they are as built"
	@echo "make test-browser     the pages in a browser, on the running demo"
	@echo "make test-browser-saleor  the same, on real Saleor  [VERSION=3.22]"
	@echo "make test-browser-dashboard  in a real Saleor Dashboard  DASHBOARD=build/dashboard"
	@echo "make bench        figures in real Saleor, to benchmarks/latest.json"
	@echo "make bench-compare        calls, minutes and cents beside a plain loop over"
	@echo "                          python-amazon-sp-api [ORDERS=1000] [SEED=1]"
	@echo "make bench-growth         what an import costs when the ledger has 1,000,"
	@echo "                          100,000 and a million orders [SIZES=a,b] [ROUNDS=9]"
	@echo "make bench-calls          what 1,000 shipments, refunds and cancellations due at"
	@echo "                          once cost in calls [COUNT=1000]"
	@echo "make crash-matrix         all that leaves for Amazon, and all that may go wrong"
	@echo "                          with it [ROWS=cancel,refund] [COLUMNS=429,500]"
	@echo "make model-test           random staff, Amazon and faults, other ones each time"
	@echo "                          [EXAMPLES=100] [STEPS=20]"
	@echo "make bench-orders         what the pages' lists cost with a million orders, and"
	@echo "                          PostgreSQL's plans [ORDERS=n] [ONLY=text] [EVERYTHING=1]"
	@echo "make hostile-month        a month of trade with all that goes wrong, in real"
	@echo "                          Saleor, and its audit [ORDERS=1000] [DAYS=6] [SEED=1]"
	@echo "make trading-day          a day of normal trade within Amazon's usage plans, in the"
	@echo "                          stand-alone shop [ORDERS=2000] [HOURS=24] [SEED=1]"
	@echo "make hostile-month-small  a few days of it in the stand-alone shop, the same"

setup:
	@sh scripts/setup-env.sh .venv dev

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy saleor_amazon_channel
	$(BIN)/lint-imports
	@# Without a database it warns that the history was not checked; nothing needs it.
	DJANGO_SETTINGS_MODULE=saleor_amazon_channel.standalone.settings \
	  $(BIN)/python -W ignore::RuntimeWarning -m django makemigrations --check --dry-run

test: setup
	$(BIN)/python -m pytest $(TESTS)

coverage: setup
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(TESTS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

test-saleor:
	$(RING2) $(ARGS)

DEMO_OPTIONS = $(if $(ORDERS),--orders "$(ORDERS)") \
  $(if $(UNKNOWN_SKUS),--unknown-skus "$(UNKNOWN_SKUS)") $(if $(JSON),--json "$(JSON)") \
  $(if $(filter 0,$(SERVE)),--no-serve,$(if $(SERVE),--serve)) $(if $(EMPTY),--empty)

demo:
	@sh scripts/setup-env.sh .venv-demo standalone
	@$(DEMO_BIN)/python -m saleor_amazon_channel.standalone.demo $(DEMO_OPTIONS)

demo-saleor:
	$(RING2) --version "$(or $(VERSION),3.23)" --exec python scripts/demo_saleor.py $(DEMO_OPTIONS)

# Reproducible: the lock file pins all of it, and node is one of its packages.
extension-setup:
	@cd extension && { cmp -s package-lock.json node_modules/.installed || \
	  { npm ci --no-fund --no-audit && cp package-lock.json node_modules/.installed; }; }

extension: extension-setup
	cd extension && npm run --silent build

extension-check: extension-setup
	cd extension && npm run --silent check

# And then the way from an empty shop to the first order.
E2E = npm run --silent e2e -- $(ARGS) $(if $(ARGS),,&& EMPTY=1 npm run --silent e2e)

test-browser: extension-setup
	@sh scripts/setup-env.sh .venv-demo standalone
	cd extension && \
	  export DEMO="$(DEMO_BIN)/python -u -m saleor_amazon_channel.standalone.demo" && $(E2E)

# The same tests, against the pages that a real Saleor serves.
test-browser-saleor: extension-setup
	cd extension && export DEMO="$$(sh ../scripts/find-python.sh) scripts/ring2.py \
	  --version $(or $(VERSION),3.23) --exec python scripts/demo_saleor.py" && $(E2E)

# In the real Dashboard: DASHBOARD is the folder of a built one (build/dashboard).
test-browser-dashboard: extension-setup
	@test -f "$(DASHBOARD)/index.html" || { echo "DASHBOARD=folder of a built Saleor Dashboard \
	(in its checkout: build/dashboard) is needed; there is no $(DASHBOARD)/index.html"; exit 2; }
	cd extension && DASHBOARD="$(abspath $(DASHBOARD))" \
	  DEMO="$$(sh ../scripts/find-python.sh) scripts/ring2.py \
	  --version $(or $(VERSION),3.23) --exec python scripts/demo_saleor.py" \
	  npm run --silent e2e -- $(ARGS)

bench:
	$(RING2) --version "$(or $(VERSION),3.23)" --exec python benchmarks/run.py

bench-compare: setup
	$(BIN)/python benchmarks/compare.py \
	  $(if $(ORDERS),--orders "$(ORDERS)") $(if $(SEED),--seed "$(SEED)")

bench-orders: setup
	$(BIN)/python benchmarks/all_orders.py --plans \
	  $(if $(ORDERS),--orders "$(ORDERS)") $(if $(ONLY),--only "$(ONLY)") \
	  $(if $(EVERYTHING),--everything)

bench-growth: setup
	$(BIN)/python benchmarks/ledger_growth.py \
	  $(if $(SIZES),--sizes "$(SIZES)") $(if $(ROUNDS),--rounds "$(ROUNDS)") \
	  $(if $(ORDERS),--orders "$(ORDERS)")

bench-calls: setup
	$(BIN)/python benchmarks/outbound_calls.py $(if $(COUNT),--count "$(COUNT)")

crash-matrix: setup
	$(BIN)/python benchmarks/crash_matrix.py \
	  $(if $(ROWS),--rows "$(ROWS)") $(if $(COLUMNS),--columns "$(COLUMNS)")

model-test: setup
	MODEL_EXAMPLES="$(or $(EXAMPLES),100)" MODEL_STEPS="$(or $(STEPS),20)" \
	  $(BIN)/python -m pytest tests/standalone/test_outbound_model.py -k agree

hostile-month:
	$(RING2) --version "$(or $(VERSION),3.23)" --exec python benchmarks/hostile_month.py \
	  $(if $(ORDERS),--orders "$(ORDERS)") $(if $(DAYS),--days "$(DAYS)") \
	  $(if $(SEED),--seed "$(SEED)") $(if $(JSON),--json "$(JSON)")

hostile-month-small: setup
	$(if $(ORDERS),HOSTILE_ORDERS="$(ORDERS)") $(if $(SEED),HOSTILE_SEED="$(SEED)") \
	  $(BIN)/python -m pytest -s tests/standalone/test_hostile_month.py

trading-day: setup
	$(BIN)/python benchmarks/trading_day.py \
	  $(if $(ORDERS),--orders "$(ORDERS)") $(if $(HOURS),--hours "$(HOURS)") \
	  $(if $(SEED),--seed "$(SEED)") $(if $(JSON),--json "$(JSON)")
