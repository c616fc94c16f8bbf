"""The author: before the first trial, a language model may write new components for this run.

Off unless ``search.author`` says how many. Each is one agent's work with two tools: it may read what is packaged, and
have a file tried (``nets.authored``). What is admitted is registered for this run, kept in the run folder, and tried
as one of the first candidates; what is refused is kept too, as text. Without a model the search goes on and says so.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from synthcity.agents.client import LLMClient
from synthcity.agents.loop import AgentResult, LoopConfig, run_agent
from synthcity.agents.prompts import render
from synthcity.agents.prompts.components import describe_components
from synthcity.agents.tools import ToolRegistry
from synthcity.authored.locked.isolation import check_isolation
from synthcity.authored.locked.lock import NotIsolated
from synthcity.errors import ConfigError, RunError
from synthcity.files import atomic_write
from synthcity.nets import registry
from synthcity.nets.authored.code import AuthoredCode, digest, register
from synthcity.nets.authored.examples import BLOCK, HEAD
from synthcity.nets.authored.sandbox import Sandbox, SandboxVerdict
from synthcity.nets.authored.static import Refused
from synthcity.nets.authored.words import MODULES, NAMES
from synthcity.search.candidates.candidate import Config
from synthcity.search.journal.events import Authored, AuthorEnded, Event
from synthcity.search.journal.recorder import Recorder

FOLDER = "authored"
TASK = "Write one block or head that is unlike those listed, have it tried, and mend what is found."
MAX_TRIES = 6  # files that one work may have tried
_LOOP = LoopConfig(turns=16, seconds=3_600.0)
TOOLS = ToolRegistry()


def check_author(count: int) -> None:
    """Refuse a search that wants components written where nothing can hold them.

    Raises:
        NotIsolated: no process can be locked here; the text says why.
    """
    if count:
        try:
            check_isolation()
        except NotIsolated as error:
            raise NotIsolated(f"search.author is {count}, but {error}; or set search.author to 0") from error


def restore(events: Iterable[Event], folder: Path) -> None:
    """Register what a run had admitted, by its events and the files in its folder.

    Raises:
        RunError: a file is gone or differs from what was admitted.
    """
    for event in events:
        if event["kind"] != "authored":
            continue
        path = folder / event["file"]
        try:
            source = path.read_bytes().decode("utf-8")
            if digest(source) != event["sha256"]:
                raise RunError(f"{path} differs from what was admitted; it is damaged or was edited")
            register(AuthoredCode.of(source))
        except (OSError, UnicodeDecodeError) as error:
            raise RunError(f"{path}, which this run admitted, cannot be read: {error}") from error
        except (ConfigError, Refused) as error:
            raise RunError(f"{path}, which this run admitted, cannot be used: {error}") from error


def write_components(
    recorder: Recorder,
    folder: Path,
    count: int,
    *,
    open_client: Callable[[], AbstractContextManager[LLMClient]],
    task: str,
    admission: Sandbox | None = None,
) -> None:
    """Let a model write up to ``count`` components, as far as the journal does not know of their works as ended.

    Args:
        recorder: of the run.
        folder: of the run.
        count: works, each of which ends with one component or none.
        open_client: opens the language model; called only if there is something to write.
        task: what is forecast and how it is judged.
        admission: the way in.
    """
    first = len(recorder.all(AuthorEnded))
    if first >= count:
        return
    recorder.emit("stage", name="author", message="a language model writes components for this run")
    with open_client() as client:
        for number in range(first, count):
            found = client.availability
            if not found.ready:
                recorder.emit("author_ended", work=number, status="unavailable", reason=str(found), admitted=None)
                continue
            work = Work(emit=recorder.emit, folder=folder, admission=admission or Sandbox())
            result = _ask(client, work, number, task)
            recorder.emit(
                "author_ended",
                work=number,
                status=result.status,
                reason=result.reason,
                admitted=work.admitted,
                turns=result.turns,
                usd=result.spend.usd,
            )


def candidates(recorder: Recorder) -> list[tuple[str, Config]]:
    """Return the first candidate of each admitted component, with its name: alone, all options at their defaults."""
    found: list[tuple[str, Config]] = []
    for event in recorder.all(Authored):
        part = {"name": event["name"]}
        whole = {"blocks": [part]} if event["component"] == "block" else {"blocks": [], "head": part}
        found.append((f"{event['component']} {event['name']}", whole))
    return found


@dataclass
class Work:
    """One component on its way: what a tool of the author may know and do; ``emit`` records it."""

    emit: Callable[..., None]
    folder: Path
    admission: Sandbox
    tries: int = 0
    admitted: str | None = None
    seen: set[str] = field(default_factory=set)

    def attempt(self, source: str) -> str:
        """Judge a file, keep it, and say what came of it."""
        if self.admitted:
            return f"{self.admitted} is admitted already, and one component is the work: call finish"
        if self.tries >= MAX_TRIES:
            return f"refused: {MAX_TRIES} files were tried, which is all there is; call finish"
        if digest(source) in self.seen:
            return "refused: this very text was tried before"
        self.seen.add(digest(source))
        self.tries += 1
        verdict = self.admission.judge(source)
        if not verdict.admitted or verdict.code is None:
            name = f"refused-{verdict.sha256[:12]}.txt"
            self._keep(name, source)
            self.emit("author_refused", file=f"{FOLDER}/{name}", **verdict.to_dict())
            left = MAX_TRIES - self.tries
            return f"refused ({verdict.stage}); {left} tries are left:\n{verdict.reason}"
        return self._admit(verdict, verdict.code)

    def _admit(self, verdict: SandboxVerdict, code: AuthoredCode) -> str:
        name = f"{code.name}.py"
        self._keep(name, code.source)
        register(code)
        self.emit("authored", file=f"{FOLDER}/{name}", **verdict.to_dict())
        self.admitted = code.name
        return f"admitted: {code.kind} {code.name} is registered for this run; call finish"

    def _keep(self, name: str, source: str) -> None:
        path = self.folder / FOLDER / name
        try:
            atomic_write(path, source.encode("utf-8", errors="replace"))
        except OSError as error:
            raise RunError(f"cannot write {path}: {error.strerror or error}") from error


@TOOLS.tool("author")
def read_component(kind: str, name: str) -> str:
    """Read the source file of a packaged component.

    Args:
        kind: block or head.
        name: as in the list of components.
    """
    if kind not in ("block", "head"):
        raise ConfigError(f"kind is {kind!r}; it must be block or head")
    entry = registry.component(kind, name)
    return entry.code["source"] if entry.code else inspect.getsource(inspect.getmodule(entry.cls) or entry.cls)


@TOOLS.tool("author")
def try_component(context: Work, source: str) -> str:
    """Have a whole file read and tried in the sandbox; says what is wrong with it, or that it is admitted.

    Args:
        source: the text of the file.
    """
    return context.attempt(source)


def _ask(client: LLMClient, work: Work, number: int, task: str) -> AgentResult:
    prompt = render("author", values())
    return run_agent(
        client,
        TOOLS.build_toolset("author", work),
        system=prompt.text,
        task=f"{task}\n{TASK}",
        account=f"author-{number}",
        purpose="author",
        config=_LOOP,
        prompt_version=prompt.version,
    )


def values() -> dict[str, str]:
    """Return the text of each place of the author's prompt."""
    return {
        "contract": contract(),
        "components": describe_components(registry.describe()),
        "examples": f"A block:\n\n```python\n{BLOCK}```\n\nA head:\n\n```python\n{HEAD}```",
    }


def contract() -> str:
    """Return what an authored file must keep, as text for a model; the lists are those that it is read against."""
    listed = [f"- {module}: {' '.join(sorted(names))}" for module, names in _taken().items()]
    return "\n".join(
        [
            "A block maps (batch, seq, d_model) to the same shape at any length. A head maps the latent sequence "
            "(batch, seq, d_model) and the known future (batch, horizon, f) to a Law: log returns of paths in units of "
            "the volatility anchor, with a spread of about one before training.",
            "The class is registered with register_block(name, causal=..., needs_seq_len=...) or register_head(name), "
            "has a docstring, a nested frozen Config dataclass whose fields are made by integer, real, choice or "
            "boolean, and __init__(self, context: BuildContext, config: Config).",
            "A function stated_property(component, noise) with a docstring says in code what the mechanism is for. A "
            "block gets itself, built, and noise (2, 64, 16); a head gets its law and that law's noise of 200 paths. "
            "It returns True for the component under every seed, and False for common packaged ones.",
            "Only these names may be imported, as modules or one by one:",
            *listed,
            "Not allowed: while, try, match, del, yield, global, names and attributes that begin with an underscore "
            "(super().__init__ apart), attributes that are set on anything but self or that torch has under the same "
            "name, code at the top of the file, sets, randomness, and tensors of uninitialised memory.",
            "Nothing may be kept from one call to the next: attributes are set in __init__ alone and hold numbers, "
            "texts, tuples, modules, parameters or buffers; constants and defaults are numbers, texts or tuples. A "
            "stated property is one of behaviour: no isinstance, no class of the file.",
        ]
    )


def _taken() -> Mapping[str, frozenset[str]]:
    return {**MODULES, **NAMES}
