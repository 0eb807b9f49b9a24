"""Writes the generated bundles that the bench serves: random weights and tables of a stated shape, the same bytes on every machine.

    python bench/models/make.py NAME --out FOLDER --tool build/cmake/rankd-bundle

FOLDER/repository becomes a model repository with one bundle (`ranker-u64`, `ranker-text`, `retriever`, `mlp`, `trees` or `trees-twice`), FOLDER/npy holds its
tables as arrays for servers that read no bundles. Nothing here is trained: it serves to measure work, never quality. Needs Python with numpy and onnx.
"""

import argparse
import hashlib
import json
import subprocess
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

ITEMS, USERS, WIDTH = 100_000, 10_000, 256
FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64
VERSION = "1.0.0"


def save_graph(path, nodes, inputs, outputs, weights=(), opsets=(("", 17),)):
    """Opset 17, IR 8; `inputs` and `outputs` are (name, type, shape), `weights` (name, array)."""
    values = lambda infos: [helper.make_tensor_value_info(*info) for info in infos]
    graph = helper.make_graph(nodes, "graph", values(inputs), values(outputs), [numpy_helper.from_array(array, name) for name, array in weights])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid(*opset) for opset in opsets], producer_name="rankd-bench")
    model.ir_version = 8
    onnx.save(model, path)


def dense_layers(random, widths, x, out):
    """Gemm and ReLU by turns, the last layer without ReLU: (nodes, weights) from tensor `x` to tensor `out`."""
    nodes, weights = [], []
    last = len(widths) - 2
    for i, (fan_in, fan_out) in enumerate(zip(widths, widths[1:])):
        y = out if i == last else f"sum{i}"
        nodes.append(helper.make_node("Gemm", [x, f"w{i}", f"b{i}"], [y]))
        weights.append((f"w{i}", random.normal(0, np.sqrt(2 / fan_in), (fan_in, fan_out)).astype(np.float32)))
        weights.append((f"b{i}", random.normal(0, 0.1, fan_out).astype(np.float32)))
        if i < last:
            nodes.append(helper.make_node("Relu", [y], [f"hidden{i}"]))
            x = f"hidden{i}"
    return nodes, weights


def write_ranker_graph(path):
    """The RecSys MLP 512-256-128-64-1 over [user; item], a probability per pair."""
    nodes, weights = dense_layers(np.random.default_rng(1), [2 * WIDTH, 256, 128, 64, 1], "pair", "logit")
    save_graph(
        path,
        [
            helper.make_node("Gather", ["user_embedding", "row_user"], ["user"], axis=0),
            helper.make_node("Concat", ["user", "item_embedding"], ["pair"], axis=1),
            *nodes,
            helper.make_node("Sigmoid", ["logit"], ["score"]),
        ],
        [("user_embedding", FLOAT, ["U", WIDTH]), ("row_user", INT64, ["N"]), ("item_embedding", FLOAT, ["N", WIDTH])],
        [("score", FLOAT, ["N", 1])],
        weights,
    )


def embeddings(seed, rows, clusters=1_000, rank=48):
    """Clustered rows of low rank plus noise, as learnt embeddings are: float32 [rows, WIDTH]."""
    random = np.random.default_rng(seed)
    basis = np.random.default_rng(99).normal(size=(rank, WIDTH)) / np.sqrt(rank)
    centres = np.random.default_rng(98).normal(size=(clusters, rank))
    latent = centres[random.integers(0, clusters, rows)] + 0.35 * random.normal(size=(rows, rank))
    return (latent @ basis + 0.05 * random.normal(size=(rows, WIDTH))).astype(np.float32)


class Bundle:
    """One version folder, filled file by file and sealed with its manifest."""

    def __init__(self, out, name, tool):
        self.name, self.tool = name, tool
        self.folder = out / "repository" / name / VERSION
        self.scratch = out / "npy"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.scratch.mkdir(parents=True, exist_ok=True)

    def npy(self, name, array):
        path = self.scratch / f"{name}.npy"
        np.save(path, array)
        return path

    def run(self, *arguments):
        subprocess.run([self.tool, *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)

    def ids(self, name, values):
        source = self.scratch / f"{name}.json"
        source.write_text(json.dumps(values))
        self.run("ids", "--out", self.folder / f"{name}.ids", "--from", source)
        source.unlink()

    def table(self, name, rows, **columns):
        described = [argument for column, value in columns.items() for argument in ("--column", f"{column}={value}")]
        self.run("table", "--out", self.folder / f"{name}.table", "--rows", rows, *described)

    def seal(self, **manifest):
        files = sorted(path for path in self.folder.iterdir() if path.name != "manifest.json")
        listed = {path.name: {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "bytes": path.stat().st_size} for path in files}
        whole = {"format": 1, "name": self.name, "version": VERSION, **manifest, "files": listed}
        (self.folder / "manifest.json").write_text(json.dumps(whole) + "\n")
        (self.folder.parent / "aliases.json").write_text(json.dumps({"champion": VERSION}) + "\n")


def write_catalogue(bundle, is_text):
    """Items and users with their embeddings; user row 0 is the unknown user."""
    bundle.ids("item", [f"item-{row}" if is_text else 1000 + 7 * row for row in range(ITEMS)])
    bundle.ids("user", [f"user-{user}" if is_text else user for user in range(1, USERS + 1)])
    items, users = embeddings(2, ITEMS), embeddings(3, USERS + 1)
    users[0] = 0
    bundle.table("item", ITEMS, embedding=f"f32:{bundle.npy('item', items)}")
    bundle.table("user", USERS + 1, embedding=f"f32:{bundle.npy('user', users)}")


RANKER = {
    "file": "ranker.onnx",
    "inputs": {
        "user_embedding": {"from": "user", "column": "user.embedding"},
        "row_user": {"from": "row_user"},
        "item_embedding": {"from": "item", "column": "item.embedding"},
    },
    "outputs": ["score"],
}
SCORE = {"stage": "score", "graph": "ranker", "output": "score"}
RANK = [{"stage": "lookup"}, SCORE, {"stage": "select", "k": 10}]
CATALOGUE = {"kind": "recommender", "ids": {"item": "item.ids", "user": "user.ids"}}


def write_ranker(bundle, is_text):
    write_catalogue(bundle, is_text)
    write_ranker_graph(bundle.folder / "ranker.onnx")
    bundle.seal(
        **CATALOGUE,
        description=f"{ITEMS} generated items of width {WIDTH} and an untrained ranking MLP, for the bench.",
        tables={"item": "item.table", "user": "user.table"},
        graphs={"ranker": RANKER},
        operations={"rank": RANK},
        default_graph="ranker",
    )


def write_retriever(bundle):
    """`recommend` as RecSys-v3 does it: 200 candidates by HNSW over item embeddings, ranked by the MLP."""
    write_catalogue(bundle, is_text=False)
    write_ranker_graph(bundle.folder / "ranker.onnx")
    shape = [("user_embedding", FLOAT, ["U", WIDTH])]
    save_graph(bundle.folder / "tower.onnx", [helper.make_node("Identity", ["user_embedding"], ["user_vector"])], shape, [("user_vector", FLOAT, ["U", WIDTH])])
    bundle.run(
        "index", "--out", bundle.folder / "items.index", "--vectors", bundle.scratch / "item.npy", "--kind", "hnsw", "--metric", "cosine",
        "--ef-construction", "100", "--ef-search", "200", "--min-recall", "0.95",
    )  # fmt: skip
    bundle.table("popular", ITEMS, row=f"u32:{bundle.npy('popular', np.random.default_rng(4).permutation(ITEMS).astype(np.uint32))}")
    tower = {"file": "tower.onnx", "inputs": {"user_embedding": RANKER["inputs"]["user_embedding"]}, "outputs": ["user_vector"]}
    sources = [
        {"name": "items", "kind": "index", "index": "items", "query": {"graph": "tower", "output": "user_vector"}, "k": 200},
        {"name": "popular", "kind": "list", "rows": "popular.row", "k": 1},
    ]
    recommend = [{"stage": "lookup"}, {"stage": "retrieve", "sources": sources}, SCORE, {"stage": "select", "k": 10, "fallback": "popular"}]
    bundle.seal(
        **CATALOGUE,
        description=f"{ITEMS} generated items behind HNSW and an untrained ranking MLP, for the bench.",
        tables={"item": "item.table", "user": "user.table", "popular": "popular.table"},
        indexes={"items": "items.index"},
        graphs={"tower": tower, "ranker": RANKER},
        operations={"recommend": recommend, "rank": RANK},
        default_graph="ranker",
    )


def write_mlp(bundle):
    """64-64-32-8: what is left of a request's time is the server's."""
    nodes, weights = dense_layers(np.random.default_rng(5), [64, 64, 32, 8], "x", "y")
    save_graph(bundle.folder / "mlp.onnx", nodes, [("x", FLOAT, ["N", 64])], [("y", FLOAT, ["N", 8])], weights)
    bundle.seal(
        kind="model",
        description="A small untrained MLP, for the bench.",
        graphs={"mlp": {"file": "mlp.onnx"}},
        default_graph="mlp",
    )


FEATURES, TREES, DEPTH = 247, 500, 8


def write_trees(bundle, trees=TREES):
    """A boosted ensemble as XGBoost exports it, complete trees with random cuts: `rows` [B, 247] to `score` [B, 1] in [0, 1]."""
    random = np.random.default_rng(6)
    inner, leaves = 2**DEPTH - 1, 2**DEPTH
    nodes = inner + leaves
    ids = np.tile(np.arange(nodes), trees)
    is_inner = ids < inner
    pick = lambda values: np.where(is_inner, values, 0)
    attributes = {
        "nodes_treeids": np.repeat(np.arange(trees), nodes),
        "nodes_nodeids": ids,
        "nodes_featureids": pick(random.integers(0, FEATURES, trees * nodes)),
        "nodes_values": pick(random.normal(size=trees * nodes)).astype(np.float32),
        "nodes_modes": np.where(is_inner, "BRANCH_LT", "LEAF"),
        "nodes_truenodeids": pick(2 * ids + 1),
        "nodes_falsenodeids": pick(2 * ids + 2),
        "target_treeids": np.repeat(np.arange(trees), leaves),
        "target_nodeids": np.tile(np.arange(inner, nodes), trees),
        "target_ids": np.zeros(trees * leaves, np.int64),
        "target_weights": random.normal(0, 0.05, trees * leaves).astype(np.float32),
    }
    ensemble = helper.make_node(
        "TreeEnsembleRegressor", ["rows"], ["margin"], domain="ai.onnx.ml", n_targets=1, aggregate_function="SUM", post_transform="NONE",
        **{name: values.tolist() for name, values in attributes.items()},
    )  # fmt: skip
    save_graph(
        bundle.folder / "trees.onnx",
        [ensemble, helper.make_node("Sigmoid", ["margin"], ["score"])],
        [("rows", FLOAT, ["B", FEATURES])],
        [("score", FLOAT, ["B", 1])],
        opsets=(("", 17), ("ai.onnx.ml", 3)),
    )
    rows = {"rows": {"from": "rows", "names": [f"f{i}" for i in range(FEATURES)]}}
    bundle.seal(
        kind="scorer",
        description=f"{trees} generated trees of depth {DEPTH} over {FEATURES} features, for the bench.",
        graphs={"trees": {"file": "trees.onnx", "inputs": rows, "outputs": ["score"]}},
        operations={"score": [{"stage": "score", "graph": "trees", "output": "score"}]},
        default_graph="trees",
    )


WRITERS = {
    "ranker-u64": lambda bundle: write_ranker(bundle, is_text=False),
    "ranker-text": lambda bundle: write_ranker(bundle, is_text=True),
    "retriever": write_retriever,
    "mlp": write_mlp,
    "trees": write_trees,
    "trees-twice": lambda bundle: write_trees(bundle, 2 * TREES),
}


def main():
    parser = argparse.ArgumentParser(description="Writes a generated model repository for the bench.")
    parser.add_argument("name", choices=WRITERS)
    parser.add_argument("--out", type=Path, required=True, help="the folder to fill")
    parser.add_argument("--tool", type=Path, required=True, help="the built rankd-bundle")
    arguments = parser.parse_args()
    WRITERS[arguments.name](Bundle(arguments.out, arguments.name, arguments.tool))


if __name__ == "__main__":
    main()
