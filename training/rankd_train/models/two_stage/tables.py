"""Everything that was learned, already as narrow as the bundle stores it, so that what is measured is what is served."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rankd_train.models.neighbours import Neighbours
from rankd_train.models.two_stage.config import CandidateConfig, TwoStageConfig
from rankd_train.models.two_stage.network import HybridRanker
from rankd_train.models.two_stage.ranker import Ranker, RankerTables
from rankd_train.models.two_stage.stage_one import StageOne, TowerTables
from rankd_train.models.two_stage.towers import TwoTower, UserTower
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
class Tables:
    columns: dict[str, np.ndarray]  # the keys of DTYPES, float32 [rows, width]
    neighbours: Neighbours
    popular: np.ndarray  # [I] uint32 item rows, best first
    descriptions: np.ndarray  # [catalogue, C] float32 unit rows, items beyond the trained ones included
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

    def stage_one(self, config: CandidateConfig) -> StageOne:
        return StageOne(self.neighbours.matrix(), self.tower_tables(), self.popular, config)

    def tensor(self, name: str) -> Tensor:
        return torch.from_numpy(self.columns[name])


def make_tables(
    towers: TwoTower, ranker: Ranker, neighbours: Neighbours, popular: np.ndarray, descriptions: np.ndarray
) -> Tables:
    """Takes the trained modules apart into graphs and narrow tables."""
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
    return Tables(
        columns={name: NARROW[DTYPES[name]](values.detach().numpy()) for name, values in columns.items()},
        neighbours=neighbours,
        popular=popular,
        descriptions=descriptions,
        user_tower=towers.user_tower.eval(),
        ranker=ranker.network.eval(),
    )


# --- kept in a file ---


def state_of(tables: Tables) -> dict[str, Tensor]:
    modules = {"user_tower": tables.user_tower, "ranker": tables.ranker}
    return {
        **{f"columns.{name}": torch.from_numpy(values) for name, values in tables.columns.items()},
        **{f"{name}.{key}": value for name, module in modules.items() for key, value in module.state_dict().items()},
        "neighbour_rows": torch.from_numpy(tables.neighbours.rows.astype(np.int64)),
        "neighbour_weights": torch.from_numpy(tables.neighbours.weights),
        "popular": torch.from_numpy(tables.popular.astype(np.int64)),
        "descriptions": torch.from_numpy(tables.descriptions),
    }


def tables_of(state: dict[str, Tensor], config: TwoStageConfig) -> Tables:
    """Raises RuntimeError or KeyError where the state is that of another configuration."""
    columns = {name: state[f"columns.{name}"].numpy() for name in DTYPES}
    content_dim = columns["user.content"].shape[1]
    user_tower, ranker = UserTower(config.tower, content_dim), HybridRanker(config.ranker, content_dim)
    for name, module in (("user_tower", user_tower), ("ranker", ranker)):
        own = {key: value for key, value in state.items() if key.startswith(f"{name}.")}
        module.load_state_dict({key.removeprefix(f"{name}."): value for key, value in own.items()})
    return Tables(
        columns=columns,
        neighbours=Neighbours(state["neighbour_rows"].numpy().astype(np.uint32), state["neighbour_weights"].numpy()),
        popular=state["popular"].numpy().astype(np.uint32),
        descriptions=state["descriptions"].numpy(),
        user_tower=user_tower.eval(),
        ranker=ranker.eval(),
    )
