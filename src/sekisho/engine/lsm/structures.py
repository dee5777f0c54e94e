"""The structures of bpf/layout.h that policy is compiled to: names, lists, books. Used by ``layout``."""

from __future__ import annotations

import ctypes
from ctypes import c_uint8, c_uint16, c_uint32, c_uint64
from typing import Final

RULE_TESTS: Final = 3
OPERATIONS_ROOM: Final = 96


class NameValue(ctypes.Structure):
    """``struct name_value``."""

    _fields_ = (("id", c_uint32), ("units", c_uint32))


class FoundKey(ctypes.Structure):
    """``struct found_key``."""

    _fields_ = (("list", c_uint32), ("operand", c_uint32))


class Found(ctypes.Structure):
    """``struct found``."""

    _fields_ = (
        ("plain", c_uint64),
        ("chain", c_uint32),
        ("count", c_uint32),
        ("last", c_uint32),
        ("pad", c_uint32),
    )


class PlaceKey(ctypes.Structure):
    """``struct place_key``."""

    _fields_ = (("list", c_uint32), ("place", c_uint32))


class RuleTest(ctypes.Structure):
    """``struct test``."""

    _fields_ = (
        ("kind", c_uint8),
        ("operand", c_uint8),
        ("count", c_uint16),
        ("place", c_uint32),
        ("low", c_uint64),
        ("high", c_uint64),
    )


class Rule(ctypes.Structure):
    """``struct rule``."""

    _fields_ = (
        ("operations", c_uint64),
        ("entry", c_uint32),
        ("clauses", c_uint32),
        ("clause_count", c_uint16),
        ("flags", c_uint8),
        ("preference", c_uint8),
        ("candidate", c_uint32),
        ("target", c_uint32),
        ("move", c_uint32),
        ("tests", RuleTest * RULE_TESTS),
    )


class Clause(ctypes.Structure):
    """``struct clause``."""

    _fields_ = (
        ("kind", c_uint8),
        ("equal", c_uint8),
        ("left", c_uint8),
        ("right", c_uint8),
        ("count", c_uint16),
        ("pad", c_uint16),
        ("place", c_uint32),
        ("pad2", c_uint32),
        ("low", c_uint64),
        ("high", c_uint64),
    )


class Range(ctypes.Structure):
    """``struct range``."""

    _fields_ = (("low", c_uint64), ("high", c_uint64))


class EndpointKey(ctypes.Structure):
    """``struct endpoint_key``."""

    _fields_ = (
        ("list", c_uint32),
        ("operation", c_uint16),
        ("port", c_uint16),
        ("version", c_uint32),
        ("address", c_uint8 * 16),
    )


class Interval(ctypes.Structure):
    """``struct interval``."""

    _fields_ = (
        ("low", c_uint8 * 16),
        ("high", c_uint8 * 16),
        ("version", c_uint32),
        ("chain", c_uint32),
        ("count", c_uint32),
        ("pad", c_uint32),
    )


class PairKey(ctypes.Structure):
    """``struct pair_key``."""

    _fields_ = (
        ("list", c_uint32),
        ("operation", c_uint32),
        ("first", c_uint32),
        ("zero", c_uint32),
        ("second", c_uint64),
    )


class List(ctypes.Structure):
    """``struct list``."""

    _fields_ = (
        ("names", c_uint64),
        ("capabilities", c_uint64),
        ("automaton", c_uint32),
        ("flags", c_uint32),
        ("capability_chain", c_uint32),
        ("capability_count", c_uint32),
        ("standing_chain", c_uint32),
        ("standing_count", c_uint32),
        ("intervals", c_uint32),
        ("interval_count", c_uint32),
        ("domains", c_uint32),
        ("inet", c_uint32),
    )


class Domain(ctypes.Structure):
    """``struct domain``."""

    _fields_ = (
        ("parent", c_uint32),
        ("root", c_uint32),
        ("word", c_uint32),
        ("length", c_uint32),
        ("flags", c_uint32),
        ("creator", c_uint32),
    )


class Binding(ctypes.Structure):
    """``struct binding``."""

    _fields_ = (("list", c_uint32), ("shared", c_uint32), ("profile", c_uint32), ("flags", c_uint32))


class Profile(ctypes.Structure):
    """``struct profile``."""

    _fields_ = (
        ("config", c_uint8 * OPERATIONS_ROOM),
        ("defined", c_uint32),
        ("penalty", c_uint32),
        ("enabled", c_uint64),
        ("enabled_inet", c_uint32),
        ("enabled_domains", c_uint32),
        ("enabled_capabilities", c_uint64),
        ("quiet", c_uint64),
    )


class ChildKey(ctypes.Structure):
    """``struct child_key``."""

    _fields_ = (("parent", c_uint32), ("word", c_uint32))


class ControlKey(ctypes.Structure):
    """``struct control_key``."""

    _fields_ = (("book", c_uint32), ("root", c_uint32), ("program", c_uint32), ("domain", c_uint32))


class NamespaceKey(ctypes.Structure):
    """``struct namespace_key``."""

    _fields_ = (("book", c_uint32), ("root", c_uint32))


class NamespaceValue(ctypes.Structure):
    """``struct namespace_value``."""

    _fields_ = (("aggregators", c_uint32), ("controls", c_uint32))
