"""``make demo``: learn a program, hold it to what was learned, attack it with and without Sekisho.

The exit status is 0 if everything went as told, 1 if anything didn't.
"""

from __future__ import annotations

import os
import shutil
import string
import sys
import tempfile
from pathlib import Path

from attacks import Attack, Thief, attacks
from stage import KEY, Outcome, Server, Unexpected, free_port, heading, indented, sekisho, shown, tell

TRAFFIC = ("/", "/index.html", "/notes.txt", "/system", "/sum?of=2%2B3", "/nothing-here")


def main() -> int:
    """The demonstration's exit status."""
    stage = build()
    try:
        perform(stage)
    except Unexpected as problem:
        print(f"\nThis didn't go as it should: {problem}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(stage)
    tell("\nEverything went as told. Now a program of yours: sekisho learn -- COMMAND, then sekisho run -- COMMAND")
    return 0


def build() -> Path:
    """A new folder under a name that is easy to read."""
    top = os.path.realpath(tempfile.gettempdir())
    for name in ("sekisho-demo", *(f"sekisho-demo-{letter}" for letter in string.ascii_lowercase)):
        try:
            os.mkdir(f"{top}/{name}", 0o700)
        except FileExistsError:
            continue
        return Path(top, name)
    raise SystemExit(f"{top}/sekisho-demo and 26 more of the kind are there; remove them")


def perform(stage: Path) -> None:
    """The four acts; raises Unexpected as soon as something isn't as told."""
    site, policy, port = furnish(stage), stage / "policy", free_port()
    learned = learn(site, policy, port)
    show_policy(site, policy)
    enforce(site, policy, port, learned)
    attack(stage, site, policy, port)


def furnish(stage: Path) -> Path:
    """A folder to be served, and beside it a secret that isn't."""
    site, private = stage / "site", stage / "private"
    site.mkdir(mode=0o755)
    private.mkdir(mode=0o700)
    (site / "index.html").write_text("<h1>Welcome to the checkpoint</h1>\n")
    (site / "notes.txt").write_text("Every traveller shows papers.\n")
    (private / "secret.txt").write_text(KEY + "\n")
    return site


def learn(site: Path, policy: Path, port: int) -> dict[str, Outcome]:
    """What the server answers while Sekisho writes down what it does."""
    heading("1. Watch a web server at work, and get its policy")
    tell("demo/server.py is Python's http.server with two pages more. A client asks for all it has.")
    with Server(site, port, "learn", policy) as server:
        answers = {page: server.ask(page) for page in TRAFFIC}
    for page, answer in answers.items():
        tell(f"  GET {page:14} {answer.status}  {answer.first_line}")
    tell(f"  {server.said()}")
    expect(answers["/notes.txt"].status == 200 and answers["/sum?of=2%2B3"].text == "5\n", "the server doesn't work")
    return answers


def show_policy(site: Path, policy: Path) -> None:
    """The tree of domains, and what is particular to this server in its policy."""
    heading("2. What it did is its policy")
    tell("One domain for each chain of programs:")
    ask("domains", "-P", str(policy))
    domain = server_domain(policy)
    lines = sekisho("policy", "show", "-P", str(policy), domain).text.splitlines()
    particular = [line for line in lines if any(word in line for word in (str(site), "network inet", "file execute"))]
    tell(f"What is special about {domain}:")
    tell(indented([*particular, f"... and {len(lines) - len(particular)} lines more: libraries, environment"]))
    expect(any("network inet stream bind" in line for line in particular), "the policy lacks what the server did")


def server_domain(policy: Path) -> str:
    """The name of the domain that the server runs in."""
    text = (policy / "domain_policy.conf").read_text()
    return next(line for line in text.splitlines() if line.startswith("<kernel> "))


def enforce(site: Path, policy: Path, port: int, learned: dict[str, Outcome]) -> None:
    """The same traffic under the policy: the same answers, nothing denied."""
    heading("3. Hold it to that: the same traffic, enforced")
    with Server(site, port, "run", policy) as server:
        answers = {page: server.ask(page) for page in TRAFFIC}
    for page, answer in answers.items():
        expect(answer == learned[page], f"{page} gave {answer}, not {learned[page]}; {server.said()}\n{denied(policy)}")
    expect(not denied(policy), f"denied: {denied(policy)}")
    tell(f"All {len(TRAFFIC)} answers are the same, and nothing was denied.")


def attack(stage: Path, site: Path, policy: Path, port: int) -> None:
    """Each attack succeeds on the bare server and fails on the one that is held to its policy."""
    heading("4. Attack it, alone and under Sekisho")
    with Thief() as thief, Server(site, free_port(port)) as bare, Server(site, port, "run", policy) as held:
        for number, each in enumerate(attacks(site, stage / "private" / "secret.txt", thief), 1):
            heading(f"Attack {number}: {each.title}")
            launch(each, bare, held, policy)
        expect(held.ask("/notes.txt").status == 200, f"the server under Sekisho no longer works: {held.said()}")
    tell("\nThe server under Sekisho serves its pages as before.")


def launch(attack: Attack, bare: Server, held: Server, policy: Path) -> None:
    """One attack, twice, with the lines of the log and of policy that belong to it."""
    tell(f"  {attack.how}")
    stolen = attack.strike(bare)
    expect(KEY in stolen, f"without Sekisho the attack got {stolen!r}")
    tell(f"  alone:         {stolen}")
    before = len(denied(policy))
    stolen = attack.strike(held)
    expect(KEY not in stolen, "under Sekisho the attack got the secret")
    tell("  under Sekisho: refused")
    new = denied(policy)[before:]
    tell(f"$ {shown(('sekisho', 'log', '-P', str(policy), '--denied'))}")
    tell(indented(new))
    expect(any(attack.missing in line for line in new), f"the log doesn't tell {attack.missing!r}")
    answer = ask("why", "-P", str(policy), server_domain(policy), attack.missing)
    expect(answer.status == 1, f"`sekisho why` ended with {answer.status}")
    expect(attack.missing in answer.text, "`sekisho why` doesn't tell the line that would allow it")


def denied(policy: Path) -> list[str]:
    """The lines of ``sekisho log --denied``."""
    return sekisho("log", "-P", str(policy), "--denied").text.splitlines()


def ask(*arguments: str) -> Outcome:
    """What a ``sekisho`` command says, shown."""
    tell(f"$ {shown(('sekisho', *arguments))}")
    outcome = sekisho(*arguments)
    tell(indented(outcome.text.splitlines()))
    return outcome


def expect(condition: bool, otherwise: str) -> None:
    """Raises Unexpected unless ``condition`` holds."""
    if not condition:
        raise Unexpected(otherwise)


if __name__ == "__main__":
    sys.exit(main())
