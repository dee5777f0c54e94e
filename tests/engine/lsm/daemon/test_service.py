from __future__ import annotations

import time
from types import SimpleNamespace

from sekisho.engine.lsm.daemon.service import Service


def test_whoever_asks_is_answered_between_two_events() -> None:
    done: list[str] = []

    def take(raw: bytes) -> None:
        done.append("event")
        time.sleep(0.06)

    def poll(patience: float) -> list[tuple[int, int]]:
        return [(7, 1)] if done.count("event") == 2 and "answer" not in done else []

    left = [[b"", b"", b"", b""]]
    service = Service.__new__(Service)
    service.__dict__.update(
        learner=SimpleNamespace(take=take),
        system=SimpleNamespace(
            earlier=lambda most: left.pop() if left else [],
            publisher=SimpleNamespace(wasteful=False),
            state=SimpleNamespace(heartbeat=0),
        ),
        trial=SimpleNamespace(look=lambda: False, deadline=1.0),
        questions=SimpleNamespace(look=lambda: None),
        alive=lambda: None,
        _changed={},
        _poll=SimpleNamespace(poll=poll),
        _watched={7: lambda events: done.append("answer")},
    )

    service.turn(SimpleNamespace(drain=lambda most: []))  # type: ignore[arg-type]

    assert ["event", "event", "answer", "event", "event"] == done
