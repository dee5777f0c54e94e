"""Who has most of what is held is to blame."""

from sekisho.engine.lsm.compile.blame import most_held


def test_the_words_that_are_held_most_come_first():
    ways = {0: {0}, 1: {1, 2}, 2: {1, 3}, 3: {1, 4}}

    assert most_held(ways, {0: 1000, 1: 30, 2: 1, 3: 50, 4: 5}, 0.25) == {2}
    assert most_held(ways, {0: 1000, 1: 30, 2: 1, 3: 50, 4: 5}, 0.95) == {1, 2, 3}


def test_where_nothing_is_held_nobody_is_to_blame():
    assert most_held({0: {0, 1}}, {}, 0.5) == frozenset()
    assert most_held({0: {0}}, {0: 5}, 0.5) == frozenset()
