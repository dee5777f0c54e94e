"""``python outcomes.py MODULE...``: the tests of these modules are run; each one's id and outcome are printed."""

import sys
import unittest

from test import support  # type: ignore[import-not-found]


class Outcomes(unittest.TestResult):
    """Tells each test's outcome as soon as it is known."""

    def tell(self, test, word):
        print(f"{test.id()}\t{word}", file=sys.__stdout__, flush=True)

    def addSuccess(self, test):  # noqa: N802
        self.tell(test, "passed")

    def addError(self, test, error):  # noqa: N802
        self.tell(test, f"error {error[0].__name__}")
        super().addError(test, error)
        print(self.errors[-1][1], file=sys.__stderr__)

    def addFailure(self, test, error):  # noqa: N802
        self.tell(test, "failed")
        super().addFailure(test, error)
        print(self.failures[-1][1], file=sys.__stderr__)

    def addSkip(self, test, reason):  # noqa: N802
        self.tell(test, "skipped")

    def addSubTest(self, test, subtest, error):  # noqa: N802
        if error is not None:
            self.tell(subtest, "failed")
            print(error, file=sys.__stderr__)

    def addExpectedFailure(self, test, error):  # noqa: N802
        self.tell(test, "expected failure")

    def addUnexpectedSuccess(self, test):  # noqa: N802
        self.tell(test, "unexpected success")


def main():
    support.verbose = False
    for name in sys.argv[1:]:
        unittest.defaultTestLoader.loadTestsFromName(f"test.{name}").run(Outcomes())


main()
