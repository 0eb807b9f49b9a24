"""What users did with rankd's answers comes back as training data: one running server, both ends of the log."""

import json
from importlib import import_module
from pathlib import Path

import pytest
from export_world import need_tool

from rankd_train.cli import main

ROOT = Path(__file__).parents[2]
RECIPE = """
bundle: {name: again, version: 1.0.0}
data: {feedback: events, weights: {click: 1, purchase: 3, dismiss: 0}}
evaluation: {baselines: [popularity], bootstrap_samples: 20}
model: {name: item-knn}
"""


def test_feedback_that_rankd_logged_trains_the_next_model(tmp_path, monkeypatch, capsys):
    need_tool()
    for needed in (ROOT / "dist" / "cli.js", ROOT / "build" / "cmake" / "rankd.node"):
        if not needed.is_file():
            pytest.skip(f"{needed.relative_to(ROOT)} is not built: `npm run build` makes it")
    monkeypatch.syspath_prepend(str(ROOT / "test" / "support"))
    monkeypatch.chdir(tmp_path)
    process, rpc = import_module("rankd_process"), import_module("rankd_client")
    # A server that ends writes all that it took.
    with process.rankd(process.MODELS, "--event-log", "events") as server, rpc.Client(server.rpc_url) as client:
        for user in range(30):
            items = [(user + step) % 12 for step in range(6)]
            events = [{"user": user, "item": item, "event": "click" if item % 2 else "purchase"} for item in items]
            client.feedback("tiny", [*events, {"user": user, "item": 99, "event": "dismiss"}])
    (tmp_path / "again.yaml").write_text(RECIPE, encoding="utf-8")
    assert main(["data", "again.yaml", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["users"], report["items"], report["events"]) == (30, 12, 180)
    assert main(["run", "again.yaml"]) == 0
    assert (tmp_path / "runs" / "again" / "metrics.json").is_file()
