"""For scripts in virtual machines: programs of the kernel side in force, and processes in domains of one's choice."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Collection
from pathlib import Path

from sekisho.decide.request import Request
from sekisho.engine.lsm import guards, layout
from sekisho.engine.lsm.daemon import events, machine
from sekisho.engine.lsm.kernel import object as objects
from sekisho.engine.lsm.kernel.loader import Loader, Options
from sekisho.engine.lsm.kernel.ring import Ring
from sekisho.engine.lsm.publish.kernel_maps import KernelMaps
from sekisho.engine.lsm.publish.publisher import Publisher
from sekisho.policy.model import Policy
from sekisho.policy.parser import parse_domain_policy, parse_profile
from sekisho.store.defaults import profiles

SMALL = 1 << 14


class Engine:
    """Policy in force for the processes that are put into its domains, by some of the programs."""

    def __init__(self, image: Path, policy: str, programs: Collection[str]) -> None:
        found = objects.read(image.read_bytes())
        entries = {name: min(shape.entries, SMALL) for name, shape in found.maps.items() if name != "events"}
        entries |= {name: found.maps[name].entries for name in ("domains", "bindings_0", "bindings_1", "cells")}
        options = Options(
            machine.flavour(), entries, wanted=lambda source: source.name in programs, log=20, prefix=guards.OWN_NAME
        )
        self.loaded = Loader().load(found, options)
        self.image, self.options = found, options
        self.loaded.attach()
        assert not self.loaded.failures, self.loaded.failures
        assert set(self.loaded.links) == set(programs), set(programs) - set(self.loaded.links)
        self.maps = KernelMaps(self.loaded.maps)
        self.publisher = Publisher(self.maps)
        self.policy = Policy()
        parse_profile(profiles(), self.policy)
        parse_domain_policy(policy, self.policy)
        self.publisher.publish(self.policy)
        self.ring = Ring(self.loaded.maps["events"])
        self.maps.state.active = 1

    def put(self, pid: int, domain: str) -> None:
        """The process, and those that it forks from now on, is in ``domain``."""
        number = self.publisher.domains.domain(domain)
        self.loaded.maps["tasks"].update_task(pid, layout.Task(domain=number))

    def attempt(self, domain: str, act: Callable[[], object]) -> str:
        """What comes of ``act`` in ``domain``: ``ok``, or the name of an errno."""
        go, ready = os.pipe()
        answer, reply = os.pipe()
        pid = os.fork()
        if not pid:
            os.close(ready)
            os.read(go, 1)
            os.write(reply, _outcome(act).encode())
            os._exit(0)
        os.close(reply)
        os.close(go)
        self.put(pid, domain)
        os.close(ready)
        with os.fdopen(answer) as stream:
            said = stream.read()
        os.waitpid(pid, 0)
        return said or "died"

    def told(self) -> list[str]:
        """What was asked since, refused or granted by a mode, as requests are written."""
        found = []
        for raw in self.ring.drain():
            event = events.read(raw)
            if event.kind in (layout.EVENT_REQUEST, layout.EVENT_UNNAMEABLE):
                request = events.request_of(event, self.publisher.domains.name)
                found.append(str(event.header.operation) if request is None else line(request))
        return found


def line(request: Request) -> str:
    """A request as an entry says it, without conditions."""
    return " ".join([request.operation.keyword, *(str(each) for each in request.arguments)])


def _outcome(act: Callable[[], object]) -> str:
    try:
        act()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))
    except BaseException as error:
        return repr(error)
    return "ok"


def report(name: str, outcome: str) -> None:
    """One line for the test."""
    print(f"{name}: {outcome}")
    sys.stdout.flush()
