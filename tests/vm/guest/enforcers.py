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

    tells: ClassVar[dict[str, bool]] = {}
    """How its answers are to be read."""

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
        """The process enters the domain itself (tests/vm/guest/ask.py)."""

    def forget(self) -> None:
        """What has been told so far doesn't matter."""
        kernel.read("audit")

    def told(self) -> list[str]:
        """The audit records since."""
        return kernel.read("audit").split("\n\0")[:-1]

    def where(self, pid: int) -> str:
        """The domain that process ``pid`` is in."""
        descriptor = os.open(f"{kernel.FILES}.process_status", os.O_RDWR)
        try:
            os.write(descriptor, f"global-pid {pid}\n".encode())
            return os.read(descriptor, 65536).decode().rstrip("\n").split(" ", 2)[2]
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
    """The engine in the kernel; this process is its daemon. The kernel's TOMOYO has nobody in any domain meanwhile."""

    tells: ClassVar = {"by_name_only": True}
    """Its audit records have of a program no more than its name."""

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

    def where(self, pid: int) -> str:
        """The domain that process ``pid`` is in."""
        from sekisho.engine.lsm import layout

        carried = self.tasks.lookup_task(pid)
        number = layout.Task.from_buffer_copy(carried).domain if carried is not None else layout.KERNEL_DOMAIN
        return self.service.system.publisher.domains.name(number) or str(number)

    def end(self) -> None:
        """The next batch says what holds then."""


ENFORCERS: dict[str, type[Tomoyo] | type[System]] = {"tomoyo": Tomoyo, "system": System}
