# planetary.hub: `make` alone shows what there is.
# Everything generated lies in .sandbox/.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.SUFFIXES:

PYTHON ?= python3
INVENTORY ?= inventories/sandbox
FORMAT ?= text
ARGS ?=
CHARTS ?=
LISTEN ?=

SANDBOX := $(CURDIR)/.sandbox
CONTROL := $(SANDBOX)/control
BIN := $(CONTROL)/bin
HUB := $(SANDBOX)/hub
AZURE := $(SANDBOX)/azure
UV := $(BIN)/python -m uv
LOCKS := roles/daskhub/files/local
IMAGE := roles/daskhub/files/hub_image

# Another interpreter, when one is named, means another control node.
ifneq ($(origin PYTHON),file)
ifneq ($(filter hub bench,$(MAKECMDGOALS)),)
VERSION := -c 'import sys; print(sys.version_info[:2])'
ifneq ($(shell $(PYTHON) $(VERSION) 2>/dev/null),$(shell $(BIN)/python $(VERSION) 2>/dev/null))
$(shell rm -f $(CONTROL)/.ready)
endif
endif
endif

export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg
# Said with this very command: an exported KUBECONFIG may be that of a cluster in use.
CLUSTER := $(if $(filter command,$(origin KUBECONFIG)),$(KUBECONFIG))
# Ansible starts Python for every task: without compiled files each start takes three times as long.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## Show the targets
	@echo 'make TARGET [PYTHON=python3.13] [INVENTORY=inventories/sandbox] [ARGS="-e daskhub_local_port=9000"]'
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: hub
hub: $(CONTROL)/.ready $(if $(filter inventories/sandbox,$(INVENTORY)),azure) ## Build a living hub on this machine, or bring it up to date
	@$(BIN)/ansible-playbook site.yml -i $(INVENTORY) $(ARGS)
	@$(MAKE) -s --no-print-directory status

.PHONY: azure
azure: $(CONTROL)/.ready ## Start the stand-in for Azure, or leave it running (KUBECONFIG=<file>: its clusters are that one)
	@$(BIN)/python sandbox/azure/launch.py start --prepared --directory $(AZURE) \
	  $(if $(CLUSTER),--kubeconfig '$(CLUSTER)') $(if $(LISTEN),--listen $(LISTEN))

.PHONY: azure-env
azure-env: ## Print the exports that lead any client to the stand-in: eval "$$(make -s azure-env)"
	@$(BIN)/python sandbox/azure/launch.py env --directory $(AZURE)

.PHONY: status
status: ## Show what runs, where, and how to sign in (FORMAT=json for programs)
	@if [ -f $(HUB)/etc/local_hub.py ]; then \
	  $(HUB)/venv/hub/bin/python $(HUB)/etc/local_hub.py status $(HUB) --format=$(FORMAT); \
	elif [ '$(FORMAT)' = json ]; then echo '{"url": null, "users": [], "services": []}'; \
	else echo 'There is no hub here yet: run `make hub`.'; fi

.PHONY: down
down: ## Stop the hub, the users' servers and their Dask clusters, and the stand-in for Azure; keep the data
	@if [ -x $(BIN)/ansible-playbook ]; then $(BIN)/ansible-playbook playbooks/stop.yml -i $(INVENTORY) $(ARGS); \
	else echo 'There is no hub here.'; fi
	@if [ -d $(AZURE) ]; then $(BIN)/python sandbox/azure/launch.py stop --directory $(AZURE); fi

.PHONY: clean
clean: down ## Stop the hub and forget it: environments, data, secrets, logs
	@rm -rf $(SANDBOX)

.PHONY: test
test: ## Run all tests, or some (SESSIONS="lint unit"); the last lines say what was skipped and why
	@$(PYTHON) tests/run.py $(SESSIONS)

.PHONY: e2e
e2e: ## Try all on a real cluster: KUBECONFIG=<file of its cluster-admin> [CHARTS=<folder with the packaged charts>]
	@KUBECONFIG='$(CLUSTER)' HUB_CHARTS='$(abspath $(CHARTS))' $(PYTHON) tests/run.py e2e

.PHONY: lint
lint: ## Check style, types, YAML, Ansible and changelog fragments
	@$(PYTHON) tests/run.py lint

.PHONY: bench
bench: $(CONTROL)/.ready ## Measure, and print each figure beside what it is held against (FORMAT=json for programs; KUBECONFIG=, CHARTS= as for e2e)
	@KUBECONFIG='$(CLUSTER)' HUB_CHARTS='$(abspath $(CHARTS))' $(BIN)/python -m benchmarks --format=$(FORMAT)

.PHONY: docs
docs: $(CONTROL)/.ready ## Write the tables of variables in the roles' READMEs
	@$(BIN)/python tests/contracts/readme_tables.py

.PHONY: lock
lock: $(CONTROL)/.ready ## Lock the environments of the local platform anew
	@for name in hub node user_environment; do \
	  $(UV) pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --custom-compile-command 'make lock' $(LOCKS)/requirements/$$name.in -o $(LOCKS)/requirements/$$name.txt; done
	@$(UV) pip compile --quiet --upgrade --no-deps --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --custom-compile-command 'make lock' $(IMAGE)/requirements.in -o $(IMAGE)/requirements.txt
	@cd $(LOCKS)/node && npm update --package-lock-only --omit-lockfile-registry-resolved

# The control node: Ansible and what the collection's modules need, in a virtual environment.
$(CONTROL)/.ready: requirements.txt meta/requirements.txt
	@command -v $(PYTHON) >/dev/null || { echo '$(PYTHON) is not there: install Python 3.11 or newer, or name it with PYTHON=.' >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo '$(PYTHON) is not Python 3.11 or newer: install one, or name it with PYTHON=python3.13.' >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo '$(PYTHON) has no venv module: install it (Debian and Ubuntu: apt install python3-venv).' >&2; exit 1; }
	@echo 'Installing Ansible into .sandbox/control ...' >&2
	@$(PYTHON) -m venv --clear $(CONTROL)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep '^uv[>=<]' meta/requirements.txt | sed 's/ *#.*//')"
	@$(UV) pip install --quiet --python $(BIN)/python -r requirements.txt
	@touch $@
