"""The test part is read once: `test-read.json` in a run's folder says when, and of which weights the figures are."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import torch
from torch import Tensor

from rankd_train.errors import AlreadyRead, TrainError

FILE = "test-read.json"


def weights_hash(state: Mapping[str, Tensor]) -> str:
    """SHA-256 of `Recommender.state()`: the same for the same names, shapes and bits."""
    digest = hashlib.sha256()
    for name in sorted(state):
        tensor = state[name].detach().cpu().contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def open_test_part(folder: Path, weights: str, again: bool = False, now: datetime | None = None) -> int:
    """To be called before the test part is looked at; the figures say how often that was: how many weights met it.

    folder: of the run, made if absent. Raises AlreadyRead if other weights met the test part before, unless `again`.
    The same weights may ask as often as they like: they learn nothing new."""
    path = folder / FILE
    reads = read_log(path)
    known = {entry["weights"] for entry in reads}
    if known and weights not in known and not again:
        raise AlreadyRead(
            f"the test part was read at {reads[-1]['time']} with other weights (see {path}). Whoever chooses after a look "
            "at the test figures has none left; read it again with --again, and the figures will say so"
        )
    if weights not in known:
        time = (now or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")
        folder.mkdir(parents=True, exist_ok=True)
        whole = path.with_suffix(".tmp")
        whole.write_text(json.dumps({"reads": [*reads, {"time": time, "weights": weights}]}, indent=2) + "\n")
        whole.replace(path)
    return len(known | {weights})


def read_log(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    try:
        reads = json.loads(path.read_text())["reads"]
        return [{"time": entry["time"], "weights": entry["weights"]} for entry in reads]
    except (ValueError, KeyError, TypeError) as error:
        raise TrainError(f"{path} is not the record of test reads that it should be: {error!r}") from error
