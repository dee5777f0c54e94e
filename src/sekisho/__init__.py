"""Sekisho: a checkpoint between programs and the system, speaking TOMOYO's policy language."""

__version__ = "0.1.0"
