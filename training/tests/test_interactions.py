"""Events as arrays: joined, ordered, and as a matrix."""

import numpy as np

from rankd_train.data.interactions import Events, Items


def events(user, item, value=None, time=None):
    value = np.ones(len(user), dtype=np.float32) if value is None else np.asarray(value, dtype=np.float32)
    return Events(np.array(user), np.array(item), value, None if time is None else np.array(time))


def test_joined_events_are_sorted_by_user_and_time():
    both = Events.joined(events([0, 2], [5, 6], time=[30, 10]), events([0, 1], [7, 8], time=[20, 5]))
    assert both.user.tolist() == [0, 0, 1, 2]
    assert both.item.tolist() == [7, 5, 8, 6]
    assert both.time.tolist() == [20, 30, 5, 10]


def test_joined_events_have_times_only_if_both_have():
    assert Events.joined(events([0], [1], time=[3]), events([0], [2])).time is None


def test_a_matrix_adds_repeated_pairs_or_says_that_they_met():
    met = events([0, 0, 1], [1, 1, 0], value=[2.0, 3.0, 4.0])
    assert met.matrix((2, 2)).toarray().tolist() == [[0, 5], [4, 0]]
    assert met.matrix((2, 2), binary=True).toarray().tolist() == [[0, 1], [1, 0]]


def test_the_whole_catalogue_is_the_items_and_then_what_is_described_beyond_them():
    described = Items(("c", "a", "b"), text=("C", "A", "B"), price=np.array([3, 1, 2], dtype=np.float32))
    items = Items(("b", "x"), text=("own", "X"), categories=(("one",), ()), described=described)
    whole = items.whole()
    assert whole.ids == ("b", "x", "c", "a")
    assert whole.text == ("own", "X", "C", "A")
    assert whole.categories is None and whole.price is None  # told of some items only
    assert items.take(np.array([1])).whole().ids == ("x", "c", "a", "b")
    assert Items(("b", "x")).whole() == Items(("b", "x"))
