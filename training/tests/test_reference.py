"""The reference interpreter on answers that can be worked out by hand, and on the order of the stages."""

import dataclasses

import numpy as np
import pytest
import torch
from export_world import ITEMS, PAD, make_serving, make_training
from torch import nn

from rankd_train.errors import ExportMismatch, TrainError
from rankd_train.export.contents import history_of, make_contents
from rankd_train.export.reference import Reference
from rankd_train.export.serving import Column, GraphPart, IndexPart, Serving

NEAR = {"name": "near", "kind": "neighbours", "rows": "item.rows", "weights": "item.weights", "k": 20}


@pytest.fixture(scope="module")
def training():
    return make_training()[0]


@pytest.fixture(scope="module")
def reference(training):
    return Reference(make_contents(make_serving(), training, 10))


def neighbours_only(training, **parts) -> Reference:
    """Item 0 votes for 3 and 4, item 1 for 4 alone and against 5; nothing else has a vote."""
    rows, weights = np.full((ITEMS, 2), PAD, dtype=np.uint32), np.zeros((ITEMS, 2), dtype=np.float32)
    rows[0], weights[0] = (3, 4), (0.5, 0.25)
    rows[1], weights[1] = (4, 5), (0.5, -1)
    item = {"rows": Column("u32", rows), "weights": Column("f32", weights)}
    return Reference(make_contents(Serving(item=item, sources=(NEAR,), **parts), training, 10))


def found(reference, body):
    answer = reference.answer("recommend", body)
    return list(zip(answer.rows.tolist(), answer.scores.tolist(), answer.sources))


def test_neighbours_vote_by_the_sum_over_the_whole_history(training):
    asked = {"history": ["item 0", "item 1"], "k": 3}
    assert found(neighbours_only(training), asked) == [(4, 0.75, "near"), (3, 0.5, "near"), (5, -1.0, "near")]


def test_what_is_missing_is_filled_from_the_popular_list_with_the_last_score(training):
    reference = neighbours_only(training)
    popular = reference.contents.column("popular.row")[:, 0]
    answer = found(reference, {"history": ["item 0"], "k": 4})
    unseen = [row for row in popular.tolist() if row not in (0, 3, 4)]
    assert answer == [
        (3, 0.5, "near"), (4, 0.25, "near"), (unseen[0], 0.25, "popular"), (unseen[1], 0.25, "popular")
    ]  # fmt: skip
    assert [row for row, *_ in found(reference, {"history": [], "k": 3})] == popular[:3].tolist()
    assert (
        len(found(reference, {"history": ["item 0"], "k": 500})) == ITEMS
    )  # seen items come back when nothing else is left


def test_unknown_ids_are_dropped_and_the_later_of_two_places_counts(reference):
    request = reference.look_up("recommend", {"user": "nobody", "history": ["item 3", "ghost", "item 5", "item 3"]}, 10)
    assert request.user_row == 0
    assert request.history.tolist() == [5, 3]


def test_a_history_in_the_request_replaces_the_published_one_also_for_the_filter(reference, training):
    published = reference.look_up("recommend", {"user": "user 3"}, 10)
    own = training.events.item[training.events.user == 3]
    assert published.user_row == 4 and published.history.tolist() == own.tolist()  # met in this order
    everything = reference.answer("recommend", {"user": "user 3", "history": ["item 1"], "k": ITEMS - 1})
    assert sorted(everything.rows) == [row for row in range(ITEMS) if row != 1]


def test_exclusions_and_filters_always_hold(reference):
    body = {"user": "user 0", "exclude": ["item 9", "item 11"], "filters": {"category": ["odd"]}, "k": 50}
    rows = reference.answer("recommend", body).rows
    assert {9, 11}.isdisjoint(rows) and all(row % 2 == 1 and row % 7 for row in rows)
    assert len(reference.answer("recommend", {"filters": {"category": "none such"}}).rows) == 0


def test_rank_keeps_the_order_of_the_candidates_and_knows_no_unknown_one(reference):
    body = {"user": "user 2", "candidates": ["item 8", "ghost", "item 59"], "order": "input"}
    scores = reference.answer("rank", body).scores
    assert np.isnan(scores).tolist() == [False, True, False]
    alone = reference.answer("rank", {**body, "candidates": ["item 59"]}).scores
    assert scores[2] == pytest.approx(alone[0], abs=1e-6)
    best = reference.answer("rank", {"user": "user 2", "candidates": ["item 8", "ghost", "item 59"]})
    assert best.scores.tolist() == sorted(scores[[0, 2]].tolist(), reverse=True)


def test_similar_leaves_the_item_out_and_refuses_what_it_does_not_know(reference):
    answer = reference.answer("similar", {"item": "item 4", "k": ITEMS})
    assert 4 not in answer.rows[: ITEMS - 1] and (np.diff(answer.scores) <= 0).all()
    with pytest.raises(TrainError, match="not in the catalogue"):
        reference.answer("similar", {"item": "ghost"})


def test_a_graph_input_is_what_the_manifest_says(reference, training):
    request = reference.look_up("recommend", {"user": "user 3"}, 10)
    reference.set_candidates(request, [0, ITEMS - 1], [0, 1])
    inputs = reference.inputs("scorer", [request, request])
    vector, short = reference.contents.column("item.vector"), reference.contents.column("short.bias")
    newest = vector[request.history[-2:]].sum(axis=0)
    assert torch.allclose(inputs["newest"], torch.from_numpy(np.stack([newest, newest])))
    assert inputs["row_user"].tolist() == [0, 0, 1, 1]
    assert inputs["short"].flatten().tolist() == [short[0, 0], 0, short[0, 0], 0]  # the table ends before the last item
    tower = reference.inputs("user_vector", [request])
    assert torch.allclose(tower["history_mean"][0], torch.from_numpy(vector[request.history].mean(axis=0)))
    assert inputs["pair"][0, 0] == pytest.approx(votes(reference, request.history)[0], abs=1e-5)


def votes(reference, history):
    """score[j] = sum over i of weight(i, j), as a loop."""
    rows, weights = (
        reference.contents.column("item.neighbour_rows"),
        reference.contents.column("item.neighbour_weights"),
    )
    total = [0.0] * ITEMS
    for item in history:
        for row, weight in zip(rows[item], weights[item]):
            if row != PAD:
                total[row] += float(weight)
    return total


class Product(nn.Module):
    def forward(self, own, item):
        return (own * item).sum(dim=1)


def test_without_row_user_a_users_inputs_are_repeated_for_each_candidate(training):
    inputs = {"own": {"from": "user", "column": "user.vector"}, "item": {"from": "item", "column": "item.vector"}}
    serving = make_serving(graphs={**make_serving().graphs, "scorer": GraphPart(Product(), inputs, "score")})
    reference = Reference(make_contents(serving, training, 10))
    answer = reference.answer("rank", {"user": "user 1", "candidates": ["item 0", "item 1"], "order": "input"})
    own, item = reference.contents.column("user.vector")[2], reference.contents.column("item.vector")
    assert answer.scores == pytest.approx(item[:2] @ own, abs=1e-6)


def test_scores_below_zero_stand_before_popular_items(training):
    """An index alone: its best is negative for everybody, and must not lose to a list that has no scores."""
    below = IndexPart(-np.abs(np.random.default_rng(0).normal(size=(ITEMS, 1))).astype(np.float32))
    ones = GraphPart(One(), {"count": {"from": "history_count"}}, "one")
    source = {"name": "best", "kind": "index", "index": "best", "query": {"graph": "one", "output": "one"}, "k": 30}
    serving = Serving(indexes={"best": below}, graphs={"one": ones}, sources=(source,))
    answer = Reference(make_contents(serving, training, 10)).answer("recommend", {"user": "user 1"})
    assert set(answer.sources) == {"best"} and answer.scores.max() < 0


class One(nn.Module):
    def forward(self, count):
        return torch.ones_like(count)


def test_a_column_with_a_row_too_few_is_refused(training):
    with pytest.raises(ExportMismatch, match=r"user.vector has shape \(40, 4\), expected 41 rows"):
        make_contents(make_serving(user={"vector": Column("f16", np.zeros((40, 4)))}), training, 10)


def test_a_history_has_each_item_once_where_it_was_met_last(training):
    few = training.events.where(np.array([0, 1, 0, 2]))
    history = history_of(few, 3)
    assert history.row(0).tolist() == []
    assert history.row(1).tolist() == few.item[[1, 2, 3]].tolist()
    assert dataclasses.astuple(history)[1].tolist() == [0, 0, 3, 3, 3]
