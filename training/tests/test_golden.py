"""Golden requests: every kind is there, and rounding at the edge of an answer is allowed for, nothing else."""

import dataclasses

import numpy as np
import pytest
from export_world import ITEMS, UNTRAINED, make_serving, make_training

from rankd_train.export.contents import make_contents
from rankd_train.export.golden import golden_requests, min_overlap, tolerance_of, unknown_of
from rankd_train.export.reference import Reference
from rankd_train.export.request import Answer
from rankd_train.export.serving import IndexPart


@pytest.fixture(scope="module")
def reference():
    return Reference(make_contents(make_serving(reranks=False), make_training()[0], 10))


def test_the_spread_has_known_and_unknown_users_bare_histories_and_items_never_trained(reference):
    entries = golden_requests(reference, seed=0)
    assert len({entry["name"] for entry in entries}) == len(entries)
    bodies = {op: [entry["body"] for entry in entries if entry["op"] == op] for op in ("recommend", "rank", "similar")}
    known, items = set(reference.contents.users), set(reference.contents.items)
    for some in (bodies["recommend"], bodies["rank"]):
        assert any("history" not in body and body["user"] in known for body in some)
        assert any("user" not in body and body["history"] for body in some)
        assert any("user" not in body and body["history"] == [] for body in some)
    assert any(body.get("user") not in {*known, None} for body in bodies["recommend"])
    assert any(not set(body.get("history", ())) <= items for body in bodies["recommend"])
    assert any(len(body["candidates"]) == 1 for body in bodies["rank"])
    untrained = {f"item {ITEMS - 1 - place}" for place in range(UNTRAINED)}
    assert any(untrained <= set(body["candidates"]) for body in bodies["rank"])
    assert {body["item"] for body in bodies["similar"]} == {"item 0", "item 29", "item 59"}
    assert entries == golden_requests(reference, seed=0)


def test_expected_items_are_unseen_and_carry_their_scores(reference):
    for entry in golden_requests(reference, seed=1):
        scores = np.frombuffer(entry["expect"]["scores"], dtype="<f4")
        if "items" in entry["expect"]:
            assert len(scores) == len(entry["expect"]["items"]) and (np.diff(scores) <= 0).all()
        else:
            assert len(scores) == len(entry["body"]["candidates"])
        if entry["op"] == "recommend" and "history" not in entry["body"]:
            seen = reference.look_up("recommend", entry["body"], 10).history
            assert not {reference.contents.items[row] for row in seen} & set(entry["expect"]["items"])


def test_only_items_at_the_edge_of_an_answer_may_be_missing(reference):
    def overlap(*left_out: float) -> float:
        answer = Answer(np.arange(4), np.array([4.0, 3.0, 2.0, 1.0]), left_out=np.array(left_out))
        return min_overlap(reference, "recommend", answer, reference.contents.tolerance)

    assert overlap() == 1.0
    assert overlap(0.9, 0.5) == 1.0
    assert overlap(1.0 - reference.contents.tolerance, 0.5) == 0.75


def test_an_approximate_index_may_miss_one_of_ten():
    approximate = {"dots": IndexPart(make_serving().indexes["dots"].vectors, "hnsw")}
    serving = make_serving(reranks=False, indexes={**make_serving().indexes, **approximate})
    reference = Reference(make_contents(serving, make_training()[0], 10))
    answer = Answer(np.arange(2), np.array([4.0, 3.0]), left_out=np.array([1.0]))
    assert min_overlap(reference, "recommend", answer, 1e-4) == 0.9
    exact = dataclasses.replace(answer, left_out=np.zeros(0))
    assert min_overlap(reference, "recommend", exact, 1e-4) == 1.0


def test_an_unknown_id_is_of_the_same_kind_and_known_to_nobody():
    assert unknown_of(("a", "no-such-id-0")) == "no-such-id-1"
    assert unknown_of((0, 2**64 - 1)) == 1


def test_large_scores_may_differ_by_more_than_small_ones(reference):
    own = reference.contents.tolerance
    assert tolerance_of(reference, Answer(np.arange(2), np.array([0.5, np.nan]))) == own
    assert tolerance_of(reference, Answer(np.arange(2), np.array([-2000.0, np.inf]))) == pytest.approx(2000 * own)
    assert tolerance_of(reference, Answer(np.zeros(0), np.zeros(0))) == own
