"""The operations of bundles, asked of a real server over RPC and over HTTP: both answer the same."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from rankd_client import Client, RankdError
from rankd_process import Rankd

ITEMS = [f"item-{row:02d}" for row in range(64)]
ROWS = np.random.default_rng(3).normal(size=(16, 4)).astype(np.float32)


@pytest.fixture(params=["rpc", "http"])
def client(server: Rankd, request: pytest.FixtureRequest) -> Iterator[Client]:
    with Client(server.rpc_url if request.param == "rpc" else server.http_url, deadline_ms=10_000) as made:
        yield made


def test_recommend_gives_items_best_first(client: Client) -> None:
    items = client.recommend("tiny", user="user-1", k=5)
    assert len(items) == len(set(items.ids)) == 5
    assert list(items.scores) == sorted(items.scores, reverse=True)
    assert (items.model, items.version, items.degraded) == ("tiny", "1.0.0", [])
    assert items[0].source is not None
    assert items.timing.total_us >= items.timing.queue_us


def test_recommend_minds_history_exclusions_and_filters(client: Client) -> None:
    libs = ITEMS[2::4]
    items = client.recommend("tiny", history=["item-03"], exclude=libs[:2], filters={"section": "libs"}, k=4)
    assert set(items.ids) <= set(libs[2:])


def test_an_unknown_user_is_told_in_degraded(client: Client) -> None:
    assert "unknown_user" in client.recommend("tiny", user="nobody").degraded


def test_rank_orders_candidates_or_scores_them_in_their_order(client: Client) -> None:
    scores = client.rank("tiny", ITEMS, user="user-1", order="input")
    best = client.rank("tiny", ITEMS, user="user-1", k=3)
    by_score = np.argsort(-scores.scores, kind="stable")[:3]
    assert best.ids == [ITEMS[at] for at in by_score]
    np.testing.assert_array_equal(best.scores, scores.scores[by_score])


def test_candidates_may_be_rows_of_the_item_table(client: Client) -> None:
    by_id = client.rank("tiny", ITEMS[:8], user="user-1", order="input")
    by_row = client.rank("tiny", np.arange(8, dtype=np.uint32), user="user-1", order="input")
    np.testing.assert_array_equal(by_id.scores, by_row.scores)


def test_an_unknown_candidate_has_no_score(client: Client) -> None:
    scores = client.rank("tiny", ["item-00", "item-99"], user="user-1", order="input")
    assert np.isnan(scores.scores).tolist() == [False, True]
    assert scores.degraded == ["unknown_items"]


def test_similar_leaves_the_item_itself_out(client: Client) -> None:
    items = client.similar("tiny", "item-03", k=4)
    assert len(items) == 4
    assert "item-03" not in items.ids


def test_score_takes_an_array_lists_or_maps(client: Client) -> None:
    names = ["amount", "hour", "distance", "age_days"]
    from_array = client.score("scorer", ROWS)
    from_lists = client.score("scorer", ROWS.tolist())
    from_maps = client.score("scorer", [dict(zip(names, row, strict=True)) for row in ROWS.tolist()])
    np.testing.assert_array_equal(from_array, from_lists)
    np.testing.assert_array_equal(from_array, from_maps)
    assert from_array.decisions is not None
    assert len(from_array.decisions) == len(from_array) == 16


def test_what_an_array_of_rows_must_be_is_said_before_anything_is_sent(client: Client) -> None:
    with pytest.raises(RankdError, match="rows must have two dimensions"):
        client.score("scorer", ROWS[0])
    assert client.stats()["requests"] == 0


@pytest.mark.parametrize(
    ("call", "code", "words"),
    [
        (lambda client: client.recommend("nobody"), "UNKNOWN_MODEL", "nobody"),
        (lambda client: client.recommend("tiny@9"), "UNKNOWN_VERSION", "9"),
        (lambda client: client.similar("tiny", "item-99"), "UNKNOWN_ITEM", "item-99"),
        (lambda client: client.recommend("tiny", k=0), "INVALID_ARGUMENT", "k"),
        (lambda client: client.score("scorer", ROWS[:1, :3]), "SHAPE_MISMATCH", "4 floats"),
        (lambda client: client.score("scorer", ROWS[:, :3]), "SHAPE_MISMATCH", "16 rows of 3 .* as 12 scores"),
        (lambda client: client.score("scorer", ROWS * np.nan), "NOT_FINITE", "NaN"),
    ],
)
def test_errors_carry_a_code_and_a_sentence(
    client: Client, call: Callable[[Client], object], code: str, words: str
) -> None:
    with pytest.raises(RankdError, match=words) as raised:
        call(client)
    assert raised.value.code == code


def test_gather_has_many_calls_in_flight_and_keeps_their_order(client: Client) -> None:
    users = [f"user-{at % 8}" for at in range(200)]
    answers = client.gather(client.aio.recommend("tiny", user=user, k=3) for user in users)
    assert [answer.ids for answer in answers] == [answers[at % 8].ids for at in range(200)]


def test_gather_raises_the_first_error(client: Client) -> None:
    with pytest.raises(RankdError, match="UNKNOWN_MODEL"):
        client.gather(client.aio.recommend(target, user="user-1") for target in ("tiny", "nobody"))


def test_threads_share_a_client(client: Client) -> None:
    alone = client.recommend("tiny", user="user-2").ids
    found: list[list[str | int]] = []
    threads = [
        threading.Thread(target=lambda: found.append(client.recommend("tiny", user="user-2").ids)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [alone] * 8


def test_answers_show_themselves_in_notebooks(client: Client) -> None:
    items = client.recommend("tiny", user="user-1", k=6)
    assert repr(items).startswith(f"<Items of tiny@1.0.0: {items.ids[0]} ")
    assert repr(items).endswith(", … (6)>")
    assert items._repr_html_().count("<tr>") == 7
    assert repr(client.score("scorer", ROWS)).endswith("(16)>")
    assert repr(client) == f"Client({client.aio.url!r})"


def test_a_closed_client_says_so(client: Client) -> None:
    client.close()
    client.close()
    with pytest.raises(RankdError, match="this client is closed"):
        client.recommend("tiny", user="user-1")


def test_a_url_that_is_none_is_refused() -> None:
    for url in ("localhost:8000", "ftp://host", "http://"):
        with pytest.raises(RankdError, match="a url must be like http://host:8000"):
            Client(url)


def test_an_option_that_makes_no_sense_is_refused() -> None:
    for options, words in [
        ({"deadline_ms": -1.0}, "deadline_ms must be a number from 0"),
        ({"connect_timeout_ms": 0.0}, "connect_timeout_ms must be a number above 0"),
        ({"attempts": 0}, "attempts must be a whole number from 1"),
        ({"retry_budget": 2.0}, "retry_budget must be a number from 0 to 1"),
    ]:
        with pytest.raises(RankdError, match=words):
            Client(**options)  # type: ignore[arg-type]
