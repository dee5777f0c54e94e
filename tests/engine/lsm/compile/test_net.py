"""Words that begin alike share nodes, and no name goes where no character can lead."""

from sekisho.engine.lsm.compile.net import NOBODY, Net


def size(*words):
    net = Net()
    for index, word in enumerate(words):
        net.add(index, word)
    return len(net.parents)


def test_what_words_begin_with_is_there_once():
    assert size("/ab", "/ac") == size("/ab") + 1
    assert size(r"/a/\*/b1", r"/a/\*/b2") == size(r"/a/\*/b1") + 1
    assert size(r"/\{\*\}/b1", r"/\{\*\}/b2") == size(r"/\{\*\}/b1") + 1
    assert size(r"/\*\-a/b1", r"/\*\-a/b2") == size(r"/\*\-a/b1") + 1


def test_a_character_that_no_name_has_ends_the_way():
    net = Net()
    net.add(0, r"/\101")
    net.add(1, r"/\*\101")
    net.add(2, r"/\*\-a\101")

    accepted = {word for accepts in net.accepts for _, word in accepts}
    assert accepted == {2}
    assert set(net.refuses) == {NOBODY}


def test_what_follows_a_raw_string_may_be_anything():
    net = Net()
    end = net.literal(b"a =")
    net.add_anything(0, end)
    net.add_anything(1, end)

    (anything,) = net.follows[end]
    assert net.accepts[anything] == [(NOBODY, 0), (NOBODY, 1)]
    assert net.slashes[anything] == [(NOBODY, anything)]


def test_a_word_knows_the_nodes_it_goes_through():
    net = Net()
    net.add(0, "/a")
    net.add(1, r"/\*b\-cd/\*")

    assert len(net.ways[0]) == 1
    assert len(net.ways[1]) > 5
