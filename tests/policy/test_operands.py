"""Operands by themselves: names, paths, domainnames, small numbers."""

import pytest

from sekisho.policy.lines import Fault
from sekisho.policy.model import Address, Name
from sekisho.policy.operands import address_at, domain_at, name_at, namespace_at, path_at, small_number_at, word_at


def test_names_and_groups():
    assert name_at([r"/tmp/\*"], 0, "a name") == Name(r"/tmp/\*")
    assert name_at(["pipe:[1]"], 0, "a name") == Name("pipe:[1]")
    assert name_at(["@G"], 0, "a name") == Name("@G", "G")
    assert address_at(["@G"], 0, "an address") == Address("@G", group="G")
    assert address_at(["::1"], 0, "an address") == Address("::1", 6, 1, 1)


@pytest.mark.parametrize(
    ("words", "name", "end"),
    [
        (["<kernel>"], "<kernel>", 1),
        (["<kernel>", "/a", "proc:/b", "task.uid=0"], "<kernel> /a proc:/b", 3),
        (["<kernel>", 'exec.realpath="/a"'], "<kernel>", 1),
        (["<k>", "<k>"], "<k>", 1),
    ],
)
def test_a_domainname_goes_on_while_words_are_paths(words, name, end):
    assert domain_at(words, 0) == (name, end)


@pytest.mark.parametrize(
    ("word", "offset", "message"),
    [
        (r"/a\bc", 2, r"\\b means nothing"),
        (r"/\*\141", 3, r"\\141 means nothing"),
        ("/x\\", 2, "means nothing"),
        (r"/a\{b\}/", 0, "misplaced"),
        (r"/\{b/c\}/", 0, "misplaced"),
        (r"/" + r"\*" * 21, 0, "more than 20 operators"),
    ],
)
def test_a_wrong_word_is_pointed_at(word, offset, message):
    with pytest.raises(Fault, match=message) as caught:
        word_at(["file", word], 1, "a name")

    assert (caught.value.word, caught.value.offset) == (1, offset)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("read", "words"),
    [
        (lambda words: name_at(words, 0, "it"), ["@"]),
        (lambda words: name_at(words, 0, "it"), []),
        (lambda words: path_at(words, 0, "it"), ["sh"]),
        (lambda words: path_at(words, 0, "it"), ["./sh"]),
        (lambda words: address_at(words, 0, "it"), ["@"]),
        (lambda words: address_at(words, 0, "it"), ["::g"]),
        (lambda words: namespace_at(words, 0), ["kernel"]),
        (lambda words: namespace_at(words, 0), ["<>"]),
        (lambda words: domain_at(words, 0), ["<kernel>"] + ["/" + "x" * 99] * 41),
        (lambda words: small_number_at(words, 0, "it"), ["256"]),
        (lambda words: small_number_at(words, 0, "it"), ["-1"]),
        (lambda words: small_number_at(words, 0, "it"), ["0x1"]),
        (lambda words: small_number_at(words, 0, "it"), ["9" * 5000]),
        (lambda words: small_number_at(words, 0, "it"), []),
    ],
)
def test_refused(read, words):
    with pytest.raises(Fault):
        read(words)
