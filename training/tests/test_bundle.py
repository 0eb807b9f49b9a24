"""A whole bundle: the engine answers what the reference answers, and a disagreement is an error that says where."""

import json

import msgpack
import numpy as np
import pytest
import torch
from export_world import ITEMS, USERS, make_facts, make_serving, need_tool
from torch import nn

from rankd_train.errors import ExportMismatch, TrainError
from rankd_train.export import bundle as bundle_module
from rankd_train.export.bundle import export_bundle
from rankd_train.export.contents import make_contents
from rankd_train.export.reference import Reference
from rankd_train.export.served import rankings_of
from rankd_train.export.serving import GraphPart, Serving


@pytest.fixture(scope="module")
def tool():
    return need_tool()


@pytest.fixture(scope="module", params=[True, False], ids=["texts and a ranking", "numbers and sources alone"])
def made(request, tool, tmp_path_factory):
    """Bundle folder, reference and facts."""
    serving = make_serving(reranks=request.param)
    plot = tmp_path_factory.mktemp("plots") / "training_curve.svg"
    plot.write_text("<svg/>")
    facts = make_facts(text_ids=request.param, plots=(plot,), metrics={"asked": 1}, results="Found by evaluation.")
    folder = export_bundle(serving, facts, tmp_path_factory.mktemp("bundles") / "tiny")
    return folder, Reference(make_contents(serving, facts.training, facts.bundle.k)), facts


def read(folder, name):
    return json.loads((folder / name).read_text())


def test_the_engine_answers_what_the_reference_answers(made, tool):
    folder, reference, facts = made
    users, items = facts.training.users.ids, facts.training.items.ids
    rng = np.random.default_rng(8)
    bodies = []
    for user in range(USERS):
        history = [items[item] for item in rng.integers(ITEMS, size=user % 5)]
        own = {} if user % 3 else {"history": history}
        bodies.append({"user": users[user], "k": 1 + user, "exclude": [items[user]], **own})
    for body, answer in zip(bodies, tool.answer(folder, "recommend", bodies)):
        expected = reference.answer("recommend", body)
        assert [item["id"] for item in answer["items"]] == [items[row] for row in expected.rows], body
        assert [item["source"] for item in answer["items"]] == list(expected.sources)
        assert [item["score"] for item in answer["items"]] == pytest.approx(expected.scores, abs=1e-5)


def test_every_file_is_listed_and_the_documents_tell_what_was_measured(made):
    folder, _, facts = made
    manifest, metrics = read(folder, "manifest.json"), read(folder, "metrics.json")
    assert set(manifest["files"]) == {path.name for path in folder.iterdir()} - {"manifest.json"}
    assert set(manifest["operations"]) == {"recommend", "rank", "similar"}
    assert metrics["asked"] == 1 and set(metrics["graph_parity"]) == {"user_vector", "scorer"}
    assert metrics["served"]["users"] == USERS and 0 <= metrics["serving_form"]["overlap@10"] <= 1
    card = (folder / "CARD.md").read_text()
    assert "Found by evaluation." in card and "![training curve](training_curve.svg)" in card
    assert f"| {metrics['served']['hr@10']:.4f} |" in card
    assert {"user", "item", "score"} == set(read(folder, "feature_stats.json"))
    assert read(folder, "config.json") == facts.config


def test_the_served_figures_are_those_of_the_reference(made):
    folder, reference, facts = made
    items = facts.training.items.ids
    hits, gains = [], []
    for user, item in msgpack.unpackb((folder / "heldout.msgpack").read_bytes()):
        answer = [items[row] for row in reference.answer("recommend", {"user": user, "k": 10}).rows]
        hits.append(item in answer)
        gains.append(1 / np.log2(answer.index(item) + 2) if item in answer else 0)
    served = read(folder, "metrics.json")["served"]
    assert [served["hr@10"], served["ndcg@10"]] == pytest.approx([np.mean(hits), np.mean(gains)])


def test_held_out_items_outside_the_answer_rank_last(made):
    _, _, facts = made
    question = bundle_module.question_of(facts)
    top = np.full((USERS, 10), -1)
    top[:, 3] = question.items  # one held-out item each
    top[5] = -1
    ranks = rankings_of(top, question).rank
    assert ranks.tolist() == [ITEMS if user == 5 else 3 for user in range(USERS)]


def test_a_bundle_may_have_neither_graphs_nor_indexes_nor_heldout_items(tool, tmp_path):
    whole = make_serving()
    facts = make_facts()
    facts = make_facts(heldout=facts.heldout.where(np.zeros(USERS, dtype=bool)))
    folder = export_bundle(Serving(item=whole.item, sources=whole.sources[:1]), facts, tmp_path / "bundle")
    assert set(read(folder, "manifest.json")["operations"]) == {"recommend"}
    assert read(folder, "metrics.json")["served"] is None


def test_what_golden_requests_expect_is_checked_by_the_engine(tool, tmp_path, monkeypatch):
    def shifted(reference, seed):
        entries = bundle_module_golden(reference, seed)
        scores = np.frombuffer(entries[0]["expect"]["scores"], dtype="<f4") + 0.01
        return [{**entries[0], "expect": {**entries[0]["expect"], "scores": scores.tobytes()}}]

    bundle_module_golden = bundle_module.golden_requests
    monkeypatch.setattr(bundle_module, "golden_requests", shifted)
    whole = make_serving()
    with pytest.raises(ExportMismatch, match="engine refuses the bundle") as refused:
        export_bundle(Serving(item=whole.item, sources=whole.sources[:1]), make_facts(), tmp_path / "bundle")
    assert refused.value.exit_code == 4


class Drifting(nn.Module):
    """Counts its calls, so that no two forms of it agree."""

    def __init__(self):
        super().__init__()
        self.calls = 0

    def forward(self, count):
        self.calls += 1
        return count + self.calls


def test_graphs_that_disagree_are_refused_with_the_difference(tool, tmp_path):
    graph = GraphPart(Drifting(), {"count": {"from": "history_count"}}, "vector")
    with pytest.raises(ExportMismatch, match=r"drifting: .* differs from PyTorch by"):
        export_bundle(Serving(graphs={"drifting": graph}), make_facts(), tmp_path / "bundle")


def test_without_the_native_tool_the_message_says_how_to_build_it(monkeypatch, tmp_path):
    monkeypatch.setenv("RANKD_BUNDLE", str(tmp_path / "none"))
    with pytest.raises(TrainError, match="npm run build"):
        export_bundle(make_serving(), make_facts(), tmp_path / "bundle")


def test_exported_graphs_take_any_number_of_users_and_candidates(made):
    folder, reference, _ = made
    for shape in ((1,), (1, 1, 1), (3, 0, 9)):
        inputs = bundle_module.parity_case(reference, "scorer", shape)
        script = torch.jit.load(folder / "scorer.ts.pt")
        assert script(*inputs.values()).shape == (sum(shape),)


def test_a_folder_that_is_no_bundle_is_left_alone_and_a_failed_export_keeps_the_old_bundle(tool, tmp_path, monkeypatch):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(TrainError, match="is no bundle"):
        export_bundle(make_serving(), make_facts(), tmp_path)
    assert (tmp_path / "thesis.tex").is_file()
    whole = make_serving()
    small, target = Serving(item=whole.item, sources=whole.sources[:1]), tmp_path / "bundle"
    export_bundle(small, make_facts(), target)
    export_bundle(small, make_facts(version="1.0.1"), target)
    monkeypatch.setattr(bundle_module, "golden_requests", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        export_bundle(small, make_facts(version="1.0.2"), target)
    assert read(target, "manifest.json")["version"] == "1.0.1"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bundle", "thesis.tex"]
