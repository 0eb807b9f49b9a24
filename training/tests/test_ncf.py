"""Pair networks, shown on NCF: the split first layer, the ragged graph, losses, masking, what is kept and served."""

import dataclasses

import numpy as np
import pytest
import scipy.sparse as sp
import torch
import torch.nn.functional as F
from pair_world import OPTIMISER, options, pair_data

from rankd_train.data.sampling import NegativeSampler, in_batch
from rankd_train.errors import ConfigError, DataError, TrainError
from rankd_train.losses import binary_cross_entropy, in_batch_softmax, mean_squared_error
from rankd_train.models import linear_stand_in
from rankd_train.models.ncf import FAMILY, NcfConfig, make_network
from rankd_train.models.pair_network import PairRecommender
from rankd_train.models.recommender import UNKNOWN
from rankd_train.training.held_out import HeldOut
from rankd_train.training.pair_task import PairTask, PairTraining

CONFIG = NcfConfig(embedding_dim=8, hidden_layers=(16, 8), dropout=(0.1, 0.0), optimiser=OPTIMISER)


@pytest.fixture(scope="module")
def data():
    return pair_data()


@pytest.fixture(scope="module")
def fitted(data, tmp_path_factory):
    torch.set_num_threads(1)
    return FAMILY.fit(CONFIG, data, options(tmp_path_factory.mktemp("ncf")))


def task_of(data, **training) -> PairTask:
    torch.manual_seed(1)
    return PairTask("ncf", make_network(CONFIG, data.shape), data, PairTraining(**training), pairs=50, seed=0)


def test_the_split_first_layer_is_one_layer_over_user_and_item():
    scorer = make_network(CONFIG, (5, 4)).scorer.eval()
    user, item = torch.randn(6, 8), torch.randn(6, 8)
    whole = torch.cat([scorer.user.weight, scorer.item.weight], dim=1)  # (16, 8 + 8)
    h = F.relu(F.linear(torch.cat([user, item], dim=1), whole, scorer.user.bias))
    h = F.relu(scorer.mlp.layers[0](h))
    expected = torch.sigmoid(scorer.output(h))[:, 0]
    assert torch.allclose(scorer(user, torch.arange(6), item), expected, atol=1e-6)


def test_seed_003_may_fuse_by_the_element_wise_product():
    config = NcfConfig(64, (128, 64, 32), (0.5, 0.3, 0.0), fusion="product")
    scorer = make_network(config, (5, 4)).scorer.eval()
    user, item = torch.randn(3, 64), torch.randn(3, 64)
    h = F.relu(scorer.first(user * item))
    for layer in scorer.mlp.layers:
        h = F.relu(layer(h))
    assert torch.allclose(scorer(user, torch.arange(3), item), torch.sigmoid(scorer.output(h))[:, 0], atol=1e-6)


@pytest.mark.parametrize("fusion", ["concatenate", "product"])
def test_the_ragged_graph_scores_row_by_row_and_as_the_network_trains(fusion):
    network = make_network(dataclasses.replace(CONFIG, fusion=fusion), (5, 40)).eval()
    users, items = network.tables.users(torch.arange(6)), network.tables.items(torch.arange(40))
    row_user = torch.tensor([0, 0, 3, 5, 5, 5])
    candidates = torch.tensor([7, 1, 1, 39, 0, 7])
    together = network.scorer(users["embedding"], row_user, items["embedding"][candidates])
    for place, (user, item) in enumerate(zip(row_user, candidates)):
        alone = network.scorer(
            users["embedding"][user : user + 1], torch.tensor([0]), items["embedding"][item : item + 1]
        )
        assert alone.shape == (1,)
        assert torch.allclose(alone[0], together[place], atol=1e-6)
        trained = network(user[None], item[None, None])
        assert torch.allclose(torch.sigmoid(trained)[0, 0], together[place], atol=1e-6)


def test_a_batch_larger_than_the_catalogue_scores_as_a_small_one():
    network = make_network(CONFIG, (5, 4)).eval()
    row, item = torch.tensor([1, 5, 0]), torch.randint(4, (3, 6))
    pairs = [[network(row[b : b + 1], item[b : b + 1, m : m + 1]).item() for m in range(6)] for b in range(3)]
    assert network(row, item).tolist() == [pytest.approx(line, abs=1e-6) for line in pairs]


@pytest.mark.parametrize("rows", [1, 7])
def test_losses_are_their_definition_for_a_batch_of_one_too(rows):
    logits, labels = torch.randn(rows), (torch.rand(rows) > 0.5).float()
    chances = [1 / (1 + np.exp(-float(z))) for z in logits]
    squared = [(p - float(y)) ** 2 for p, y in zip(chances, labels)]
    logarithm = [-np.log(p if y else 1 - p) for p, y in zip(chances, labels)]
    for loss, expected in ((mean_squared_error, squared), (binary_cross_entropy, logarithm)):
        got = loss(logits, labels)
        assert got.shape == ()
        assert float(got) == pytest.approx(np.mean(expected), rel=1e-5)


def test_the_softmax_within_a_batch_is_its_definition(data):
    users, items = data.events.user[:40:4], data.events.item[:40:4]
    among = in_batch(users, items, NegativeSampler(data.matrix), data.popularity)
    logits = torch.randn(10, 10)
    got = in_batch_softmax(logits, torch.from_numpy(among.log_q), torch.from_numpy(among.excluded))
    met = data.matrix.toarray() > 0
    by_hand = []
    for row in range(10):
        chance = {row: float(logits[row, row] - among.log_q[row])}
        for column in range(10):
            if not met[users[row], items[column]]:
                chance[column] = float(logits[row, column] - among.log_q[column])
        by_hand.append(np.log(sum(np.exp(value) for value in chance.values())) - chance[row])
    assert float(got) == pytest.approx(np.mean(by_hand), rel=1e-5)


@pytest.mark.parametrize("loss", ["bce", "mse", "in-batch"])
def test_every_loss_teaches_who_likes_what(data, loss, tmp_path):
    """Two kinds of users and items: a random order would have 10 of 30 items, and so a hit rate of about .4."""
    optimiser = dataclasses.replace(OPTIMISER, batch_size=100, learning_rate=0.01, max_epochs=30, patience=30)
    config = dataclasses.replace(CONFIG, training=PairTraining(loss=loss), optimiser=optimiser)
    history = FAMILY.fit(config, data, options(tmp_path)).history
    assert max(epoch["val_hr@10"] for epoch in history) > 0.65
    assert history[-1]["train_loss"] < history[0]["train_loss"]


def test_negatives_are_drawn_anew_in_every_epoch_and_were_never_met(data):
    task = task_of(data)
    epochs = [list(task.batches(epoch)) for epoch in (0, 1, 0)]
    items = [torch.cat([batch.item for batch in epoch]) for epoch in epochs]
    assert items[0].shape == (len(data.events), 5)
    assert torch.equal(items[0], items[2])
    assert not torch.equal(items[0][:, 1:].sort()[0], items[1][:, 1:].sort()[0])
    met = data.matrix.toarray() > 0
    user = np.concatenate([batch.user for batch in epochs[0]])
    assert met[user, items[0][:, 0]].all()
    assert not met[user[:, None], items[0][:, 1:]].any()
    assert len(epochs[0][0]) == 10  # 50 pairs, five of each positive


def test_hidden_users_train_row_0_and_nobody_elses(data):
    task = task_of(data, mask_users=0.3)
    weight = task.module.tables.user_embedding.weight
    hidden = 0
    for batch in task.batches(0):
        task.module.zero_grad()
        task.loss(batch).backward()
        moved = set(torch.nonzero(weight.grad.abs().sum(dim=1))[:, 0].tolist())
        assert moved == set(batch.row.tolist())
        assert ((batch.row == 0) | (batch.row == torch.from_numpy(batch.user) + 1)).all()
        hidden += int((batch.row == 0).sum())
    assert 0.2 < hidden / len(data.events) < 0.4


def test_scores_pairs_and_the_unknown_user_agree(data, fitted):
    model = fitted.model
    users = np.array([3, UNKNOWN, 79])
    none = sp.csr_matrix((3, data.shape[1]))
    scores = model.scores(users, none)
    assert scores.shape == (3, 30)
    assert scores.dtype == np.float32
    items = np.array([[4, 0], [29, 4], [1, 1]])
    assert model.pair_scores(users, items, none) == pytest.approx(np.take_along_axis(scores, items, axis=1), abs=1e-6)
    # Who is not known gets what is popular.
    order = np.argsort(-scores[1])
    assert data.popularity[order[:10]].mean() > data.popularity[order[-10:]].mean()


def test_what_is_kept_restores_the_same_model(data, fitted):
    state = {name: value.clone() for name, value in fitted.model.state().items()}
    again = FAMILY.restore(CONFIG, data, state)
    users, none = np.arange(80), sp.csr_matrix(data.shape)
    assert np.array_equal(again.scores(users, none), fitted.model.scores(users, none))
    with pytest.raises(TrainError, match="another network"):
        FAMILY.restore(dataclasses.replace(CONFIG, embedding_dim=9), data, state)


def test_served_tables_and_graph_give_the_models_scores(data, fitted):
    serving = fitted.model.serving()
    graph = serving.graphs[serving.scorer]
    sides = {"user": serving.user, "item": serving.item}
    rows = {"user": torch.tensor([4, 0]), "item": torch.arange(30).repeat(2)}
    inputs = []
    for source in graph.inputs.values():
        if source["from"] == "row_user":
            inputs.append(torch.arange(2).repeat_interleave(30))
            continue
        side, name = source["column"].split(".")
        inputs.append(torch.from_numpy(sides[side][name].values)[rows[side]])
    with torch.no_grad():
        served = graph.module(*inputs).reshape(2, 30)
    expected = fitted.model.scores(np.array([3, UNKNOWN]), sp.csr_matrix((2, 30)))
    assert served.numpy() == pytest.approx(expected, abs=1e-6)


def test_the_stand_in_finds_what_the_network_ranks_first(data, fitted):
    """With as many dimensions as items, and all of them anchors, dot products are the logits themselves."""
    serving = fitted.model.serving()
    rows = np.arange(81)
    query = serving.graphs["query"].module(torch.from_numpy(serving.user["stand_in"].values)).numpy()
    found = query @ serving.indexes["stand_in"].vectors.T
    assert found == pytest.approx(fitted.model.logits(rows, np.arange(30)), abs=2e-3)


def test_a_stand_in_of_few_dimensions_keeps_most_of_the_first_items(monkeypatch):
    """Logits of rank 5 with noise, 300 users of whom 50 are decomposed, 200 items of which 60 are anchors."""
    for name, value in (("DIM", 6), ("SAMPLE", 50), ("ANCHORS", 60)):
        monkeypatch.setattr(linear_stand_in, name, value)
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(300, 5)) @ rng.normal(size=(5, 200)) + 0.05 * rng.normal(size=(300, 200))
    stand_in = linear_stand_in.fit_stand_in(lambda rows, items: logits[rows][:, items], 300, 200)
    found = np.argsort(-(stand_in.user * stand_in.spread) @ stand_in.item.T, axis=1)[:, :20]
    first = np.argsort(-logits, axis=1)[:, :10]
    kept = np.mean([np.isin(first[row], found[row]).mean() for row in range(300)])
    assert kept > 0.98


def test_the_final_fit_repeats_what_validation_chose(data, fitted, tmp_path):
    whole = dataclasses.replace(data, validation=None)
    with pytest.raises(ConfigError, match="number of epochs"):
        FAMILY.fit(CONFIG, whole, options(tmp_path))
    final = FAMILY.fit(CONFIG, whole, options(tmp_path, choices=fitted.choices))
    assert len(final.history) == fitted.choices["ncf"]["epochs"]
    users, none = np.arange(80), sp.csr_matrix(data.shape)
    assert np.array_equal(
        final.model.scores(users, none), fitted.model.scores(users, none)
    )  # the same events: the same fit


def test_users_who_met_everything_are_left_out_and_a_world_of_them_is_an_error(data):
    met = data.matrix.toarray()
    user, item = np.nonzero(met[:3])
    events = data.events.where(np.zeros(0, dtype=np.int64))
    everything = dataclasses.replace(
        events,
        user=np.repeat(0, 30),
        item=np.arange(30),
        value=np.ones(30, dtype=np.float32),
        time=None,
        kind=None,
    )
    lone = dataclasses.replace(data, events=everything, validation=None)
    with pytest.raises(DataError, match="met every item"):
        task_of(lone)
    both = dataclasses.replace(
        everything,
        user=np.concatenate([everything.user, user[user > 0]]),
        item=np.concatenate([everything.item, item[user > 0]]),
        value=np.ones(30 + (user > 0).sum(), dtype=np.float32),
    )
    task = task_of(dataclasses.replace(data, events=both, validation=None))
    assert set(task.user.tolist()) == {1, 2}


@pytest.mark.parametrize("negatives", [0, 12])
def test_validation_watches_what_the_evaluation_measures(negatives, fitted):
    data = pair_data(negatives=negatives)
    model: PairRecommender = fitted.model
    got = HeldOut.of(data, 0, seed=0).ask(model)
    scores = model.scores(np.arange(80), data.matrix)
    met, hits, gains = data.matrix.toarray() > 0, [], []
    for user in np.unique(data.validation.user):
        own = data.validation.item[data.validation.user == user]
        among = {*own, *data.validation_negatives[user]} if negatives else set(np.flatnonzero(~met[user]))
        best = sorted(among, key=lambda item: (-scores[user, item], item))[:10]
        gain = sum(1 / np.log2(place + 2) for place, item in enumerate(best) if item in own)
        hits.append(any(item in own for item in best))
        gains.append(gain / sum(1 / np.log2(place + 2) for place in range(min(len(own), 10))))
    assert got == pytest.approx({"val_hr@10": np.mean(hits), "val_ndcg@10": np.mean(gains)})


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"hidden_layers": ()}, "hidden_layers"),
        ({"dropout": (0.1,)}, "dropout"),
        ({"embedding_dim": 0}, "embedding_dim"),
    ],
)
def test_a_setting_that_cannot_work_is_named(settings, named):
    with pytest.raises(ConfigError, match=f"model.{named}"):
        NcfConfig(**settings)
