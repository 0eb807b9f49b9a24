"""Every family of models, served by rankd: one process, and over RPC the answers that the reference gives."""

import dataclasses
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from export_world import make_facts, make_training, need_tool

from rankd_train.config_loader import from_dict
from rankd_train.data.interactions import Items
from rankd_train.export.bundle import export_bundle
from rankd_train.export.contents import make_contents
from rankd_train.export.publish import publish
from rankd_train.export.reference import Reference
from rankd_train.models.recommender import FitOptions, TrainingSet
from rankd_train.models.registry import MODULES, find_family

ROOT = Path(__file__).parents[2]
# What a family needs to be fitted on forty users in a moment.
SHORT = {"optimiser": {"max_epochs": 1, "batch_size": 64}}
SETTINGS: dict[str, dict[str, Any]] = {
    "ncf": {"embedding_dim": 4, "hidden_layers": [8, 4], "dropout": [0.2, 0.0], **SHORT},
    "hybrid-ncf": {"embedding_dim": 4, "content_units": 4, "hidden_layers": [8, 4], "dropout": [0.2, 0.0], **SHORT},
    "mf": {"dim": 4, **SHORT},
    "neumf": {"gmf_dim": 4, "mlp_dim": 4, "hidden_layers": [8, 4], "dropout": [0.0, 0.0], **SHORT},
    "two-stage": {
        "content": {"dim": 4, "min_texts_per_term": 1, "max_share": 1.0},
        "item_item": {"neighbours": 8},
        "tower": {"dim": 4, "user_dim": 2, "hidden": 8, "negatives": 16, "max_epochs": 1},
        "ranker": {"embedding_dim": 4, "content_units": 4, "fusion_units": [8, 4], "target_folds": 1, "max_epochs": 1},
        "candidates": {"item_item": 12, "towers": 12, "popular": 12},
    },
}
EXPLICIT = {"svd", "nmf"}  # fitted on ratings
DESCRIBED = {"two-stage"}  # reads texts, and knows items beyond those that anybody met


@dataclass(frozen=True)
class Served:
    client: Any
    refused: type[Exception]
    reference: dict[str, Reference]
    training: dict[str, TrainingSet]


def described(items: Items) -> Items:
    def text(place: int) -> str:
        return f"shape{place % 5} colour{place % 7} size{place % 3}"

    others = Items(("other 0", "other 1"), text=(text(0), text(1)), categories=(("even",), ("odd",)))
    return dataclasses.replace(items, text=tuple(map(text, range(len(items.ids)))), described=others)


def fitted(name: str, training: TrainingSet, folder: Path):
    family = find_family(name)
    config = from_dict(family.config, SETTINGS.get(name, {}))
    return family, family.fit(config, training, FitOptions(seed=0, threads=1, folder=folder)).model


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    need_tool()
    for needed in (ROOT / "dist" / "cli.js", ROOT / "build" / "cmake" / "rankd.node"):
        if not needed.is_file():
            pytest.skip(f"{needed.relative_to(ROOT)} is not built: `npm run build` makes it")
    sys.path.insert(0, str(ROOT / "test" / "support"))
    rankd = import_module("rankd_process").rankd
    rpc = import_module("rankd_client")
    folder = tmp_path_factory.mktemp("families")
    references, trainings = {}, {}
    for place, name in enumerate(MODULES):
        text_ids = place % 2 == 0
        training, heldout = make_training(text_ids, explicit=name in EXPLICIT)
        if name in DESCRIBED:
            training = dataclasses.replace(training, items=described(training.items))
        watched = dataclasses.replace(training, validation=heldout)
        family, model = fitted(name, watched, folder / "fits" / name)
        facts = make_facts(text_ids, name=name, family=family, model=model, training=training, heldout=heldout)
        serving = model.serving()
        publish(export_bundle(serving, facts, folder / "bundles" / name), folder / "models")
        references[name] = Reference(make_contents(serving, training, facts.bundle.k))
        trainings[name] = training
    with rankd(folder / "models") as server, rpc.Client(server.rpc_url, deadline_ms=5_000) as asked:
        yield Served(asked, rpc.RankdError, references, trainings)


def expect_items(served: Served, name: str, operation: str, answer, body: dict[str, Any]) -> None:
    """The same items with the same scores; where two scores are within rounding of each other they may stand in either order."""
    reference = served.reference[name]
    expected = reference.answer(operation, body)
    assert list(answer.scores) == pytest.approx(expected.scores, abs=reference.contents.tolerance)
    edge = min(expected.scores, default=0.0) + 2 * reference.contents.tolerance
    firm = {reference.contents.items[row] for row, score in zip(expected.rows, expected.scores) if score > edge}
    assert firm <= set(answer.ids)


@pytest.mark.parametrize("name", MODULES)
def test_a_known_user_and_a_bare_history_get_their_recommendations(served, name):
    training = served.training[name]
    user, items = training.users.ids[3], training.items.ids
    for body in ({"user": user}, {"history": [items[1], items[5]]}, {"user": user, "history": [items[2]]}):
        answer = served.client.recommend(name, **body, k=8)
        assert len(answer.ids) == 8
        expect_items(served, name, "recommend", answer, {**body, "k": 8})


@pytest.mark.parametrize("name", MODULES)
def test_candidates_are_ranked(served, name):
    reference = served.reference[name]
    assert "rank" in reference.contents.operations
    training = served.training[name]
    candidates = list(training.items.ids[10:40])
    for who in ({"user": training.users.ids[5]}, {"history": [training.items.ids[4]]}):
        scores = served.client.rank(name, candidates, **who, order="input").scores
        expected = reference.answer("rank", {**who, "candidates": candidates, "order": "input"}).scores
        assert np.asarray(scores) == pytest.approx(expected, abs=reference.contents.tolerance)


@pytest.mark.parametrize("name", MODULES)
def test_similar_items_come_where_the_family_has_item_vectors_and_are_refused_elsewhere(served, name):
    item = served.training[name].items.ids[6]
    if "similar" not in served.reference[name].contents.operations:
        with pytest.raises(served.refused, match="similar"):
            served.client.similar(name, item, k=5)
        return
    answer = served.client.similar(name, item, k=5)
    assert len(answer.ids) == 5 and item not in answer.ids
    expect_items(served, name, "similar", answer, {"item": item, "k": 5})
