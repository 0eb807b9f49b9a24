"""Calls `rankd-bundle`, the one writer of tables, ids and indexes and the one judge of bundles."""

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import msgpack
import numpy as np

from rankd_train.data.interactions import Ids
from rankd_train.errors import ExportMismatch, TrainError
from rankd_train.export.serving import IndexPart

# How a column of each dtype is handed over.
STORED = {"f32": np.float32, "f16": np.float32, "i8": np.float32, "u32": np.uint32}


class NativeTool:
    def __init__(self, program: Path):
        self.program = program

    @classmethod
    def find(cls) -> "NativeTool":
        """`$RANKD_BUNDLE`, else build/cmake/rankd-bundle of this checkout."""
        configured = os.environ.get("RANKD_BUNDLE")
        checkout = Path(__file__).resolve().parents[3]
        program = Path(configured) if configured else checkout / "build" / "cmake" / "rankd-bundle"
        if not os.access(program, os.X_OK):
            raise TrainError(f"{program} is not there: `npm run build` makes it, or set RANKD_BUNDLE to where it is")
        return cls(program)

    def write_ids(self, out: Path, ids: Ids) -> None:
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "names.json"
            source.write_text(json.dumps(list(ids)), encoding="utf-8")
            self.call("ids", "--out", str(out), "--from", str(source))

    def write_table(self, out: Path, rows: int, columns: dict[str, tuple[str, Any]]) -> None:
        """columns: name -> (dtype, array [rows, width]), or for `ragged` (dtype, (values, offsets))."""
        with tempfile.TemporaryDirectory() as folder:
            arguments = ["table", "--out", str(out), "--rows", str(rows)]
            for name, (dtype, data) in columns.items():
                if dtype == "ragged":
                    files = [save_npy(folder, f"{name}.{i}", part.astype(np.uint32)) for i, part in enumerate(data)]
                else:
                    files = [save_npy(folder, name, data.astype(STORED[dtype]))]
                arguments += ["--column", f"{name}={dtype}:{','.join(files)}"]
            self.call(*arguments)

    def write_index(self, out: Path, part: IndexPart) -> dict[str, Any]:
        """Returns what the tool measured: recall@k of the stored vectors against the exact index."""
        with tempfile.TemporaryDirectory() as folder:
            source = save_npy(folder, "vectors", part.vectors.astype(np.float32))
            arguments = ["--out", str(out), "--vectors", source, "--kind", part.kind, "--metric", part.metric]
            options = [text for key, value in part.options.items() for text in (f"--{key}", str(value))]
            measured = json.loads(self.call("index", *arguments, *options, "--no-speed", "--json"))
        return {key: measured[key] for key in ("kind", "metric", "vectors", "dim", "recall_k", "recall")}

    def verify(self, bundle: Path) -> dict[str, Any]:
        """Loads the bundle as the server would and replays its golden requests; raises ExportMismatch when it refuses."""
        done = subprocess.run([self.program, "verify", bundle, "--json"], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ExportMismatch(f"the engine refuses the bundle:\n{done.stdout}{done.stderr}")
        return json.loads(done.stdout)

    def answer(self, bundle: Path, operation: str, bodies: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Asks the engine itself, without a server."""
        done = subprocess.run(
            [self.program, "run", bundle, "--op", operation],
            input=msgpack.packb(bodies),
            capture_output=True,
            check=False,
        )
        if done.returncode != 0:
            raise TrainError(f"rankd-bundle run failed: {done.stderr.decode(errors='replace')}")
        return msgpack.unpackb(done.stdout)

    def call(self, *arguments: str) -> str:
        done = subprocess.run([self.program, *arguments], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise TrainError(f"rankd-bundle {arguments[0]} failed: {done.stderr or done.stdout}")
        return done.stdout


def save_npy(folder: str, name: str, values: np.ndarray) -> str:
    path = Path(folder) / f"{name}.npy"
    np.save(path, np.ascontiguousarray(values))
    return str(path)
