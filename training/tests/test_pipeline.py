"""From examples to served answers on the small world: leakage, parity of the exported graphs, reproducible weights."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from rankd_train.artefact import load_artefact, save_artefact
from rankd_train.config import ContentConfig, PipelineConfig
from rankd_train.errors import ExportMismatch, TrainError
from rankd_train.evaluation.leave_one_out import Answers
from rankd_train.evaluation.package_report import evaluate
from rankd_train.evaluation.served import candidates_of, rank_candidates
from rankd_train.export.graphs import check_parity
from rankd_train.export.packages.bundle import card_facts, graph_inputs, heldout, write_graphs
from rankd_train.export.packages.card import make_card
from rankd_train.export.packages.golden import golden_requests
from rankd_train.export.packages.manifest import operations, ranker_graph, user_tower_graph
from rankd_train.models.hybrid import RankerInputs
from rankd_train.recipe import make_examples, train
from rankd_train.training.ranker_examples import POOL, make_batch


@pytest.fixture(scope="module")
def trained(config, data, tmp_path_factory):
    torch.set_num_threads(1)
    return train(config, data, tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def exported(config, data, trained, tmp_path_factory):
    folder = tmp_path_factory.mktemp("graphs")
    write_graphs(data, trained.artefact, config, folder)
    return folder


def test_negatives_are_never_the_users_training_items(config, data):
    examples = make_examples(config, data, epochs=1)
    owner = np.concatenate([np.flatnonzero(np.diff(fold.targets.indptr)) for fold in folds_of(config, data)])
    owned = data.split.train[owner].toarray() > 0
    drawn = owned[np.arange(len(owner))[:, None], examples.pool_item.numpy()]
    assert examples.pool_item.shape == (len(owner), POOL)
    assert not drawn.any()
    assert owned[examples.targets.user.numpy(), examples.targets.item.numpy()].all()
    shown = examples.history.toarray() > 0
    assert not shown[examples.targets.user.numpy(), examples.targets.item.numpy()].any()
    row = examples.user_row.numpy()
    assert (row == 0).any()
    assert (row[row > 0] == owner[row > 0] + 1).all()


def folds_of(config, data):
    from rankd_train.training.folds import fold_training_items

    return fold_training_items(data.split, config.ranker.folds, config.seed)[: config.ranker.target_folds]


def test_a_batch_has_one_positive_and_the_asked_negatives_per_target(config, data):
    examples = make_examples(config, data, epochs=1)
    counts = examples.targets.counts()[:, 0].long()
    starts = torch.cat([torch.zeros(1, dtype=torch.long), counts.cumsum(0)])
    requests = torch.tensor([5, 0, 17])
    batch = make_batch(examples, starts, requests, 4, torch.Generator().manual_seed(0))
    targets = int(counts[requests].sum())
    assert batch.item.shape == batch.row_user.shape == batch.label.shape == (targets * 5,)
    assert float(batch.label.sum()) == targets
    for place, request in enumerate(requests.tolist()):
        own = batch.row_user == place
        positives = batch.item[own & (batch.label == 1)].tolist()
        assert positives == examples.targets.item[examples.targets.user == request].tolist()
        negatives = batch.item[own & (batch.label == 0)].tolist()
        assert set(negatives) <= set(examples.pool_item[request].tolist())


def test_candidates_hold_no_seen_item_and_ranks_match_the_lists(config, data, trained):
    artefact = trained.artefact
    users = len(data.split.users)
    candidates = candidates_of(
        artefact.stage_one(config), torch.arange(1, users + 1), data.split.train, data.split.test
    )
    seen = data.split.train.toarray() > 0
    assert not seen[candidates.row_user.numpy(), candidates.item.numpy()].any()
    scores = rank_candidates(artefact.ranker, artefact.ranker_tables(), candidates)
    answers = Answers(candidates.target_ranks(scores).numpy(), candidates.best(scores, 10))
    for user in range(users):
        place = np.flatnonzero(answers.top[user] == data.split.test[user])
        assert (answers.rank[user] < 10) == (len(place) == 1)
        if len(place):
            assert answers.rank[user] == place[0]


def test_a_source_retrieves_what_touches_the_history_and_nothing_else(config, data, trained):
    """As the engine's neighbour source: negative sums are found, items without any weight are not."""
    stage_one = dataclasses.replace(
        trained.artefact.stage_one(config), config=PipelineConfig(item_item=3, towers=1, popular=0)
    )
    item_item = torch.tensor([[0.0, -0.2, 0.5, 0.0, -0.1, -0.3], [0.0, 0.0, 0.4, 0.0, 0.0, 0.0]])
    towers = torch.tensor([[1.0, 0.0, 0.0, 0.0, 0.0, 0.0]] * 2)
    found = stage_one.retrieved(torch.stack([item_item, towers], dim=2))
    assert [row.nonzero().flatten().tolist() for row in found] == [[0, 1, 2, 4], [0, 2]]


def test_the_network_learns_which_half_a_user_belongs_to(config, data, trained):
    candidates = candidates_of(
        trained.artefact.stage_one(config), torch.arange(1, 91), data.split.train, data.split.test
    )
    scores = rank_candidates(trained.artefact.ranker, trained.artefact.ranker_tables(), candidates)
    hits = (candidates.target_ranks(scores) < 10).float().mean()
    assert float(hits) > 10 / 34  # what drawing at random from about 34 unseen items would reach


def test_the_same_seed_gives_the_same_weights(config, data, trained, tmp_path):
    again = train(config, data, tmp_path).artefact
    for name, values in trained.artefact.columns.items():
        assert np.array_equal(values, again.columns[name]), name
    for one, other in ((trained.artefact.ranker, again.ranker), (trained.artefact.user_tower, again.user_tower)):
        for name, values in one.state_dict().items():
            assert torch.equal(values, other.state_dict()[name]), name


def test_training_history_tells_every_epoch(trained, config):
    for name, maximum in (("towers", config.tower.max_epochs), ("ranker", config.ranker.max_epochs)):
        history = trained.history[name]
        assert 0 <= history["best_epoch"] < len(history["epochs"]) <= maximum
        assert {"epoch", "train_loss", "learning_rate"} <= set(history["epochs"][0])


def test_an_artefact_survives_its_file(config, data, trained, tmp_path):
    save_artefact(trained.artefact, tmp_path / "artefact.pt")
    loaded = load_artefact(tmp_path / "artefact.pt", config)
    inputs = graph_inputs(data, trained.artefact, config, 3, 5)
    for module, other, key in (
        (trained.artefact.ranker, loaded.ranker, "ranker"),
        (trained.artefact.user_tower, loaded.user_tower, "user_tower"),
    ):
        assert torch.equal(module(*inputs[key].values()), other(*inputs[key].values()))
    with pytest.raises(TrainError, match="rankd_train run"):
        load_artefact(tmp_path / "nothing.pt", config)
    wider = dataclasses.replace(config, content=ContentConfig(dim=config.content.dim + 1))
    with pytest.raises(TrainError, match="another configuration"):
        load_artefact(tmp_path / "artefact.pt", wider)


def test_exported_graphs_agree_for_any_number_of_users_and_candidates(config, data, trained, exported):
    cases = [graph_inputs(data, trained.artefact, config, users, items) for users, items in ((1, 1), (7, 3), (40, 40))]
    ragged = graph_inputs(data, trained.artefact, config, 3, 10)["ranker"]
    ragged["row_user"] = torch.tensor([0] * 2 + [1] * 27 + [2])  # 2, 27 and 1 candidates
    for name, module in (("user_tower", trained.artefact.user_tower), ("ranker", trained.artefact.ranker)):
        check_parity(exported, name, [case[name] for case in cases], module)
    check_parity(exported, "ranker", [ragged], trained.artefact.ranker)


def test_exported_files_tell_nothing_of_the_machine(exported):
    here = str(Path(__file__).parents[1]).encode()
    files = sorted(exported.iterdir())
    assert [file.name for file in files] == ["ranker.onnx", "ranker.ts.pt", "user_tower.onnx", "user_tower.ts.pt"]
    for file in files:
        content = file.read_bytes()
        assert not any(trace in content for trace in (here, b"site-packages", b"+cpu")), file.name


def test_a_graph_of_other_weights_is_refused(config, data, trained, exported):
    other = type(trained.artefact.ranker)(config.ranker, config.content.dim).eval()
    with pytest.raises(ExportMismatch, match="differs from PyTorch"):
        check_parity(exported, "ranker", [graph_inputs(data, trained.artefact, config, 3, 5)["ranker"]], other)


def test_the_manifest_names_every_input_of_the_graphs(data, trained, config):
    inputs = graph_inputs(data, trained.artefact, config, 2, 2)
    assert list(ranker_graph()["inputs"]) == list(RankerInputs._fields) == list(inputs["ranker"])
    assert list(user_tower_graph()["inputs"]) == list(inputs["user_tower"])
    assert set(operations(config)) == {"recommend", "rank", "similar"}


def test_golden_requests_expect_unseen_items_only(config, data, trained):
    entries = golden_requests(config, data, trained.artefact)
    assert {entry["op"] for entry in entries} == {"rank", "recommend", "similar"}
    for entry in entries:
        body, expect = entry["body"], entry["expect"]
        scores = np.frombuffer(expect["scores"], dtype="<f4")
        if entry["op"] == "rank":
            assert len(scores) == len(body["candidates"])
        else:
            assert len(scores) == len(expect["items"]) and (np.diff(scores) <= 0).all()
        if entry["op"] == "recommend" and "history" not in body:
            user = data.split.users.index(body["user"])
            assert not {data.split.items[item] for item in data.split.history(user)} & set(expect["items"])


def test_every_source_is_held_out_once(data):
    pairs = heldout(data)
    assert [user for user, _ in pairs] == list(data.split.users)
    assert not any(data.split.items.index(item) in data.split.history(user) for user, (_, item) in enumerate(pairs))
    assert isinstance(data.split.train, sp.csr_matrix)


def test_the_report_and_the_card_tell_the_same(config, data, trained):
    metrics = evaluate(config, data, trained.artefact)
    assert {"served", "served_history_only", "full_ranking", "baselines", "metrics"} <= set(metrics)
    assert set(metrics["metrics"]) == {"ranking", "prediction", "business", "fairness"}
    card = make_card(card_facts(config, data, trained.history, {"recall": 0.99}), metrics)
    assert f"| **served pipeline** | {metrics['served']['hr@10']:.4f} |" in card
    assert f"| cosine item-kNN | {metrics['baselines']['item_knn']['hr@10']:.4f} |" in card
    assert metrics["baselines"]["ease"]["hr@10"] > metrics["baselines"]["random"]["hr@10"]
