"""In the guest: how the kernel's TOMOYO writes each line of policy that it is given.

Reads {"entries": […], "exceptions": […]} from standard input; one JSON line with the lines that came of each.
"""

from __future__ import annotations

import json
import sys

from tests.vm.guest import kernel
from tests.vm.guest.enforcers import forget_exceptions

DOMAIN = "<kernel> /oracle/text"


def of_entry(line: str) -> list[str]:
    """What a domain holds after reading ``line``."""
    kernel.write("domain_policy", f"{DOMAIN}\n{line}\n")
    found = kernel.domains(DOMAIN).get(DOMAIN, [])
    kernel.write("domain_policy", f"delete {DOMAIN}\n")
    return [each for each in found if each not in ("use_profile 0", "use_group 0")]


def of_exception(line: str) -> list[str]:
    """What the exception policy holds after reading ``line``."""
    kernel.write("exception_policy", f"{line}\n")
    found = [each for each in kernel.read("exception_policy").split("\n") if each and "/run/local/" not in each]
    for each in found:
        kernel.write("exception_policy", f"delete {each}\n")
    return found


def main() -> None:
    given = json.load(sys.stdin)
    forget_exceptions()
    answers = {"entries": [*map(of_entry, given["entries"])], "exceptions": [*map(of_exception, given["exceptions"])]}
    print(json.dumps(answers))


if __name__ == "__main__":
    main()
