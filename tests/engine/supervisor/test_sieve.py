"""The filter lets through whom policy grants, on every packet; and the kernel takes it."""

from __future__ import annotations

import socket
import struct
from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.supervisor.test_hearing import DOMAIN, policy_of

from sekisho.decide.evaluate import decide
from sekisho.decide.request import Facts, Request
from sekisho.engine.supervisor import sieve
from sekisho.engine.supervisor.hearing import Sender, senders
from sekisho.engine.supervisor.objects import address as addresses
from sekisho.engine.supervisor.sieve import WHOLE, Kind, apart, program
from sekisho.engine.supervisor.system import sockfilter
from sekisho.policy.grammar import OPERATIONS

V4, V6 = socket.AF_INET, socket.AF_INET6
UDP, UDP6, LITE = Kind(V4, "dgram", 17), Kind(V6, "dgram", 17), Kind(V4, "dgram", 136)
PING, RAW, RAW6 = Kind(V4, "dgram", 1), Kind(V4, "raw", 1), Kind(V6, "raw", 58)
KINDS = [UDP, UDP6, LITE, PING, RAW, RAW6]
NETWORK = 0xFFF00000
TRUE = {0x15: lambda a, k: a == k, 0x25: lambda a, k: a > k, 0x35: lambda a, k: a >= k}
WIDTH = {0x20: 4, 0x28: 2, 0x30: 1}


def run(code: bytes, network: bytes, transport: bytes) -> int:
    """What a filter says of a packet with these headers."""
    lines = list(struct.iter_unpack("HBBI", code))
    accumulator, at = 0, 0
    stored: dict[int, int] = {}
    while True:
        opcode, true, false, k = lines[at]
        at += 1
        if opcode == 0x06:
            return int(k)
        if opcode in WIDTH:
            seen, start = (network, k - NETWORK) if k >= NETWORK else (transport, k)
            assert start + WIDTH[opcode] <= len(seen)
            accumulator = int.from_bytes(seen[start : start + WIDTH[opcode]], "big")
        elif opcode == 0x00:
            accumulator = k
        elif opcode == 0x02:
            stored[k] = accumulator
        elif opcode == 0x60:
            accumulator = stored[k]
        elif opcode == 0x54:
            accumulator &= k
        elif opcode == 0x05:
            at += k
        else:
            at += true if TRUE[opcode](accumulator, k) else false


def packet(source: str, port: int) -> tuple[bytes, bytes]:
    """The headers of a datagram."""
    address = ip_address(source)
    transport = struct.pack(">HHHH", port, 9, 8, 0)
    if address.version == 4:
        return b"\x45" + bytes(11) + address.packed + bytes(4), transport
    return b"\x60" + bytes(7) + address.packed + bytes(16), transport


def sent(kind: Kind, source: str, port: int) -> bytes:
    """The sender's raw address, as recvfrom(2) gives it on such a socket."""
    address = ip_address(source)
    ported = kind.type == "dgram" and kind.protocol in (17, 136)
    number = struct.pack(">H", port if ported else 0)
    if kind.family == V4:
        return struct.pack("H", V4) + number + address.packed + bytes(8)
    whole = address.packed if address.version == 6 else bytes(10) + b"\xff\xff" + address.packed
    return struct.pack("H", V6) + number + bytes(4) + whole + bytes(4)


def granted(lines: list[str], kind: Kind, source: str, port: int) -> bool:
    """Whether policy lets such a datagram be received."""
    policy = policy_of(*lines)
    target = addresses.inet(sent(kind, source, port))
    assert target is not None
    number = kind.protocol if kind.type == "raw" else target.port
    return any(
        decide(
            policy,
            policy.domains[DOMAIN],
            Request(OPERATIONS[f"network inet {kind.type} {verb}"], (target.text, number), Facts(), False),
        ).granted
        for verb in ("recv", "send")
    )


v4 = st.one_of(
    st.integers(0, 0xFFFFFFFF), st.integers(0x7F000000, 0x7F000006), st.sampled_from([0, 0xFFFFFFFF, 0x7FFFFFFF])
)
words = st.sampled_from([0, 1, 2, 0xFFFFFFFE, 0xFFFFFFFF])
v6 = st.one_of(
    st.tuples(words, words, words, words).map(lambda each: sum(word << 32 * i for i, word in enumerate(each))),
    v4.map(lambda low: 0xFFFF << 32 | low),
    st.integers(0, (1 << 128) - 1),
)
ports = st.one_of(st.integers(0, 3), st.sampled_from([57, 58, 59, 65534, 65535]), st.integers(0, 65535))


def spell(version: int, value: int) -> str:
    return addresses.ipv6_text(value.to_bytes(16, "big")) if version == 6 else str(ip_address(value))


@st.composite
def entries(draw: st.DrawFn, kind: Kind) -> str:
    version = 6 if kind.family == V6 else draw(st.sampled_from([4, 4, 4, 6]))
    low, high = sorted(draw(st.tuples(*[v6 if version == 6 else v4] * 2)))
    if draw(st.booleans()):
        high = low
    first, last = sorted(draw(st.tuples(ports, ports)))
    verb = draw(st.sampled_from(["recv", "send"]))
    numbers = draw(st.sampled_from([f"{first}-{last}", f"{first}", "0-65535", f"{kind.protocol}", "0"]))
    return f"network inet {kind.type} {verb} {spell(version, low)}-{spell(version, high)} {numbers}"


@pytest.mark.parametrize("kind", KINDS, ids=repr)
@settings(max_examples=60)
@given(st.data())
def test_whom_policy_grants_and_nobody_else(kind: Kind, data: st.DataObject) -> None:
    lines = data.draw(st.lists(entries(kind), max_size=5))
    policy = policy_of(*lines)
    known = senders(policy, policy.domains[DOMAIN], kind.type)
    assert known is not None
    code, coarse = program(known, kind, room=sieve.LONGEST - 1)
    sieve_of_few, _ = program(known, kind, room=1)
    edges = [value for each in known for value in (each.low - 1, each.low, each.high, each.high + 1) if value >= 0]

    for _ in range(8):
        version = 4 if kind.family == V4 else 6 if kind == RAW6 else data.draw(st.sampled_from([4, 6]))
        values: st.SearchStrategy[int] = v6 if version == 6 else v4
        pool = [value for value in edges if value < 1 << (32 if version == 4 else 128)]
        value = data.draw(st.one_of(st.sampled_from(pool), values) if pool else values)
        source, port = (
            str(ip_address(value) if version == 4 else ip_address(value.to_bytes(16, "big"))),
            data.draw(ports),
        )
        allowed = granted(lines, kind, source, port)

        assert not coarse
        assert (0x7FFFFFFF if allowed else kind.kept) == run(code + WHOLE, *packet(source, port))
        assert not allowed or run(sieve_of_few + WHOLE, *packet(source, port)) == 0x7FFFFFFF


def many(count: int, step: int = 2) -> tuple[Sender, ...]:
    return tuple(Sender(4, 0x0A000000 + step * place, 0x0A000000 + step * place, (53, 53)) for place in range(count))


def test_too_many_for_a_filter_are_joined_where_least_is_between() -> None:
    known = (*many(3000), Sender(4, 0x7F000001, 0x7F000001, (7, 7)))
    code, coarse = program(known, UDP, room=sieve.LONGEST - 1)

    assert coarse
    assert len(code) <= (sieve.LONGEST - 1) * 8
    assert 0x7FFFFFFF == run(code + WHOLE, *packet("10.0.0.2", 53))
    assert 8 == run(code + WHOLE, *packet("10.0.0.2", 54))
    assert 8 == run(code + WHOLE, *packet("11.0.0.2", 53))
    assert 8 == run(code + WHOLE, *packet("127.0.0.1", 53))
    assert 0x7FFFFFFF == run(code + WHOLE, *packet("127.0.0.1", 7))


def test_neighbours_are_one() -> None:
    code, coarse = program(many(3000, step=1), UDP, room=20)

    assert not coarse
    assert 8 == run(code + WHOLE, *packet("10.0.11.184", 53))
    assert 0x7FFFFFFF == run(code + WHOLE, *packet("10.0.11.183", 53))


@pytest.mark.parametrize("kind", KINDS, ids=repr)
@pytest.mark.parametrize("count", [0, 1, 500])
def test_the_kernel_takes_it(kind: Kind, count: int) -> None:
    code, _ = program(many(count), kind, room=sieve.LONGEST - 1)

    with socket.socket(V4, socket.SOCK_DGRAM) as any_socket:
        sockfilter.attach(any_socket.fileno(), code + WHOLE)
        assert code + WHOLE == sockfilter.attached(any_socket.fileno())


@pytest.mark.parametrize("locked", [False, True])
@pytest.mark.parametrize("own", [b"", struct.pack("HBBI", 6, 0, 0, 7), struct.pack("HBBI", 0x20, 0, 0, 0) * 3])
def test_taken_apart(own: bytes, locked: bool) -> None:
    code, _ = program(many(3), UDP, room=sieve.LONGEST - 1, locked=locked)

    assert sieve.Installed(True, locked, own) == apart(code + (own or WHOLE))
    assert sieve.Installed(False, False, own) == apart(own)


def test_what_is_kept_of_a_stranger() -> None:
    """As little as the kernel lets, and never what the stranger could choose."""
    assert [(8, 0), (8, 0), (8, 0), (1, 1), (1, 1), (0, 0)] == [(kind.kept, kind.empty) for kind in KINDS]
    assert (0, 0) == (Kind(V4, "dgram", 115).kept, Kind(V4, "dgram", 115).empty)
