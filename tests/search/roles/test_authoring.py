"""The author, asked through a stand-in that answers as a model would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from synthcity.agents.client import LLMClient
from synthcity.agents.config import LLMConfig
from synthcity.agents.standin.process import RunningStandIn, running_standin
from synthcity.authored.locked.lock import NotIsolated
from synthcity.errors import BundleError, ConfigError, RunError
from synthcity.forecast.bundles.bundle import load
from synthcity.nets import registry
from synthcity.nets.authored.code import AuthoredCode, forget
from synthcity.nets.authored.examples import BLOCK
from synthcity.nets.authored.sandbox import Sandbox, SandboxVerdict
from synthcity.nets.authored.static import Refused, read
from synthcity.search.candidates.space import Space
from synthcity.search.config import BudgetConfig, parse_config
from synthcity.search.finals.finalist import Finalist
from synthcity.search.gate import Gate, GateLimits
from synthcity.search.journal.events import Authored, AuthorEnded, AuthorRefused
from synthcity.search.journal.history import TrialHistory
from synthcity.search.journal.journal import Journal
from synthcity.search.journal.recorder import Recorder
from synthcity.search.proposers import DefaultsProposer
from synthcity.search.roles import authoring as author
from synthcity.settings import Secret, Settings
from tests.search.test_run import ROOT, SWEEP

KEY = f"cpk_{'0a' * 16}.{'1b' * 16}.{'Zz' * 16}"
BAD = BLOCK.replace("        padded = ", "        open('/etc/passwd')\n        padded = ")
CODE = AuthoredCode.of(BLOCK)


def call(name: str, /, **arguments: Any) -> dict[str, Any]:
    return {"tool_calls": [{"name": name, "arguments": arguments}]}


FINISH = call("finish", summary="a gate over an average")


@pytest.fixture(scope="module")
def running() -> Iterator[RunningStandIn]:
    with running_standin() as server:
        yield server


@pytest.fixture
def opened(running: RunningStandIn) -> Callable[[], LLMClient]:
    return lambda: LLMClient(Settings(llm_base_url=running.url, llm_api_key=Secret(KEY)), LLMConfig())


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    with Journal(tmp_path) as journal:
        yield Recorder(journal)
    forget(CODE)


class Reader(Sandbox):
    """Reads as the real one does and takes the rest for granted, which is slow and tested elsewhere."""

    def judge(self, source: str) -> SandboxVerdict:
        try:
            code = AuthoredCode.of(source)
        except Refused:
            return super().judge(source)
        return SandboxVerdict(admitted=True, stage="admitted", sha256=code.sha256, code=code, property="It holds.")


def write(recorder: Recorder, folder: Path, opened: Callable[[], LLMClient], count: int = 1) -> None:
    author.write_components(recorder, folder, count, open_client=opened, task="Forecast.", admission=Reader())


def test_a_component_is_written_mended_and_registered(
    running: RunningStandIn, opened: Callable[[], LLMClient], recorder: Recorder, tmp_path: Path
) -> None:
    look = call("read_component", kind="block", name="gru")
    tries = [call("try_component", source=source) for source in (BAD, BAD, BLOCK, BLOCK)]
    running.script([look, *tries, FINISH])
    write(recorder, tmp_path, opened)
    (refused,), (admitted,) = recorder.all(AuthorRefused), recorder.all(Authored)
    assert (refused["stage"], "the name open is not available" in refused["reason"]) == ("static", True)
    assert (tmp_path / refused["file"]).read_text() == BAD
    assert (tmp_path / admitted["file"]).read_text() == BLOCK
    assert (admitted["component"], admitted["name"], admitted["sha256"]) == ("block", "gated_average", CODE.sha256)
    ended = recorder.last(AuthorEnded)
    assert ended is not None
    assert (ended["status"], ended["admitted"], ended["turns"]) == ("finished", "gated_average", 6)
    said = [m["content"] for m in running.questions()[-1]["messages"] if m["role"] == "tool"]
    assert "class GRUBlock" in said[0]
    assert said[1].startswith("refused (static); 5 tries are left:\nline 36: the name open is not available")
    assert said[2:] == [
        "refused: this very text was tried before",
        "admitted: block gated_average is registered for this run; call finish",
        "gated_average is admitted already, and one component is the work: call finish",
    ]
    history = TrialHistory.replay(recorder.events)
    proposal = DefaultsProposer([], authored=author.candidates(recorder)).propose(1, history, None)[0]  # type: ignore[arg-type]
    gate = Gate(Space.from_registry(2), lambda config: {"parameters": 1}, GateLimits(max_parameters=10))
    candidate = gate.admit(proposal, "defaults", history)
    assert candidate.config["blocks"][0]["name"] == "gated_average"
    assert candidate.rationale == "written by a language model: block gated_average"


def test_tries_are_counted(
    running: RunningStandIn, opened: Callable[[], LLMClient], recorder: Recorder, tmp_path: Path
) -> None:
    bad = [call("try_component", source=f"import os  # {number}") for number in range(author.MAX_TRIES + 1)]
    running.script([*bad, FINISH])
    write(recorder, tmp_path, opened)
    assert len(recorder.all(AuthorRefused)) == author.MAX_TRIES
    ended = recorder.last(AuthorEnded)
    assert ended is not None
    assert ended["admitted"] is None
    assert author.candidates(recorder) == []


def test_a_resumed_run_asks_no_more_and_registers_what_it_had(
    running: RunningStandIn, opened: Callable[[], LLMClient], recorder: Recorder, tmp_path: Path
) -> None:
    running.script([call("try_component", source=BLOCK), FINISH])
    write(recorder, tmp_path, opened)
    forget(CODE)
    running.script([])
    write(recorder, tmp_path, opened)
    assert running.questions() == []
    author.restore(recorder.events, tmp_path)
    assert registry.component("block", "gated_average").code == CODE.to_dict()
    forget(CODE)
    path = tmp_path / "authored" / "gated_average.py"
    path.write_text(BLOCK.replace("sigmoid", "tanh"))
    with pytest.raises(RunError, match="differs from what was admitted"):
        author.restore(recorder.events, tmp_path)
    path.unlink()
    with pytest.raises(RunError, match="cannot be read"):
        author.restore(recorder.events, tmp_path)
    assert "gated_average" not in registry.blocks()


def test_without_a_model_the_search_goes_on_and_says_so(recorder: Recorder, tmp_path: Path) -> None:
    write(recorder, tmp_path, lambda: LLMClient(Settings(), LLMConfig()), count=2)
    ended = recorder.all(AuthorEnded)
    assert [event["status"] for event in ended] == ["unavailable"] * 2
    assert "CHUTES_API_KEY" in ended[0]["reason"]


def test_it_is_off_by_default_and_never_deterministic() -> None:
    assert BudgetConfig().author == 0
    with pytest.raises(ConfigError, match="set author to 0"):
        parse_config({**SWEEP, "search": {"author": 1, "deterministic": True}})


def test_where_nothing_can_be_isolated_the_search_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    def cannot() -> None:
        raise NotIsolated("libseccomp.so.2 is not here; install libseccomp2")

    monkeypatch.setattr(author, "check_isolation", cannot)
    author.check_author(0)
    with pytest.raises(ConfigError, match=r"search.author is 2, but .*install libseccomp2; or set search.author to 0"):
        author.check_author(2)


def test_the_contract_names_all_that_may_be_imported() -> None:
    text = author.contract()
    for word in ("scaled_dot_product_attention", "register_head", "GBMLaw", "torch.fft", "stated_property"):
        assert word in text
    read(BLOCK)


@pytest.mark.slow
def test_from_a_model_to_a_bundle(running: RunningStandIn, tmp_path: Path) -> None:
    """A whole search with a real sandbox and a real Ray: written, admitted, trained, saved, refused, trusted."""
    running.script([call("try_component", source=BAD), call("try_component", source=BLOCK), FINISH])
    sweep = {**SWEEP, "output": str(tmp_path / "runs"), "name": "written"}
    budget = {"author": 1, "trials": 1, "max_steps": 4, "rungs": 1, "workers": 1, "finalists": 1, "final_seeds": 1}
    (tmp_path / "sweep.yaml").write_text(yaml.safe_dump({**sweep, "search": budget}))
    command = [sys.executable, "-c", "from synthcity.cli.main import main; main()", "search", "sweep.yaml"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    environment |= {"PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}
    environment |= {"SYNTHCITY_LLM_BASE_URL": running.url, "SYNTHCITY_LLM_API_KEY": KEY}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    run = tmp_path / "runs" / "written"
    events = [json.loads(line) for line in (run / "journal.jsonl").read_text().splitlines()]
    (admitted,) = [event for event in events if event["kind"] == "authored"]
    assert admitted["isolation"].startswith("seccomp")
    assert sum(event["kind"] == "refit" for event in events) > 0
    history = TrialHistory.replay(events)
    (record,) = history.records
    assert record.status == "completed"
    assert record.candidate.config["blocks"][0]["name"] == "gated_average"
    with Journal(run) as journal:
        author.restore(Recorder(journal).events, run)
    try:
        assert record.checkpoint is not None
        Finalist.from_checkpoint(record, record.checkpoint, str(run / "checkpoints")).save(tmp_path / "bundle")
    finally:
        forget(CODE)
    with pytest.raises(BundleError, match="trust_code=True"):
        load(tmp_path / "bundle")
    try:
        assert load(tmp_path / "bundle", trust_code=True).name.startswith("gated_average>gbm")
    finally:
        forget(CODE)
