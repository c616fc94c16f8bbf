from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from synthcity.errors import RunError
from synthcity.lines import LineWriter, append_line, read_lines
from synthcity.market.columns import take
from synthcity.market.store import Store
from synthcity.serve.answering.answer_ledger import ANSWERS, SCORES, AnswerLedger, AnswerRecord
from synthcity.serve.settlement.drift import calibrations
from synthcity.serve.settlement.settle import Book, ScoreRecord, settle
from synthcity.serve.settlement.settle import read_scores as read
from synthcity.sn50.competitions import get_rules
from synthcity.sn50.prompt import Prompt
from synthcity.sn50.scoring import score
from tests.serve.builders import MINUTES, T0, hour, make_paths, make_store, record

END = T0 + 3600
DAY = 86400


@pytest.fixture
def ledger(tmp_path):
    with AnswerLedger(tmp_path / "ledger") as opened:
        yield opened


def test_the_score_is_the_networks_own_number(ledger, tmp_path):
    day = Prompt(asset="BTC", start_time=T0 + 420, num_simulations=40)
    answers = {record(ledger, prompt, make_paths(prompt)).id: prompt for prompt in (hour(T0 + 60), day)}
    settlement = settle(ledger.folder, make_store(tmp_path / "store"), T0 + 3 * DAY)
    assert (settlement.num_settled, settlement.num_pending, settlement.problems) == (2, 0, ())
    scores = read(ledger.folder).set_index("answer")
    intervals = {event["answer"]: event["intervals"] for event in read_lines(ledger.folder / SCORES).events}
    opens = MINUTES.time.tolist()
    for name, prompt in answers.items():
        truth = [MINUTES.close[opens.index(t)] for t in prompt.grid]  # the close of the candle that opens then
        competition = "crypto-24h" if prompt is day else "crypto-1h"
        expected = score(make_paths(prompt).astype(np.float32), truth, competition)
        row = scores.loc[name]
        assert row["total"] == expected.total
        assert row["competition"] == competition
        assert intervals[name] == expected.intervals
        assert row["num_missing"] == 0
        assert sum(row["pit"]["300"]) == pytest.approx(prompt.time_length / 300)


def test_rules_of_another_date_can_be_asked_for(ledger, tmp_path):
    record(ledger, hour())
    settle(ledger.folder, make_store(tmp_path / "store"), END + DAY, rules=get_rules("2026-05"))
    assert read(ledger.folder)["competition"].tolist() == ["high"]


@pytest.mark.parametrize(
    ("now", "last_open", "settled"),
    [(END + 89, END + 600, False), (END + 90, END + 60, True), (END + 90, END, False), (END + 90, END - 60, False)],
)
def test_a_prompt_waits_for_its_end_and_for_a_witness(ledger, tmp_path, now, last_open, settled):
    record(ledger, hour())
    store = make_store(tmp_path / "store", take(MINUTES, MINUTES.time <= last_open))
    settlement = settle(ledger.folder, store, now)
    assert (settlement.num_settled, settlement.num_pending) == ((1, 0) if settled else (0, 1))
    assert len(read(ledger.folder)) == settled


def test_a_missing_last_price_waits_until_it_is_given_up(ledger, tmp_path):
    answer = record(ledger, hour())
    store = make_store(tmp_path / "store", take(MINUTES, MINUTES.time != END))
    assert settle(ledger.folder, store, END + DAY).num_pending == 1
    assert settle(ledger.folder, store, END + 2 * DAY + 1).num_given_up == 1
    assert settle(ledger.folder, store, END + 2 * DAY + 2).num_given_up == 0
    (event,) = read_lines(ledger.folder / SCORES).events
    assert (event["total"], event["reason"]) == (None, "its last price was never observed")
    assert len(read(ledger.folder)) == 0
    assert not (ledger.folder / answer.paths).exists()


def test_a_store_that_lacks_the_days_or_is_damaged_costs_no_score(ledger, tmp_path):
    record(ledger, hour()), record(ledger, hour(T0 - 60))
    late = END + 30 * DAY
    wrong = settle(ledger.folder, Store(tmp_path / "mistyped"), late)
    assert (wrong.num_given_up, wrong.num_pending) == (0, 2)
    (told,) = wrong.problems
    assert told == "answers of BTC wait: the store holds nothing of those days; fill it by `synthcity data download`"
    short = settle(ledger.folder, make_store(tmp_path / "short", take(MINUTES, MINUTES.time < END)), late)
    assert (short.num_pending, "the store ends at " in short.problems[0]) == (2, True)
    store = make_store(tmp_path / "store")
    whole = {path: path.read_bytes() for path in (tmp_path / "store").rglob("*.parquet")}
    for path in whole:
        path.write_bytes(b"nonsense")
    damaged = settle(ledger.folder, store, late)
    assert (damaged.num_given_up, damaged.num_pending, len(damaged.problems)) == (0, 2, 1)
    for path, content in whole.items():
        path.write_bytes(content)
    assert settle(ledger.folder, store, late).num_settled == 2


def test_a_late_last_price_settles_what_waited(ledger, tmp_path):
    record(ledger, hour())
    store = make_store(tmp_path / "store", take(MINUTES, MINUTES.time != END))
    assert settle(ledger.folder, store, END + 120).num_settled == 0
    store.append("BTC", "binance", 60, take(MINUTES, MINUTES.time == END))
    assert settle(ledger.folder, store, END + 180).num_settled == 1


def test_missing_minutes_are_left_out_as_the_network_does_and_counted(ledger, tmp_path):
    prompt = hour()
    record(ledger, prompt)
    gone = np.isin(MINUTES.time, prompt.grid[[5, 30]])
    settle(ledger.folder, make_store(tmp_path / "store", take(MINUTES, ~gone)), END + DAY)
    truth = MINUTES.grid_price(prompt.grid + 60)
    truth[[5, 30]] = np.nan
    row = read(ledger.folder).iloc[0]
    assert row["num_missing"] == 2
    assert row["total"] == score(make_paths(prompt).astype(np.float32), truth, "crypto-1h").total


def test_an_answer_is_settled_once_and_its_paths_go(ledger, tmp_path):
    store, first = make_store(tmp_path / "store"), record(ledger, hour())
    assert settle(ledger.folder, store, END + 90).num_settled == 1
    assert settle(ledger.folder, store, END + 90).num_settled == 0
    assert not (ledger.folder / first.paths).exists()
    second = record(ledger, hour(T0 + 60))
    assert settle(ledger.folder, store, END + 150, keep_paths=True).num_settled == 1
    assert (ledger.folder / second.paths).exists()
    assert read(ledger.folder)["answer"].tolist() == [first.id, second.id]


def test_an_invalid_answer_is_told_as_the_network_does(ledger, tmp_path):
    paths = make_paths(hour())
    paths[3, 7] = 0.0
    record(ledger, hour(), paths)
    settle(ledger.folder, make_store(tmp_path / "store"), END + 90)
    assert read(ledger.folder)["total"].tolist() == [-1.0]


def test_damage_costs_the_answer_it_hit_and_is_told(ledger, tmp_path):
    lost, kept = record(ledger, hour()), record(ledger, hour(T0 + 60))
    (ledger.folder / lost.paths).write_bytes(b"nonsense")
    ledger._lines._file.write(b'{"id":"torn')
    store = make_store(tmp_path / "store")
    settlement = settle(ledger.folder, store, END + DAY)
    assert (settlement.num_settled, settlement.num_pending) == (1, 1)
    assert read(ledger.folder)["answer"].tolist() == [kept.id]
    assert "is torn and left out" in settlement.problems[0]
    assert f"{lost.id} cannot be settled: " in settlement.problems[1]
    assert settle(ledger.folder, store, END + 2 * DAY + 1).num_given_up == 1
    assert "differs from its hash" in read_lines(ledger.folder / SCORES).events[-1]["reason"]


def test_a_torn_score_is_settled_again(ledger, tmp_path):
    store = make_store(tmp_path / "store")
    record(ledger, hour())
    settle(ledger.folder, store, END + 90, keep_paths=True)
    path = ledger.folder / SCORES
    path.write_bytes(path.read_bytes()[:-20])
    settlement = settle(ledger.folder, store, END + 90)
    assert settlement.num_settled == 1
    assert "was torn" in settlement.problems[0]
    assert len(read(ledger.folder)) == 1


def test_prompts_that_nobody_scores_and_assets_without_a_venue_are_given_up_in_words(ledger, tmp_path):
    record(ledger, Prompt(asset="BTC", start_time=T0, time_increment=60, time_length=600, num_simulations=5))
    record(ledger, hour(asset="SPYX"))
    settlement = settle(ledger.folder, make_store(tmp_path / "store"), END + 3 * DAY)
    assert settlement.num_given_up == 2
    reasons = [event["reason"] for event in read_lines(ledger.folder / SCORES).events]
    assert "no competition asks for 600 s" in reasons[0]
    assert "unknown asset 'SPYX'" in reasons[1]


def test_a_simulated_market_can_settle(ledger, tmp_path):
    record(ledger, hour())
    store = make_store(tmp_path / "store", venue="simulated")
    assert settle(ledger.folder, store, END + 90).num_pending == 1
    assert settle(ledger.folder, store, END + 90, venue="simulated").num_settled == 1


def test_one_process_settles_at_a_time_while_the_miner_goes_on(ledger, tmp_path):
    store = make_store(tmp_path / "store")
    with LineWriter(ledger.folder / SCORES, exclusive=True), pytest.raises(RunError, match="another process writes"):
        settle(ledger.folder, store, END)
    record(ledger, hour())
    assert settle(ledger.folder, store, END + 90).num_settled == 1
    assert json.loads((ledger.folder / SCORES).read_bytes())["total"] > 0


def test_a_book_reads_every_line_once_and_knows_what_is_new(ledger, tmp_path, monkeypatch):
    store, read_ids = make_store(tmp_path / "store"), []
    for kind, name in ((AnswerRecord, "id"), (ScoreRecord, "answer")):

        def parse(event, kind=kind, name=name, plain=kind.parse):
            read_ids.append((kind, event[name]))
            return plain(event)

        monkeypatch.setattr(kind, "parse", parse)
    book = Book(ledger.folder)
    answers = []
    for k in range(4):
        answers += [record(ledger, hour(T0 + 60 * k)).id, record(ledger, hour(T0 + 60 * k + DAY)).id]
        done = settle(ledger.folder, store, END + 90 + 60 * k, book=book)
        assert (done.num_settled, done.num_pending) == (1, k + 1)
        assert list(book.waiting) == answers[1::2]
        assert book.scores["answer"].tolist() == answers[::2]
    assert len(read_ids) == len(set(read_ids)) == 12
    assert book.scores.equals(read(ledger.folder))
    assert settle(ledger.folder, store, END + 2 * DAY, book=book).num_settled == 4


@pytest.mark.parametrize("name", [ANSWERS, SCORES])
def test_a_book_begins_anew_if_the_ledger_was_changed_behind_its_back(ledger, tmp_path, name):
    store, book = make_store(tmp_path / "store"), Book(ledger.folder)
    answers = [record(ledger, hour(T0 + 60 * k)).id for k in range(3)]
    assert settle(ledger.folder, store, END + 210, book=book, keep_paths=True).num_settled == 3
    path = ledger.folder / name
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:1]))
    done = settle(ledger.folder, store, END + 210, book=book, keep_paths=True)
    assert done.num_settled == (2 if name == SCORES else 0)
    assert (len(book.waiting), sorted(book.scores["answer"])) == (0, sorted(answers))


@pytest.mark.parametrize(
    ("name", "value"), [("num_missing", "x"), ("bundle", 7), ("price_age", None), ("start_time", 10**30), ("asset", [])]
)
def test_a_score_with_a_foreign_value_is_left_out_and_told(ledger, tmp_path, name, value):
    record(ledger, hour())
    settle(ledger.folder, make_store(tmp_path / "store"), END + 90, keep_paths=True)
    (event,) = read_lines(ledger.folder / SCORES).events
    with LineWriter(ledger.folder / SCORES) as lines:
        lines.append({**event, "answer": "foreign", name: value})
    book = Book(ledger.folder)
    book.follow()
    assert len(book.scores) == 1
    assert "1 of the lines" in book.problems[0]


def test_only_the_newest_scores_keep_their_histograms_in_memory(ledger, tmp_path):
    for start in (T0, T0 + DAY):
        record(ledger, hour(start))
    settle(ledger.folder, make_store(tmp_path / "store"), T0 + 2 * DAY)
    with LineWriter(ledger.folder / SCORES) as lines:
        (first, second) = read_lines(ledger.folder / SCORES).events
        lines.append({**second, "answer": "later", "start_time": T0 + 4 * DAY + 60})
    scores = read(ledger.folder)
    assert [pit is not None for pit in scores["pit"]] == [False, True, True]
    assert first["pit"], "in the file it stays"
    assert calibrations(scores, T0 + 5 * DAY)


@pytest.mark.parametrize("line", ['{"total":1}', '{"total":"x"}', "[1]", "nonsense", "", "[" * 200_000])
def test_foreign_scores_are_told_and_cost_nothing(ledger, tmp_path, caplog, line):
    store = make_store(tmp_path / "store")
    record(ledger, hour())
    settle(ledger.folder, store, END + 90, keep_paths=True)
    good = (ledger.folder / SCORES).read_text()
    (ledger.folder / SCORES).write_text(f"{line}\n{good}")
    append_line(ledger.folder / SCORES, {**read_lines(ledger.folder / SCORES).events[-1], "time_length": None})
    record(ledger, hour(T0 + 60))
    settlement = settle(ledger.folder, store, END + 150)
    assert settlement.num_settled == 1
    told = " ".join(settlement.problems)
    assert "foreign and left out; the first is no score" in told
    assert ("2 of the lines" in told) != ("is damaged and left out" in told)
    assert len(read(ledger.folder)) == 2
    assert [r.message for r in caplog.records] == list(settlement.problems)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("price_age", float("nan")),
        ("price_age", "x"),
        ("fallback", 7),
        ("sent", None),
        ("bundle", 7),
        ("start_time", "x"),
        ("start_time", 10**30),
        ("num_simulations", None),
    ],
)
def test_an_answer_with_a_foreign_value_is_left_out_and_told(ledger, tmp_path, name, value):
    kept = record(ledger, hour())
    (event,) = read_lines(ledger.folder / ANSWERS).events
    foreign = {**event, "id": "foreign"}
    (foreign["prompt"] if name in event["prompt"] else foreign)[name] = value
    with (ledger.folder / ANSWERS).open("a") as file:
        file.write(json.dumps(foreign) + "\n")
    settlement = settle(ledger.folder, make_store(tmp_path / "store"), END + 90)
    assert (settlement.num_settled, settlement.num_pending) == (1, 0)
    assert "1 of the lines" in settlement.problems[0]
    assert read(ledger.folder)["answer"].tolist() == [kept.id]


def test_paths_that_cannot_be_deleted_are_told_and_settled(ledger, tmp_path, monkeypatch):
    answers = [record(ledger, hour()), record(ledger, hour(T0 + 60))]

    def refuse(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refuse)
    settlement = settle(ledger.folder, make_store(tmp_path / "store"), END + 150)
    assert (settlement.num_settled, settlement.num_pending) == (2, 0)
    told = [f"cannot delete {ledger.folder / one.paths} (Permission denied); it is settled" for one in answers]
    assert list(settlement.problems) == told
