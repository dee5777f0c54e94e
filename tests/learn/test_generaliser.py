"""Another generaliser can take the rewrite rules' place."""

from __future__ import annotations

from tests.decide.support import policy, request

from sekisho.decide.request import Request
from sekisho.learn.generaliser import Generaliser, Suggestion
from sekisho.learn.observe import learn
from sekisho.policy.model import Name


class Anything:
    def apply(self, request: Request) -> Suggestion:
        return Suggestion((Name("/\\*"),), ())

    def name(self, name: str) -> str:
        return "/\\*"


def test_what_it_suggests_is_learned() -> None:
    made, domain = policy()
    generaliser: Generaliser = Anything()
    learn(made, domain, request("file read /a"), generaliser)

    assert [(Name("/\\*"),)] == [entry.operands for entry in domain.entries]
