"""Writes a bundle folder file by file: `write_bundle` reads top to bottom, the manifest comes last, the engine judges."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgpack
import numpy as np
from torch import Tensor

from rankd_train.data.feature_stats import feature_stats
from rankd_train.data.snapshot import sha256_of
from rankd_train.errors import TrainError
from rankd_train.evaluation.rankings import Question, make_question
from rankd_train.export.card import make_card
from rankd_train.export.contents import Contents, make_contents
from rankd_train.export.facts import ExportFacts
from rankd_train.export.gather import is_per_candidate, row_symbols
from rankd_train.export.golden import golden_requests
from rankd_train.export.graphs import check_parity, export_graph
from rankd_train.export.native_tool import NativeTool
from rankd_train.export.reference import Reference
from rankd_train.export.request import Request
from rankd_train.export.served import served_figures
from rankd_train.export.serving import Serving
from rankd_train.export.serving_form import compare
from rankd_train.export.whole_folder import whole_folder
from rankd_train.progress import step

# Candidates of each user in the runs that graphs are compared on: the export's own example, one pair, ragged, many.
PARITY_SHAPES = ((4, 2, 6), (1,), (2, 27, 1, 40), (300,))


def export_bundle(serving: Serving, facts: ExportFacts, folder: Path) -> Path:
    """Writes a whole bundle, has the engine verify and answer it, and puts it where `folder` says; an older bundle there leaves.

    Raises ExportMismatch when PyTorch, TorchScript, ONNX Runtime and the engine disagree."""
    tool = NativeTool.find()
    if folder.exists() and not (folder / "manifest.json").is_file():
        raise TrainError(f"{folder} is there and is no bundle: name a folder that does not exist, or an older bundle")
    contents = make_contents(serving, facts.training, facts.bundle.k)
    with whole_folder(folder) as staged:
        write_bundle(Reference(contents), facts, staged, tool)
    return folder


def write_bundle(reference: Reference, facts: ExportFacts, folder: Path, tool: NativeTool) -> None:
    contents = reference.contents
    with step("writing tables, ids and indexes"):
        write_ids(contents, folder, tool)
        write_tables(contents, folder, tool)
        retrieval = {name: tool.write_index(folder / f"{name}.index", part) for name, part in contents.indexes.items()}
    with step("exporting the graphs"):
        parity = {name: write_graph(reference, name, folder) for name in contents.graphs}
    with step("writing golden requests"):
        (folder / "golden.msgpack").write_bytes(msgpack.packb(golden_requests(reference, facts.seed)))
        question = question_of(facts)
        (folder / "heldout.msgpack").write_bytes(msgpack.packb(heldout_pairs(contents, question)))
    with step("comparing the bundle with the whole model"):
        form, scores = compare(reference, facts.model, facts.training, facts.seed)
    write_manifest(contents, facts, folder)
    with step("asking the engine"):
        tool.verify(folder)
        served = served_figures(tool, folder, contents.users, contents.items, question) if question else None
    metrics = {**facts.metrics, "served": served, "serving_form": form, "retrieval": retrieval, "graph_parity": parity}
    write_documents(contents, facts, metrics, scores, folder)
    write_manifest(contents, facts, folder)
    tool.verify(folder)


# --- what is served ---


def write_ids(contents: Contents, folder: Path, tool: NativeTool) -> None:
    tool.write_ids(folder / "item.ids", contents.items)
    tool.write_ids(folder / "user.ids", contents.users)
    for name, attribute in contents.attributes.items():
        tool.write_ids(folder / f"{name}.ids", attribute.names)


def write_tables(contents: Contents, folder: Path, tool: NativeTool) -> None:
    for table, columns in contents.tables.items():
        arrays: dict[str, tuple[str, Any]] = {name: (column.dtype, column.values) for name, column in columns.items()}
        rows = len(contents.users) + 1 if table == "user" else max((len(c.values) for c in columns.values()), default=0)
        if table == "user":
            arrays["history"] = ("ragged", (contents.history.values, contents.history.offsets))
        if arrays:
            tool.write_table(folder / f"{table}.table", rows, arrays)


def write_graph(reference: Reference, name: str, folder: Path) -> float:
    """Returns the largest difference between PyTorch, TorchScript and ONNX Runtime."""
    part = reference.contents.graphs[name]
    cases = [parity_case(reference, name, shape) for shape in PARITY_SHAPES]
    export_graph(part.module, cases[0], row_symbols(part), part.output, folder, name)
    return check_parity(folder, name, cases, part.module)


def parity_case(reference: Reference, graph: str, shape: tuple[int, ...]) -> dict[str, Tensor]:
    """Inputs of one run: the unknown user first, then known ones; a graph of users alone has no candidates."""
    contents = reference.contents
    rng = np.random.default_rng(len(shape))
    requests = []
    for row, count in enumerate(shape):
        user = row % (len(contents.users) + 1)
        request = Request({}, user_row=user, history=contents.history.row(user).astype(np.int64))
        if is_per_candidate(contents.graphs[graph]):
            reference.set_candidates(request, rng.integers(len(contents.items), size=count), range(count))
        requests.append(request)
    return reference.inputs(graph, requests)


def write_manifest(contents: Contents, facts: ExportFacts, folder: Path) -> None:
    """manifest.json tells of every other file that is there."""
    files = [path for path in sorted(folder.iterdir()) if path.name != "manifest.json"]
    manifest = {
        "format": 1,
        "name": facts.bundle.name,
        "version": facts.bundle.version,
        "kind": "recommender",
        "description": facts.bundle.description,
        "ids": {path.stem: path.name for path in files if path.suffix == ".ids"},
        "tables": {path.stem: path.name for path in files if path.suffix == ".table"},
        "indexes": {path.stem: path.name for path in files if path.suffix == ".index"},
        "graphs": {
            name: {"file": f"{name}.onnx", "inputs": plain(part.inputs), "outputs": [part.output]}
            for name, part in contents.graphs.items()
        },
        "history": {"column": "user.history"},
        "operations": contents.operations,
        **({"default_graph": contents.scorer} if contents.scorer else {}),
        "tolerances": {"score": contents.tolerance},
        "golden": "golden.msgpack",
        "files": {path.name: {"sha256": sha256_of(path), "bytes": path.stat().st_size} for path in files},
    }
    write_json(folder / "manifest.json", manifest)


def plain(inputs: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    return {name: dict(spec) for name, spec in inputs.items()}


# --- what is told ---


def write_documents(
    contents: Contents, facts: ExportFacts, metrics: dict[str, Any], scores: np.ndarray, folder: Path
) -> None:
    for plot in facts.plots:
        shutil.copy(plot, folder / plot.name)
    write_json(folder / "metrics.json", metrics)
    write_json(folder / "training_history.json", facts.history)
    write_json(folder / "config.json", facts.config)
    write_json(folder / "feature_stats.json", feature_stats(facts.training.features, scores))
    (folder / "CARD.md").write_text(make_card(facts, contents, metrics), encoding="utf-8")


def question_of(facts: ExportFacts) -> Question | None:
    """Whom to ask for the served figures, and what would be right; None when nothing was held out."""
    if len(facts.heldout) == 0:
        return None
    return make_question(facts.training.matrix, facts.heldout, relevant_from=facts.relevant_from)


def heldout_pairs(contents: Contents, question: Question | None) -> list[list[Any]]:
    """[[user id, item id], ...]: what would be right to answer."""
    if question is None:
        return []
    user = np.repeat(question.users, np.diff(question.starts))
    return [
        [contents.users[u], contents.items[i]]
        for u, i in zip(user[question.relevant], question.items[question.relevant])
    ]


def write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
