# make setup   .venv with the sekisho command in it (needs python3 >= 3.11 with venv; no network)
# make demo    learn a program, enforce what was learned, attack it
# make test    linters, types and all tests; as root also those that need it
# make oracle  every comparison with a real kernel's TOMOYO, in virtual machines (root, two hours)
# make kernels every test of the engine in the kernel, on every kernel
# make bench   what mediation costs here
# make bench-vm  what mediation of a whole system costs on a stock kernel, beside AppArmor and TOMOYO (an hour)
# make fuzz    inputs made to break the parser, the converter, the matcher, the interface (five minutes each)
# make stress  ten readers and a writer on the interface of a running tree, for a minute
# make races   a million tries of each race against the supervisor (an hour)
# make faults  each kind of system call of the supervisor's goes wrong, in several ways at several places (two hours)
# make load    a thousand processes that ask for much of one supervisor, for ten minutes (SECONDS=3600: an hour)
# make alike   random system calls, natively and supervised: half a million come to the same (root, an hour)
# make suites  Python's own tests of its system calls, natively and supervised (root, twenty minutes)
# make endure  the engine in the kernel under load, its daemon killed and followed again and again (an hour)
# make witness hostile programs for an hour on each engine and kernel, with the kernel's TOMOYO looking on (six hours)
# make bpf     the kernel side, from bpf/ (needs clang; its result is part of the source tree)
# make man     man pages from the command line's own help
# make format  sources in the one format

PYTHON := .venv/bin/python

.PHONY: setup demo test oracle kernels tools bench bench-vm bpf fuzz stress races faults load alike suites endure witness man format clean

setup: .venv/bin/sekisho

.venv/bin/sekisho: scripts/setup
	@sh scripts/setup .venv

demo: setup
	@$(PYTHON) demo/demo.py

tools: .venv/.tools

.venv/.tools: pyproject.toml | setup
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

test: tools
	@sh scripts/test-dependencies
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	@sh scripts/test $(PYTHON) "not oracle and not every$$(test "$$(id -u)" = 0 || echo ' and not root')"

oracle: tools
	@sh scripts/test-dependencies
	@$(PYTHON) -m tests.vm --prepare full
	@$(PYTHON) -m tests.vm --prepare booted
	$(PYTHON) -m pytest -m oracle tests/vm tests/engine/lsm

kernels: tools
	@sh scripts/test-dependencies
	$(PYTHON) -m pytest -m "vm and not oracle" tests/engine/lsm tests/vm

bench: tools
	@$(PYTHON) bench/run.py

bench-vm: tools
	@sh scripts/test-dependencies
	@$(PYTHON) -m tests.vm --prepare bench
	@$(PYTHON) -m bench.system

fuzz: tools
	@$(PYTHON) fuzz/run.py --seconds 300

races: tools
	$(PYTHON) -m pytest -m "slow or root" --long tests/bypass/test_races.py tests/bypass/test_swaps.py tests/bypass/test_signals.py

stress: tools
	$(PYTHON) -m pytest -m slow --long tests/engine/supervisor/test_stress.py

faults: tools
	$(PYTHON) -m pytest -m slow --long tests/engine/supervisor/test_faults.py

load: tools
	PYTHONPATH=src $(PYTHON) -m tests.engine.supervisor.load --seconds $(or $(SECONDS),600)

alike: tools
	@sh scripts/test-dependencies
	$(PYTHON) -m pytest -m slow --long tests/alike

suites: tools
	@sh scripts/test-dependencies
	@PYTHONPATH=src $(PYTHON) -m tests.alike.suites --python "$$($(PYTHON) -c 'import sys; print(sys.base_prefix)')/bin/python3"

endure: tools
	@sh scripts/test-dependencies
	$(PYTHON) -m pytest -m slow --long -s tests/engine/lsm/test_endurance.py

witness: tools
	@sh scripts/test-dependencies
	$(PYTHON) -m pytest -m slow --long -s tests/vm/test_witness.py

bpf: tools
	@PYTHONPATH=src $(PYTHON) scripts/bpf.py

man: setup
	@$(PYTHON) scripts/man.py

format: tools
	$(PYTHON) -m ruff check --fix-only --quiet .
	$(PYTHON) -m ruff format .

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis
