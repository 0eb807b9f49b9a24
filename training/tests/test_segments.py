"""User segments: the number is found, unknown users are placed, and the engine's graph places them alike."""

import dataclasses

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from classic_world import make_data, options, restored

from rankd_train.data.features import Features, FeatureTable
from rankd_train.errors import ConfigError
from rankd_train.models import segments
from rankd_train.models.recommender import UNKNOWN
from rankd_train.models.segments import SegmentsConfig

CONFIG = SegmentsConfig(factors=2, prior=5)


def test_the_silhouette_finds_the_two_tastes():
    data = make_data(users=100)
    fitted = segments.fit(CONFIG, data, options())
    assert fitted.model.centres.shape == (2, 2)
    assert [row["segments"] for row in fitted.history] == list(range(2, 13))
    found = fitted.model.segments(np.full(99, UNKNOWN), data.matrix[:99])
    agreement = np.mean(found == np.arange(99) % 2)
    assert max(agreement, 1 - agreement) > 0.95


def test_popularity_by_segment_matches_a_loop():
    data = make_data()
    model = segments.fit(dataclasses.replace(CONFIG, clusters=3), data, options()).model
    met = data.matrix.toarray()[:-1]  # the last user has no history, and so no segment while fitting
    found = model.segments(np.arange(59), data.matrix[:59])
    for segment in range(3):
        members = met[found == segment]
        expected = (members.sum(axis=0) + 5 * met.mean(axis=0)) / (len(members) + 5)
        assert model.popular[:, segment] == pytest.approx(expected, abs=1e-6)


def test_features_describe_users_if_asked():
    data = make_data()
    taste = np.column_stack([np.arange(60) % 2, np.full(60, 0.5)]).astype(np.float32)
    features = Features(FeatureTable((), taste, {}), data.features.item)
    data = dataclasses.replace(data, features=features)
    config = SegmentsConfig(clusters=2, described_by="features")
    model = segments.fit(config, data, options()).model
    empty = sp.csr_matrix((4, 40), dtype=np.float32)
    found = model.segments(np.arange(4), empty)
    assert found[0] == found[2] != found[1] == found[3]
    assert "features" in model.serving().user
    with pytest.raises(ConfigError, match="3 segments need as many different users, and there are 2"):
        segments.fit(dataclasses.replace(config, clusters=3), data, options())


@pytest.mark.parametrize("described_by", ["factors", "features"])
def test_the_graphs_score_as_the_model_does(described_by):
    data = make_data()
    config = dataclasses.replace(CONFIG, clusters=3, described_by=described_by)
    model = segments.fit(config, data, options()).model
    users, history = np.array([UNKNOWN, 3, 8]), data.matrix[[0, 1, 8]]
    expected = model.scores(users, history)
    serving = model.serving()
    if described_by == "factors":
        described = history @ serving.item["factors"].values
    else:
        described = serving.user["features"].values[users + 1]
    one_hot = serving.graphs["user"].module(torch.from_numpy(described)).numpy()
    assert one_hot @ serving.indexes["segments"].vectors.T == pytest.approx(expected)
    row_user, item = np.array([2, 0, 1, 1]), np.array([3, 8, 3, 39])
    rows = torch.from_numpy(serving.item["popular_by_segment"].values[item])
    scored = serving.graphs["scorer"].module(torch.from_numpy(described), torch.from_numpy(row_user), rows)
    assert scored.numpy() == pytest.approx(expected[row_user, item])
    again = restored(segments.FAMILY, config, data, model)
    assert (again.scores(users, history) == expected).all()


def test_a_set_without_user_features_is_told():
    data = make_data()
    none = FeatureTable((), np.zeros((60, 0), dtype=np.float32), {})
    data = dataclasses.replace(data, features=Features(none, data.features.item))
    with pytest.raises(ConfigError, match="no user features"):
        segments.fit(SegmentsConfig(described_by="features"), data, options())
