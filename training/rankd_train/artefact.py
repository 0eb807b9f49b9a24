"""Everything that a finished training run hands on: weights and tables, already as narrow as the bundle stores them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from rankd_train.config import RunConfig
from rankd_train.errors import TrainError
from rankd_train.models.hybrid import HybridRanker
from rankd_train.models.neighbours import Neighbours
from rankd_train.models.ranker import Ranker, RankerTables
from rankd_train.models.stage_one import StageOne, TowerTables
from rankd_train.models.two_tower import TwoTower, UserTower
from rankd_train.quantise import NARROW

# How each learned column is stored. int8 with a scale per row costs less than 0.001 of HR@10 (docs/log.md) and half of f16.
DTYPES = {
    "user.content": "i8",
    "user.tower_embedding": "i8",
    "user.ncf_embedding": "i8",
    "trained_item.content": "i8",
    "trained_item.tower_embedding": "i8",
    "trained_item.ncf_embedding": "i8",
    "trained_item.features": "f16",
    "towers": "f32",
}


@dataclass(frozen=True)
class Artefact:
    columns: dict[str, np.ndarray]  # the keys of DTYPES, float32 [rows, width]
    neighbours: Neighbours
    popular: np.ndarray  # [I] uint32 item rows, best first
    user_tower: UserTower
    ranker: HybridRanker

    def tower_tables(self) -> TowerTables:
        return TowerTables(
            self.user_tower,
            user_embedding=self.tensor("user.tower_embedding"),
            user_content=self.tensor("user.content"),
            history_embedding=self.tensor("trained_item.tower_embedding"),
            item_vectors=self.tensor("towers"),
        )

    def ranker_tables(self) -> RankerTables:
        return RankerTables(
            user_embedding=self.tensor("user.ncf_embedding"),
            user_content=self.tensor("user.content"),
            item_embedding=self.tensor("trained_item.ncf_embedding"),
            item_content=self.tensor("trained_item.content"),
            item_features=self.tensor("trained_item.features"),
        )

    def stage_one(self, config: RunConfig) -> StageOne:
        return StageOne(self.neighbours.matrix(), self.tower_tables(), self.popular, config.pipeline)

    def tensor(self, name: str) -> Tensor:
        return torch.from_numpy(self.columns[name])


def make_artefact(towers: TwoTower, ranker: Ranker, neighbours: Neighbours, popularity: np.ndarray) -> Artefact:
    """Takes the trained modules apart into graphs and narrow tables. popularity: [I] training counts."""
    tables = ranker.tables()
    with torch.no_grad():
        columns = {
            "user.content": towers.user_content,
            "user.tower_embedding": towers.user_embedding.weight,
            "user.ncf_embedding": tables.user_embedding,
            "trained_item.content": tables.item_content,
            "trained_item.tower_embedding": towers.history_embedding.weight,
            "trained_item.ncf_embedding": tables.item_embedding,
            "trained_item.features": tables.item_features,
            "towers": towers.item_vectors(),
        }
    return Artefact(
        columns={name: NARROW[DTYPES[name]](values.detach().numpy()) for name, values in columns.items()},
        neighbours=neighbours,
        popular=np.argsort(-popularity, kind="stable").astype(np.uint32),
        user_tower=towers.user_tower.eval(),
        ranker=ranker.network.eval(),
    )


def save_artefact(artefact: Artefact, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(
        {
            "columns": {name: torch.from_numpy(values) for name, values in artefact.columns.items()},
            "neighbour_rows": torch.from_numpy(artefact.neighbours.rows.astype(np.int64)),
            "neighbour_weights": torch.from_numpy(artefact.neighbours.weights),
            "popular": torch.from_numpy(artefact.popular.astype(np.int64)),
            "user_tower": artefact.user_tower.state_dict(),
            "ranker": artefact.ranker.state_dict(),
        },
        path,
    )


def load_artefact(path: Path, config: RunConfig) -> Artefact:
    if not path.is_file():
        raise TrainError(f"{path} does not exist: run `python -m rankd_train run` first")
    saved = torch.load(path, weights_only=True)
    user_tower = UserTower(config.tower, config.content.dim)
    ranker = HybridRanker(config.ranker, config.content.dim)
    try:
        user_tower.load_state_dict(saved["user_tower"])
        ranker.load_state_dict(saved["ranker"])
    except RuntimeError as error:
        raise TrainError(f"{path} was trained with another configuration: {error}") from error
    return Artefact(
        columns={name: values.numpy() for name, values in saved["columns"].items()},
        neighbours=Neighbours(saved["neighbour_rows"].numpy().astype(np.uint32), saved["neighbour_weights"].numpy()),
        popular=saved["popular"].numpy().astype(np.uint32),
        user_tower=user_tower.eval(),
        ranker=ranker.eval(),
    )


def history_columns(train: sp.csr_matrix) -> tuple[np.ndarray, np.ndarray]:
    """The ragged column `user.history`: values and offsets [1 + users + 1], with an empty row 0 for the unknown user."""
    values = train.indices.astype(np.uint32)
    offsets = np.concatenate([[0], train.indptr]).astype(np.uint32)
    return values, offsets
