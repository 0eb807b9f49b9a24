"""Writes a bundle folder file by file, has the engine verify it, and publishes it by rename."""

import dataclasses
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import msgpack
import torch
from torch import Tensor

from rankd_train.artefact import DTYPES, Artefact, history_columns
from rankd_train.config import RunConfig
from rankd_train.data.histories import Histories
from rankd_train.dataset import Dataset
from rankd_train.export.graphs import check_parity, export_graph
from rankd_train.export.native_tool import NativeTool
from rankd_train.export.packages.card import make_card
from rankd_train.export.packages.feature_stats import feature_stats
from rankd_train.export.packages.golden import golden_requests
from rankd_train.export.packages.manifest import make_manifest
from rankd_train.export.serving import IndexPart
from rankd_train.models.hybrid import PAIR_SOURCES
from rankd_train.progress import step

# The project promises a recall of 0.95 on stored vectors. Users' vectors lie apart from items' and are harder to serve, so
# more candidates are kept than that recall needs; 12 links instead of 16 keep the bundle below 15 MB.
HNSW = {"m": 12, "ef-construction": 400, "ef-search": 400, "seed": 0, "recall-k": 100, "min-recall": 0.95}


def publish(
    config: RunConfig,
    data: Dataset,
    artefact: Artefact,
    metrics: dict[str, Any],
    history: dict[str, Any],
    models: Path,
) -> Path:
    """Makes models/<name>/<version>; a reader sees the whole bundle or none of it."""
    tool = NativeTool.find()
    root = models / config.bundle.name
    root.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{config.bundle.version}-", dir=root))
    try:
        folder.chmod(0o755)
        write_bundle(config, data, artefact, metrics, history, folder, tool)
        with step("verifying with the engine"):
            tool.verify(folder)
        target = root / config.bundle.version
        if target.exists():
            # A rename cannot replace a folder that has files: the old one leaves first, whole.
            retired = Path(tempfile.mkdtemp(prefix=".retired-", dir=root))
            target.rename(retired / "bundle")
            folder.rename(target)
            shutil.rmtree(retired)
        else:
            folder.rename(target)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    name_champion(root / "aliases.json", config.bundle.version)
    return target


def name_champion(path: Path, version: str) -> None:
    aliases = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    staged = path.with_suffix(".tmp")
    write_json(staged, {**aliases, "champion": version})
    os.replace(staged, path)


def write_bundle(
    config: RunConfig,
    data: Dataset,
    artefact: Artefact,
    metrics: dict[str, Any],
    history: dict[str, Any],
    folder: Path,
    tool: NativeTool,
) -> None:
    with step("writing tables, ids and indexes"):
        write_tables(data, artefact, folder, tool)
        hnsw = write_indexes(config, data, artefact, folder, tool)
    with step("exporting the graphs"):
        write_graphs(data, artefact, config, folder)
    with step("writing golden requests and documents"):
        entries = golden_requests(config, data, artefact)
        (folder / "golden.msgpack").write_bytes(msgpack.packb(entries))
        (folder / "heldout.msgpack").write_bytes(msgpack.packb(heldout(data)))
        metrics = {**metrics, "retrieval": {"towers": hnsw}}
        write_json(folder / "metrics.json", metrics)
        write_json(folder / "training_history.json", history)
        write_json(folder / "config.json", dataclasses.asdict(config))
        write_json(folder / "feature_stats.json", feature_stats(config, data, artefact))
        (folder / "CARD.md").write_text(make_card(card_facts(config, data, history, hnsw), metrics), encoding="utf-8")
        write_json(folder / "manifest.json", make_manifest(config, folder))


def write_tables(data: Dataset, artefact: Artefact, folder: Path, tool: NativeTool) -> None:
    catalogue, split = data.catalogue, data.split
    tool.write_ids(folder / "item.ids", catalogue.names)
    tool.write_ids(folder / "user.ids", split.users)
    tool.write_ids(folder / "section.ids", catalogue.section_names)
    tool.write_table(folder / "item.table", len(catalogue.names), {"section": ("u32", catalogue.section[:, None])})
    popular = artefact.popular[:, None]
    tool.write_table(folder / "popular.table", len(popular), {"row": ("u32", popular)})
    tool.write_table(
        folder / "trained_item.table",
        catalogue.trained_count,
        {
            **table_columns(artefact, "trained_item"),
            "neighbour_rows": ("u32", artefact.neighbours.rows),
            "neighbour_weights": ("i8", artefact.neighbours.weights),
        },
    )
    columns = {**table_columns(artefact, "user"), "history": ("ragged", history_columns(split.train))}
    tool.write_table(folder / "user.table", len(split.users) + 1, columns)


def table_columns(artefact: Artefact, table: str) -> dict[str, tuple[str, Any]]:
    return {
        name.partition(".")[2]: (DTYPES[name], values)
        for name, values in artefact.columns.items()
        if name.startswith(f"{table}.")
    }


def write_indexes(
    config: RunConfig, data: Dataset, artefact: Artefact, folder: Path, tool: NativeTool
) -> dict[str, Any]:
    """Returns what was measured of the towers' index."""
    kind, options = config.pipeline.tower_index, HNSW if config.pipeline.tower_index == "hnsw" else {}
    towers = IndexPart(artefact.columns["towers"], kind, "cosine", options)
    tool.write_index(folder / "descriptions.index", IndexPart(data.content, "exact_i8", "cosine"))
    return tool.write_index(folder / "towers.index", towers)


def write_graphs(data: Dataset, artefact: Artefact, config: RunConfig, folder: Path) -> None:
    """Exports both graphs from a batch of three users and checks them on other sizes, one user and one candidate included."""
    towers, ranker = artefact.user_tower, artefact.ranker
    example = graph_inputs(data, artefact, config, users=3, candidates=7)
    tower_rows = dict.fromkeys(example["user_tower"], "U")
    export_graph(towers, example["user_tower"], tower_rows, "user_vector", folder, "user_tower")
    per_candidate = {"row_user", "item_embedding", "item_content", "item_features", "pair"}
    ranker_rows = {key: "N" if key in per_candidate else "U" for key in example["ranker"]}
    export_graph(ranker, example["ranker"], ranker_rows, "score", folder, "ranker")
    cases = [
        graph_inputs(data, artefact, config, users, candidates) for users, candidates in ((1, 1), (1, 300), (64, 11))
    ]
    for name, module in (("user_tower", towers), ("ranker", ranker)):
        largest = check_parity(folder, name, [case[name] for case in cases], module)
        print(f"  {name}: TorchScript and ONNX Runtime within {largest:.1e} of PyTorch")


def graph_inputs(
    data: Dataset, artefact: Artefact, config: RunConfig, users: int, candidates: int
) -> dict[str, dict[str, Tensor]]:
    """Inputs of both graphs for the first users, each with the same number of random candidates."""
    generator = torch.Generator().manual_seed(config.seed)
    seen = data.split.train[:users]
    user_row = torch.arange(1, users + 1)
    tables, history = artefact.tower_tables(), Histories.of(seen)
    tower = {
        "user_embedding": tables.user_embedding[user_row],
        "user_content": tables.user_content[user_row],
        "history_mean": history.mean_of(tables.history_embedding),
        "history_count": history.counts(),
    }
    item = torch.randint(seen.shape[1], (users * candidates,), generator=generator)
    row_user = torch.arange(users).repeat_interleave(candidates)
    pair = torch.rand(len(item), len(PAIR_SOURCES), generator=generator)
    inputs = artefact.ranker_tables().gather(user_row, history, row_user, item, pair)
    return {"user_tower": tower, "ranker": inputs._asdict()}


def heldout(data: Dataset) -> list[list[str]]:
    """[[source, test item], …]: the served figure is the share whose item is in `recommend {"user": source, "k": 10}`."""
    return [[user, data.split.items[item]] for user, item in zip(data.split.users, data.split.test)]


def card_facts(config: RunConfig, data: Dataset, history: dict[str, Any], hnsw: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": config.bundle.name,
        "version": config.bundle.version,
        "description": config.bundle.description,
        "catalogue": len(data.catalogue.names),
        "pairs": data.split.train.nnz,
        "dropped": ", ".join(config.data.dropped_items),
        "min_sources": config.data.min_sources_per_item,
        "min_items": config.data.min_items_per_source,
        "files": "\n".join(f"- `{name}` {digest}" for name, digest in data.sha256.items()),
        "l2": config.item_item.l2,
        "neighbours": config.item_item.neighbours,
        "tower_dim": config.tower.dim,
        "tower_epochs": history["towers"]["best_epoch"] + 1,
        "ranker_epochs": history["ranker"]["best_epoch"] + 1,
        "embedding": config.ranker.embedding_dim,
        "content": config.ranker.content_units,
        "fusion": "-".join(map(str, config.ranker.fusion_units)),
        "negatives": config.ranker.negatives,
        "recall_k": 100,
        "hnsw": hnsw["recall"],
    }


def write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
