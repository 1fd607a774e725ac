# Everything below needs only make and Python 3.11 or newer. `make` lists the targets.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help demo test check lock docs bench sweep fuzz dist zipapp sbom image-check clean

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SYSTEM_PYTHON := $(shell command -v python3.11 || command -v python3)
# What the demo shows of the fixes that need review: those whose reason is understood at a glance.
DEMO_RULES := copy-from-context retry-loop exec-form-variable healthcheck-pgrep healthcheck-tool
# In CI the reasons of skipped tests belong in the log.
PYTEST_ARGS := $(if $(filter true,$(CI)),-rs)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# Editable: only a change of the dependencies needs a new installation.
$(STAMP): pyproject.toml ci/lock.txt
	@test -n "$(SYSTEM_PYTHON)" || { echo "Python 3.11 or newer is needed, and there is no python3 on PATH" >&2; exit 1; }
	@"$(SYSTEM_PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; $(SYSTEM_PYTHON) is older" >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || "$(SYSTEM_PYTHON)" -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c ci/lock.txt -e '.[dev]' \
		|| { echo 'the versions of ci/lock.txt cannot be installed here: taking others' >&2; \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'; }
	@touch $@

demo: $(STAMP) ## show what dockfix changes in the example project, as diffs
	@echo '# Safe fixes: dockfix apply --diff examples/audit'
	@$(BIN)/dockfix apply --diff examples/audit || test $$? -eq 1 # 1: there are changes
	@echo
	@echo '# Some of the fixes that need review: dockfix apply --diff --unsafe -v --rule ... examples/audit'
	@$(BIN)/dockfix apply --diff --unsafe -v $(DEMO_RULES:%=--rule %) examples/audit || test $$? -eq 1
	@echo
	@echo '# All findings: $(BIN)/dockfix check examples/audit'

test: $(STAMP) ## run the tests, in as many processes as there are cores
	@$(BIN)/python ci/mermaid.py || true # its tests are skipped then; in CI they fail
	$(BIN)/pytest -n auto --dist loadgroup $(PYTEST_ARGS)

check: $(STAMP) ## lint, format check, types, stale generated docs, the documentation site, licences and known vulnerabilities
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@if test -f docs/generate.py; then $(BIN)/python docs/generate.py --check; fi
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@$(BIN)/python ci/supply_chain.py licences
	@$(BIN)/python ci/supply_chain.py audit

lock: $(STAMP) ## write the newest versions that the ranges of pyproject.toml allow to ci/lock.txt
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --no-header --no-annotate --no-emit-index-url \
		--extra dev pyproject.toml --output-file ci/lock.txt

docs: $(STAMP) ## build the documentation site in site/; a warning is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

bench: $(STAMP) ## measure speed
	$(BIN)/python benchmarks/bench.py

sweep: $(STAMP) ## fix all Dockerfiles of a folder in memory and check the results: make sweep CORPUS=dir
	@test -n "$(CORPUS)" || { echo "which folder? make sweep CORPUS=dir" >&2; exit 2; }
	$(BIN)/python benchmarks/sweep.py "$(CORPUS)"

# `make test` has a short run with the same inputs each time. atheris has wheels for Linux and some versions of Python.
fuzz: $(STAMP) ## search for inputs that break dockfix: make fuzz [TARGETS="parse apply"] [SECONDS_EACH=60]
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: 'atheris>=3' \
		|| echo 'atheris is not available: inputs are mutations of the golden cases' >&2
	PYTHONPATH=benchmarks:. $(BIN)/python -m tests.fuzz.run $(TARGETS) --seconds $(or $(SECONDS_EACH),60)

dist: $(STAMP) ## build the wheel and the sdist in dist/, and check their metadata
	rm -rf dist
	$(BIN)/uv build --quiet --out-dir dist
	$(BIN)/uvx --quiet twine check --strict dist/*.whl dist/*.tar.gz

# The dependencies have compiled parts, so the file is for this platform and this version of Python, which it asks for.
zipapp: dist ## build dist/dockfix.pyz, one file with all dependencies
	$(BIN)/uvx --quiet --python $(BIN)/python shiv --quiet --reproducible --console-script dockfix \
		--python "/usr/bin/env python$$($(BIN)/python -c 'import sys; print("%d.%d" % sys.version_info[:2])')" \
		--output-file dist/dockfix.pyz dist/*.whl

sbom: dist ## build dist/dockfix.cdx.json: what the wheel needs, as a CycloneDX document
	$(BIN)/python ci/supply_chain.py sbom dist/*.whl dist/dockfix.cdx.json

image-check: $(STAMP) ## check the project's own Dockerfile with all rules, hadolint, and BuildKit if there is docker
	$(BIN)/dockfix check $$($(BIN)/dockfix rules | sed 's/ .*//; s/^/--rule /') Dockerfile
	$(BIN)/hadolint Dockerfile
	@if docker buildx version >/dev/null 2>&1; \
	then docker buildx build --check --build-arg 'BUILDKIT_DOCKERFILE_CHECK=experimental=all;error=true' .; \
	else echo 'docker buildx is not there: its checks were left out'; fi

clean: ## remove the virtual environment, what was built, and caches
	rm -rf $(VENV) build dist site .fuzz .mypy_cache .pytest_cache .ruff_cache .hypothesis .benchmarks
