"""The test part is read once, or the figures say how often."""

import json
from datetime import UTC, datetime

import pytest
import torch

from rankd_train.errors import AlreadyRead, TrainError
from rankd_train.evaluation.test_guard import FILE, open_test_part, weights_hash


def test_the_first_look_is_written_down_before_it_happens(tmp_path):
    folder = tmp_path / "run"
    assert open_test_part(folder, "abc", now=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) == 1
    assert json.loads((folder / FILE).read_text()) == {"reads": [{"time": "2026-01-02T03:04:05Z", "weights": "abc"}]}
    assert [path.name for path in folder.iterdir()] == [FILE]


def test_the_same_weights_may_ask_again(tmp_path):
    assert [open_test_part(tmp_path, "abc") for _ in range(3)] == [1, 1, 1]


def test_other_weights_are_refused_unless_asked_for_and_then_counted(tmp_path):
    open_test_part(tmp_path, "abc")
    with pytest.raises(AlreadyRead, match=r"with other weights .* --again"):
        open_test_part(tmp_path, "def")
    assert open_test_part(tmp_path, "def", again=True) == 2
    assert open_test_part(tmp_path, "abc") == 2
    with pytest.raises(AlreadyRead):
        open_test_part(tmp_path, "ghi")


def test_a_broken_record_is_told(tmp_path):
    (tmp_path / FILE).write_text('{"reads": [{}]}')
    with pytest.raises(TrainError, match=r"test-read.json is not the record"):
        open_test_part(tmp_path, "abc")


def test_weights_are_known_by_every_bit():
    state = {"a": torch.zeros(2, 3), "b": torch.tensor(1.0), "c": torch.zeros(2, dtype=torch.bfloat16)}
    same = {name: state[name].clone() for name in ("c", "b", "a")}
    assert weights_hash(state) == weights_hash(same)
    for other in (
        {"a": torch.zeros(3, 2)},
        {"b": torch.tensor(1.0 + 1e-6)},
        {"c": torch.zeros(2)},
        {"d": torch.zeros(1)},
    ):
        assert weights_hash(state | other) != weights_hash(state)
