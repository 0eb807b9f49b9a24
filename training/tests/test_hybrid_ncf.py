"""The hybrid of seed 001: what it looks up, how it fuses, losses for a batch of one, and three forms of the same graph."""

import dataclasses

import numpy as np
import pytest
import scipy.sparse as sp
import torch
import torch.nn.functional as F
from pair_world import OPTIMISER, options, pair_data

from rankd_train.data.features import Features, FeatureTable
from rankd_train.errors import ConfigError
from rankd_train.export.graphs import check_parity, export_graph
from rankd_train.models.hybrid_ncf import FAMILY, HybridNcfConfig, make_network
from rankd_train.training.pair_task import PairBatch, PairTask, PairTraining

CONFIG = HybridNcfConfig(embedding_dim=6, content_units=8, code_dim=3, hidden_layers=(12, 8, 8), optimiser=OPTIMISER)


@pytest.fixture(scope="module")
def data():
    return pair_data()


def network_of(data):
    """Weights far from zero, so that a mistake shows."""
    torch.manual_seed(0)
    network = make_network(CONFIG, data.shape, data.features)
    for weight in network.parameters():
        torch.nn.init.normal_(weight, std=0.5)
    return network.eval()


def test_a_users_features_are_its_numbers_and_its_codes_embedded(data):
    tables = network_of(data).tables
    rows = tables.users(torch.tensor([0, 7]))["features"]
    place = tables.user_features.embeddings[0].weight
    assert rows.shape == (2, 2 + 3)
    assert rows[0, :2].tolist() == [0.25, 0.25]  # who is not known gets the defaults
    assert torch.equal(rows[0, 2:], place[0])
    assert rows[1, :2].tolist() == pytest.approx(data.features.user.values[6].tolist())
    assert torch.equal(rows[1, 2:], place[data.features.user.codes["home.place"].codes[6]])


def test_an_items_categories_and_brands_are_embedded_in_order_of_their_names(data):
    tables = network_of(data).tables
    row = tables.items(torch.tensor([4]))["features"][0]
    codes = data.features.item.codes
    brand, category = (embedding.weight for embedding in tables.item_features.embeddings)
    expected = [data.features.item.values[4], brand[codes["brand"].codes[4]], category[codes["category"].codes[4]]]
    assert row.tolist() == pytest.approx(np.concatenate([np.asarray(part.tolist()) for part in expected]).tolist())


def test_both_branches_are_concatenated_and_fused(data):
    """Seed 001's diagram, with whole matrices instead of halves."""
    network = network_of(data)
    scorer, row, item = network.scorer, torch.tensor([1, 5, 0]), torch.tensor([3, 3, 29])
    users, items = network.tables.users(row), network.tables.items(item)
    collaborative = torch.cat([users["embedding"], items["embedding"]], dim=1)
    content = torch.cat(
        [F.relu(scorer.user_dense(users["features"])), F.relu(scorer.item_dense(items["features"]))], dim=1
    )
    merged = torch.cat([collaborative, content], dim=1)  # (3, 6 + 6 + 8 + 8)
    of_user, of_item = scorer.user.weight, scorer.item.weight
    whole = torch.cat([of_user[:, :6], of_item[:, :6], of_user[:, 6:], of_item[:, 6:]], dim=1)
    h = F.relu(F.linear(merged, whole, scorer.user.bias))
    for layer in scorer.mlp.layers:
        h = F.relu(layer(h))
    assert torch.allclose(network(row, item[:, None])[:, 0], scorer.output(h)[:, 0], atol=1e-4)


@pytest.mark.parametrize("loss", ["mse", "bce"])
def test_a_batch_of_one_has_the_loss_of_its_one_row(data, loss):
    """The seed's squeeze() makes a scalar of such a batch, which then meets labels of another shape."""
    network = network_of(data)
    task = PairTask("hybrid-ncf", network, data, PairTraining(loss=loss, negatives=1), pairs=2, seed=0)
    batch = PairBatch(np.array([4]), torch.tensor([5]), torch.tensor([[2]]))
    chance = torch.sigmoid(network(batch.row, batch.item)).item()
    expected = (chance - 1) ** 2 if loss == "mse" else -np.log(chance)
    got = task.loss(batch)
    assert got.shape == ()
    assert got.item() == pytest.approx(expected, rel=1e-5)
    got.backward()
    assert network.scorer.output.weight.grad.abs().sum() > 0
    inputs = (
        *network.tables.users(batch.row).values(),
        torch.tensor([0]),
        *network.tables.items(batch.item[0]).values(),
    )
    assert network.scorer(*inputs).shape == (1,)


def test_a_hidden_user_is_hidden_with_its_features(data):
    network = network_of(data)
    task = PairTask("hybrid-ncf", network, data, PairTraining(mask_users=0.5), pairs=50, seed=0)
    batch = next(iter(task.batches(0)))
    network.zero_grad()
    task.loss(batch).backward()
    gradient = network.tables.user_embedding.weight.grad
    assert gradient[0].abs().sum() > 0
    assert network.tables.user_features.embeddings[0].weight.grad[0].abs().sum() > 0
    hidden = batch.user[(batch.row == 0).numpy()]
    only_hidden = np.setdiff1d(hidden, batch.user[(batch.row > 0).numpy()])
    assert len(only_hidden)
    assert gradient[torch.from_numpy(only_hidden + 1)].abs().sum() == 0


def test_it_is_fitted_kept_and_restored(data, tmp_path):
    fitted = FAMILY.fit(CONFIG, data, options(tmp_path))
    assert fitted.history[-1]["train_loss"] < fitted.history[0]["train_loss"]
    state = {name: value.clone() for name, value in fitted.model.state().items()}
    again = FAMILY.restore(CONFIG, data, state)
    users, none = np.arange(-1, 80), sp.csr_matrix((81, 30))
    assert np.array_equal(again.scores(users, none), fitted.model.scores(users, none))


def test_torchscript_and_onnx_are_the_same_graph(data, tmp_path):
    network = network_of(data)
    serving = FAMILY.restore(CONFIG, data, dict(network.state_dict())).serving()
    graph = serving.graphs["scorer"]
    columns = {f"user.{name}": column.values for name, column in serving.user.items()}
    columns |= {f"item.{name}": column.values for name, column in serving.item.items()}

    def inputs(users: int, candidates: int) -> dict[str, torch.Tensor]:
        rows = {"user": torch.arange(users), "item": torch.arange(candidates) % 30}
        made = {}
        for name, source in graph.inputs.items():
            if source["from"] == "row_user":
                made[name] = torch.arange(candidates) % users
            else:
                made[name] = torch.from_numpy(columns[source["column"]])[rows[source["from"]]]
        return made

    rows = {name: "U" if source["from"] == "user" else "N" for name, source in graph.inputs.items()}
    export_graph(graph.module, inputs(2, 5), rows, graph.output, tmp_path, "scorer")
    check_parity(tmp_path, "scorer", [inputs(1, 1), inputs(3, 40)], graph.module)


def test_without_features_there_is_nothing_to_describe_by(data):
    empty = FeatureTable((), np.zeros((30, 0), dtype=np.float32), {})
    bare = dataclasses.replace(data, features=Features(data.features.user, empty))
    with pytest.raises(ConfigError, match="nothing of its items: use ncf"):
        make_network(CONFIG, bare.shape, bare.features)
