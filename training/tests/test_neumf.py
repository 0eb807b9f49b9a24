"""NeuMF against its equations, its two halves alone, and pre-training; matrix factorisation as its own index."""

import dataclasses

import numpy as np
import pytest
import scipy.sparse as sp
import torch
import torch.nn.functional as F
from pair_world import OPTIMISER, options, pair_data

from rankd_train.errors import ConfigError
from rankd_train.models import mf
from rankd_train.models.neumf import FAMILY, NeuMfConfig, join_parts, make_network

CONFIG = NeuMfConfig(gmf_dim=4, mlp_dim=6, hidden_layers=(8, 4), dropout=(0.0, 0.0), optimiser=OPTIMISER)
GMF = dataclasses.replace(CONFIG, mlp_dim=0)
MLP = dataclasses.replace(CONFIG, gmf_dim=0)


@pytest.fixture(scope="module")
def data():
    return pair_data()


def lively(network):
    """Weights far from zero, so that a mistake shows."""
    for weight in network.parameters():
        torch.nn.init.normal_(weight, std=0.5)
    return network.eval()


def test_the_network_is_equation_12_of_the_paper():
    network = lively(make_network(CONFIG, (5, 4)))
    scorer, user, item = network.scorer, torch.randn(6, 10), torch.randn(6, 10)
    product = user[:, :4] * item[:, :4]
    first = torch.cat([scorer.mlp_user.weight, scorer.mlp_item.weight], dim=1)  # (8, 6 + 6)
    h = F.relu(F.linear(torch.cat([user[:, 4:], item[:, 4:]], dim=1), first, scorer.mlp_user.bias))
    h = F.relu(scorer.mlp.layers[0](h))
    expected = torch.sigmoid(scorer.output(torch.cat([product, h], dim=1)))[:, 0]
    assert torch.allclose(scorer(user, torch.arange(6), item), expected, atol=1e-6)


def test_the_ragged_graph_scores_row_by_row():
    scorer = lively(make_network(CONFIG, (5, 4))).scorer
    user, item, row_user = torch.randn(2, 10), torch.randn(5, 10), torch.tensor([1, 0, 0, 1, 1])
    together = scorer(user, row_user, item)
    alone = [scorer(user[u : u + 1], torch.tensor([0]), item[n : n + 1]).item() for n, u in enumerate(row_user)]
    assert together.tolist() == pytest.approx(alone, abs=1e-6)


@pytest.mark.parametrize("alpha", [0.5, 0.2, 1.0])
def test_pre_trained_halves_are_joined_by_alpha(alpha):
    """Equation 13: before fine-tuning the logit is alpha GMF + (1 - alpha) MLP."""
    torch.manual_seed(0)
    gmf, mlp = lively(make_network(GMF, (5, 7))), lively(make_network(MLP, (5, 7)))
    network = make_network(CONFIG, (5, 7)).eval()
    join_parts(network, gmf, mlp, alpha)
    row, item = torch.tensor([0, 3, 5]), torch.tensor([[1, 2], [0, 6], [3, 3]])
    expected = alpha * gmf(row, item) + (1 - alpha) * mlp(row, item)
    assert torch.allclose(network(row, item), expected, atol=1e-5)


def test_pre_training_fits_both_halves_first_and_the_final_fit_repeats_all_three(data, tmp_path):
    config = dataclasses.replace(CONFIG, pretrain=True)
    fitted = FAMILY.fit(config, data, options(tmp_path / "chosen"))
    assert set(fitted.choices) == {"gmf", "mlp", "neumf"}
    whole = dataclasses.replace(data, validation=None)
    final = FAMILY.fit(config, whole, options(tmp_path / "final", choices=fitted.choices))
    users, none = np.arange(80), sp.csr_matrix(data.shape)
    assert np.array_equal(final.model.scores(users, none), fitted.model.scores(users, none))
    resumed = FAMILY.fit(config, whole, options(tmp_path / "final", choices=fitted.choices, resume=True))
    assert np.array_equal(resumed.model.scores(users, none), fitted.model.scores(users, none))


def test_what_is_kept_restores_the_same_model(data, tmp_path):
    config = dataclasses.replace(CONFIG, optimiser=dataclasses.replace(OPTIMISER, max_epochs=1))
    model = FAMILY.fit(config, data, options(tmp_path)).model
    again = FAMILY.restore(config, data, {name: value.clone() for name, value in model.state().items()})
    users, none = np.arange(80), sp.csr_matrix(data.shape)
    assert np.array_equal(again.scores(users, none), model.scores(users, none))


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"gmf_dim": 0, "mlp_dim": 0}, "not both 0"),
        ({"gmf_dim": 0, "pretrain": True}, "model.pretrain"),
        ({"alpha": 1.5}, "model.alpha"),
        ({"dropout": (0.1,)}, "model.dropout"),
    ],
)
def test_a_setting_that_cannot_work_is_named(settings, named):
    with pytest.raises(ConfigError, match=named):
        NeuMfConfig(**settings)


def test_matrix_factorisation_is_a_dot_product_with_biases_and_its_own_index(data, tmp_path):
    config = mf.MfConfig(dim=5, optimiser=OPTIMISER)
    fitted = mf.FAMILY.fit(config, data, options(tmp_path))
    model, users, none = fitted.model, np.array([-1, 0, 41]), sp.csr_matrix((3, 30))
    p = model.network.tables.user_embedding.weight.detach().numpy()[users + 1]
    q = model.network.tables.item_embedding.weight.detach().numpy()
    expected = p[:, :-1] @ q[:, :-1].T + p[:, -1:] + q[:, -1]
    scores = model.scores(users, none)
    assert scores == pytest.approx(expected, abs=1e-5)
    items = np.array([[1, 2], [3, 3], [0, 29]])
    assert model.pair_scores(users, items, none) == pytest.approx(np.take_along_axis(expected, items, 1), abs=1e-5)

    serving = model.serving()
    rows = torch.from_numpy(serving.user["embedding"].values[users + 1])
    query = serving.graphs["user_vector"].module(rows).detach().numpy()
    assert query @ serving.indexes["factors"].vectors.T == pytest.approx(expected, abs=1e-5)
    again = mf.FAMILY.restore(config, data, model.state())
    assert np.array_equal(again.scores(users, none), scores)
    assert fitted.history[-1]["train_loss"] < fitted.history[0]["train_loss"]
