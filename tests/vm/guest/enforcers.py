"""In the guest: who enforces policy and tells of it: the kernel's TOMOYO, or Sekisho's engine in the kernel."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

from tests.vm.guest import kernel

POLICY = Path("/var/lib/sekisho-oracle")


class Tomoyo:
    """The kernel's own."""

    enters: ClassVar = True
    """Whether processes enter their domain themselves (tests/vm/guest/ask.py)."""

    def begin(self, batch: dict[str, Any]) -> dict[str, Any]:
        """The policy of ``batch`` holds; as it is read back."""
        forget_exceptions()
        kernel.write("exception_policy", "".join(f"{line}\n" for line in batch["exception"]))
        kernel.write("profile", "".join(f"{line}\n" for line in batch["profile"]))
        kernel.write("domain_policy", "".join(f"{line}\n" for line in batch["domain_policy"]))
        command = "<kernel> /run/local/command"
        kernel.write("domain_policy", f"select {command}\ntask manual_domain_transition {batch['domain']}\n")
        read_back = kernel.domains(batch["domain"])
        return {"read_back": read_back, "exception": kernel.read("exception_policy").split("\n")}

    def confine(self, pid: int, domain: str) -> None:
        """The process is there."""

    def forget(self) -> None:
        """What has been told so far doesn't matter."""
        kernel.read("audit")

    def told(self) -> list[str]:
        """The audit records since."""
        return kernel.read("audit").split("\n\0")[:-1]

    def heard(self) -> dict[str, Any]:
        """The same as a part of an answer, and how it is to be read."""
        return {"audit": self.told()}

    def where(self, pid: int) -> dict[str, str]:
        """The domain that process ``pid`` is in."""
        descriptor = os.open(f"{kernel.FILES}.process_status", os.O_RDWR)
        try:
            os.write(descriptor, f"global-pid {pid}\n".encode())
            return {"domain": os.read(descriptor, 65536).decode().rstrip("\n").split(" ", 2)[2]}
        finally:
            os.close(descriptor)

    def end(self) -> None:
        """Domains and exceptions are gone."""
        for name in reversed(kernel.domains("<kernel>")):
            if name != "<kernel>" and not name.startswith("<kernel> /run/"):
                kernel.write("domain_policy", f"delete {name}\n")
        forget_exceptions()


def forget_exceptions() -> None:
    """Nothing but what this process needs is left of the exception policy."""
    for line in kernel.read("exception_policy").split("\n"):
        if line and "/run/local/command" not in line:
            kernel.write("exception_policy", f"delete {line}\n")


class System:
    """The engine in the kernel; this process is its daemon."""

    enters: ClassVar = False

    def __init__(self) -> None:
        """It is in force; nobody is confined."""
        sys.path.insert(0, "src")
        from sekisho.engine.lsm.daemon.launch import begin
        from sekisho.engine.lsm.kernel.ring import Ring
        from sekisho.store.directory import PolicyDirectory

        if not Path("/sys/fs/bpf").is_mount():
            subprocess.run(["/bin/mount", "-t", "bpf", "bpf", "/sys/fs/bpf"], check=True)
        directory = PolicyDirectory(POLICY)
        directory.create()
        (POLICY / "rewrite.conf").write_text("")
        self.service = begin(directory, lambda text: print(text, file=sys.stderr, flush=True))
        self.tasks = self.service.system.loaded.maps["tasks"]
        self.ring = Ring(self.service.system.loaded.maps["events"])

    def begin(self, batch: dict[str, Any]) -> dict[str, Any]:
        """The policy of ``batch`` holds; it needn't be read back."""
        texts = {"profile": batch["profile"], "exception_policy": batch["exception"]}
        texts["domain_policy"] = ["<kernel>", "use_profile 0", "use_group 0", "", *batch["domain_policy"]]
        for name, lines in texts.items():
            (POLICY / f"{name}.conf").write_text("".join(f"{line}\n" for line in lines), "utf-8", "surrogateescape")
        self.service.reload()
        return {}

    def confine(self, pid: int, domain: str) -> None:
        """The process is in the domain."""
        from sekisho.engine.lsm import layout

        number = self.service.system.publisher.domains.domain(domain)
        self.tasks.update_task(pid, layout.Task(domain=number))

    def forget(self) -> None:
        """What has been told so far doesn't matter."""
        self.told()

    def told(self) -> list[str]:
        """The audit records since."""
        from sekisho.audit.record import format_text

        self.service.turn(self.ring)
        found = []
        while record := self.service.keeper.records.take():
            found.append(format_text(record))
        return found

    def heard(self) -> dict[str, Any]:
        """The same; these records have of a program no more than its name."""
        return {"audit": self.told(), "by_name_only": True}

    def where(self, pid: int) -> dict[str, str]:
        """The domain that process ``pid`` is in."""
        from sekisho.engine.lsm import layout

        carried = self.tasks.lookup_task(pid)
        number = layout.Task.from_buffer_copy(carried).domain if carried is not None else layout.KERNEL_DOMAIN
        return {"domain": self.service.system.publisher.domains.name(number) or str(number)}

    def end(self) -> None:
        """Domains that came up are saved, so that they are gone when the next batch replaces what is saved."""
        self.service.reload()


class Both:
    """
    Both see each request. One enforces; the other has the same policy in permissive mode and tells what it would have
    refused, since of what the first that is asked refuses the second never hears.
    """

    enters: ClassVar = True

    def __init__(self) -> None:
        """Sekisho enforces."""
        self.enforcing: Tomoyo | System = System()
        self.permissive: Tomoyo | System = Tomoyo()

    def turn(self) -> None:
        """The other enforces."""
        self.enforcing, self.permissive = self.permissive, self.enforcing

    def begin(self, batch: dict[str, Any]) -> dict[str, Any]:
        """The policy of ``batch`` holds for both."""
        lenient = [line.replace("mode=enforcing", "mode=permissive") for line in batch["profile"]]
        return self.permissive.begin(batch | {"profile": lenient}) | self.enforcing.begin(batch)

    def confine(self, pid: int, domain: str) -> None:
        """The process is there for both."""
        self.permissive.confine(pid, domain)
        self.enforcing.confine(pid, domain)

    def forget(self) -> None:
        """What has been told so far doesn't matter."""
        self.permissive.forget()
        self.enforcing.forget()

    def heard(self) -> dict[str, Any]:
        """What the one that enforces has told, and what the other has."""
        return self.enforcing.heard() | {"beside": self.permissive.told()}

    def where(self, pid: int) -> dict[str, str]:
        """The domain that process ``pid`` is in with each."""
        return self.enforcing.where(pid) | {"domain_beside": self.permissive.where(pid)["domain"]}

    def end(self) -> None:
        """Domains and exceptions are gone."""
        self.permissive.end()
        self.enforcing.end()


Enforcer = Tomoyo | System | Both
ENFORCERS: dict[str, type[Tomoyo] | type[System] | type[Both]] = {"tomoyo": Tomoyo, "system": System, "both": Both}
