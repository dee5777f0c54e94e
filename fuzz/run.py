"""Coverage-guided fuzzing: each target gets bytes made to reach new code, and must keep its laws whatever they are.

usage: python fuzz/run.py [--seconds N | --runs N] [--seed N] [--corpus DIR] [TARGET ...]

What reached new code is kept below DIR (build/fuzz, which isn't part of the source) and is where the next run starts.
A finding is left there as crash-…; ``python fuzz/run.py TARGET --again FILE`` shows it.
"""

from __future__ import annotations

import argparse
import importlib
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, cast

ROOT = Path(__file__).resolve().parent.parent
TARGETS = ("parsing", "converting", "matching", "writing", "connecting", "recording")
LONGEST = 2048


class Target(Protocol):
    """What a module beside this one has."""

    SEEDS: tuple[bytes, ...]
    """Inputs to start from."""
    WORDS: tuple[str, ...]
    """What inputs are made of."""
    one: Callable[[bytes], None]
    """Raises where a law is broken."""


def main() -> int:
    """Every target that was named, or all; the status of the first that found something."""
    arguments = parser().parse_args()
    if arguments.inside:
        fuzz(arguments.targets[0], arguments)
    for name in arguments.targets or TARGETS:
        if arguments.again:
            load(name).one(Path(arguments.again).read_bytes())
            continue
        options = [f"--{option}={getattr(arguments, option)}" for option in ("corpus", "runs", "seconds", "seed")]
        command = [sys.executable, __file__, "--inside", *options, name]
        print(f"== {name}", flush=True)
        status = subprocess.run(command, cwd=ROOT, check=False).returncode
        if status:
            return 1
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line's."""
    made = argparse.ArgumentParser(
        description="Fuzz the parser, the converter, the matcher, the interface, audit JSON."
    )
    made.add_argument("targets", nargs="*", metavar="TARGET", help=f"one of: {' '.join(TARGETS)} (default: all)")
    made.add_argument("--seconds", type=int, default=0, help="stop each target after so many seconds")
    made.add_argument("--runs", type=int, default=-1, help="stop each target after so many inputs")
    made.add_argument("--seed", type=int, default=0, help="make the same inputs as another run with this (0: new ones)")
    made.add_argument("--corpus", default=str(ROOT / "build/fuzz"), help="where inputs are kept")
    made.add_argument("--again", metavar="FILE", help="only this input, with what it raises")
    made.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return made


def load(name: str) -> Target:
    """The module of the target."""
    if name not in TARGETS:
        raise SystemExit(f"there is no target {name}; there are: {' '.join(TARGETS)}")
    sys.path[:0] = [str(ROOT), str(ROOT / "src")]
    return cast(Target, importlib.import_module(f"fuzz.{name}"))


def fuzz(name: str, arguments: argparse.Namespace) -> None:
    """Fuzzes in this process, and never returns; without guidance where atheris can't be had."""
    try:
        import atheris
    except ImportError:
        stab(load(name), arguments)
        sys.exit()
    with atheris.instrument_imports(include=["sekisho"]):
        target = load(name)
    corpus = Path(arguments.corpus) / name
    (corpus / "seeds").mkdir(parents=True, exist_ok=True)
    (corpus / "found").mkdir(exist_ok=True)
    for number, seed in enumerate(target.SEEDS):
        (corpus / "seeds" / f"{number:03}").write_bytes(seed)
    words = corpus / "words"
    words.write_text("".join(f'"{escaped(word)}"\n' for word in target.WORDS))
    options = [
        f"-max_len={LONGEST}", f"-dict={words}", f"-artifact_prefix={corpus}/", "-print_final_stats=0",
        f"-seed={arguments.seed}", f"-runs={arguments.runs}", f"-max_total_time={arguments.seconds}", "-timeout=60",
        "-rss_limit_mb=1500",
    ]  # fmt: skip
    atheris.Setup([sys.argv[0], *options, str(corpus / "found"), str(corpus / "seeds")], target.one)
    atheris.Fuzz()


def stab(target: Target, arguments: argparse.Namespace) -> None:
    """The seeds, with words and bytes put in and pieces taken out by chance."""
    chance = random.Random(arguments.seed or None)
    end = time.monotonic() + arguments.seconds if arguments.seconds else float("inf")
    words = [word.encode("latin-1", "ignore") for word in target.WORDS]
    count = 0
    while count != arguments.runs and time.monotonic() < end:
        data = chance.choice(target.SEEDS)[:LONGEST]
        for _ in range(chance.randrange(1, 6)):
            start = chance.randrange(len(data) + 1)
            length = chance.choice((0, 0, 1, chance.randrange(len(data) + 1)))
            put = chance.choice((b"", chance.randbytes(1), chance.choice(words)))
            data = data[:start] + put + data[start + length :]
        target.one(data)
        count += 1
    print(f"Done {count} runs, without guidance: there is no atheris here", file=sys.stderr)


def escaped(word: str) -> str:
    """``word`` as a dictionary file writes it."""
    return "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else f"\\x{ord(c):02x}" for c in word)


if __name__ == "__main__":
    sys.exit(main())
