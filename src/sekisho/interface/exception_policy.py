"""``exception_policy``: domain transitions, groups and the like, namespace by namespace (spec d).

A line may begin with a namespace; ``delete`` may stand before it, as the kernel has it, or after it, as in the files.
"""

from __future__ import annotations

from collections.abc import Iterator

from sekisho.interface.access import Access
from sekisho.interface.authority import Authority
from sekisho.interface.domain_policy import TRANSITION_ONLY
from sekisho.interface.handle import TextFile, pieces
from sekisho.interface.prefix import namespace_of
from sekisho.policy.parse_exception import Lists, directive
from sekisho.policy.printer import print_exception_policy


class ExceptionPolicy(TextFile):
    """Every line of every namespace."""

    def __init__(self, authority: Authority, access: Access, *, readable: bool, writable: bool) -> None:
        super().__init__(authority, access, readable=readable, writable=writable)
        self._lists = Lists()
        self._transition_only = False

    def text(self) -> Iterator[str]:
        """Exception policy as it is when reading begins."""
        return pieces(print_exception_policy(self.authority.policy, transition_only=self._transition_only))

    def forget(self) -> None:
        """Everything is shown."""
        self._transition_only = False

    def open_line(self, line: str) -> bool:
        """Choosing what is shown needs no rights."""
        self._transition_only = self._transition_only or line == TRANSITION_ONLY
        return line == TRANSITION_ONLY

    def line(self, line: str) -> bool:
        """One line; one that adds what is there counts as done, one that deletes what isn't doesn't."""
        begins = line.startswith("delete ")
        namespace, rest = namespace_of(self.authority.policy, line.removeprefix("delete "))
        delete = begins or rest.startswith("delete ")
        words = (rest if begins else rest.removeprefix("delete ")).split(" ")
        change = directive(words, 0, self._lists, delete=delete)
        if not delete and self.access.is_full():
            return False
        changed = change(namespace)
        namespace.generation += changed
        return changed or not delete

    def settle(self) -> None:
        """What the lines said of lists is in them."""
        self._lists.write_back()
        self._lists = Lists()
