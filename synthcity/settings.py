"""Secrets and endpoints: the environment and ``.env`` in, one frozen ``Settings`` out."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from dotenv.parser import parse_stream

from synthcity.errors import ConfigError
from synthcity.textfile import read_text

T = TypeVar("T")
_VENUE_URL = re.compile(r"SYNTHCITY_(\w+)_URL")
CHUTES_URL = "https://llm.chutes.ai/v1"
_CURLY = "“”„‘’‚«»"


class Secret:
    """A value that shows itself only to ``reveal()``: never in a repr, an error text or a pickle.

    A pickle of it holds the names of its variables; where it is unpickled they are read again.
    """

    __slots__ = ("_names", "_value")

    def __init__(self, value: str = "", names: Iterable[str] = ()) -> None:
        """Args: ``names`` are the environment variables that it may come from, the first that is set wins."""
        self._value, self._names = value, tuple(names)

    @classmethod
    def find(cls, values: Mapping[str, str], names: Iterable[str]) -> Secret:
        """Return the first of ``names`` that ``values`` sets to something, else an empty secret.

        Raises:
            ConfigError: it holds a character that no key has; the text does not show it.
        """
        names = tuple(names)
        name = next((name for name in names if values.get(name, "").strip()), "")
        value = values.get(name, "").strip()
        if not value.isascii() or not value.isprintable() or " " in value:
            raise ConfigError(f"{name} holds a blank, a quotation mark or another character that no key has")
        return cls(value, names)

    def reveal(self) -> str:
        """Return the value itself; empty where none was set."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return f"Secret({'set' if self else 'empty'})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce__(self) -> tuple[object, ...]:
        return _find_again, (self._names,)


def _variable(default: T, *names: str, parse: Callable[[str], object]) -> T:
    """Declare a field with its variables (by default ``SYNTHCITY_<FIELD>``) and what reads them (ValueError)."""
    return field(default=default, metadata={"names": names, "parse": parse})


def _secret(*names: str) -> Secret:
    return field(default_factory=Secret, metadata={"names": names})


def _address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("an address such as https://example.com")
    return text.rstrip("/")


def _word(text: str) -> str:
    if not text.isprintable() or any(mark in text for mark in " /\\"):
        raise ValueError("a name without blanks and slashes")
    return text


def _network(text: str) -> str:
    if not re.fullmatch(r"[\w-]+|wss?://\S+", text):
        raise ValueError("finney, test, local, or an endpoint such as ws://127.0.0.1:9944")
    return text


def _netuid(text: str) -> int:
    if not re.fullmatch("[0-9]{1,5}", text) or int(text) > 65535:
        raise ValueError("a whole number from 0 to 65535")
    return int(text)


def _rate(text: str) -> Decimal:
    rate = Decimal(text) if re.fullmatch(r"[0-9]{0,4}\.?[0-9]{1,9}", text) else Decimal(0)
    if not 0 < rate <= 1000:
        raise ValueError("USD an hour, more than 0 and at most 1000, such as 1.50")
    return rate


def _words(text: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    if not found or not all(re.fullmatch(r"[\w .-]+", word) for word in found):
        raise ValueError("names between commas, such as A100,RTX A6000")
    return found


def _bucket(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", text):
        raise ValueError("3 to 63 small letters, digits, dots and hyphens")
    return text


def _repository(text: str) -> str:
    if not re.fullmatch(r"[\w.-]{1,96}/[\w.-]{1,96}", text):
        raise ValueError("owner/name, such as somebody/synth-city")
    return text


def _patience(text: str) -> float:
    if not re.fullmatch("[0-9]{1,5}", text) or int(text) == 0:
        raise ValueError("whole seconds from 1 to 99999")
    return float(text)


def _bot(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", text) or text in (".", ".."):
        raise ValueError("1 to 64 letters, digits, dots, hyphens and underscores")
    return text


def _folder(text: str) -> str:
    return os.path.expanduser(text)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that comes from outside a sweep file.

    Each field is read from its own variable, ``SYNTHCITY_<FIELD>`` where it names none. A variable that is set wins
    over the same line in ``.env``; one that is empty counts as not set. ``CHUTES_API_KEY`` stands in for
    ``SYNTHCITY_LLM_API_KEY`` where ``llm_base_url`` belongs to Chutes, and is sent nowhere else. ``venue_urls`` holds
    every other ``SYNTHCITY_<VENUE>_URL``, by the venue's name in lower case. ``.env.example`` explains them all.
    """

    venue_urls: Mapping[str, str] = field(default_factory=dict, hash=False)
    synth_api_url: str = _variable("https://api.synthdata.co", parse=_address)
    real_data: str = _variable("", parse=_folder)
    llm_base_url: str = _variable(CHUTES_URL, parse=str)  # its client says what is wrong with it
    llm_api_key: Secret = _secret()
    alarm_webhook: Secret = _secret()
    basilica_api_url: str = _variable("https://api.basilica.ai", "BASILICA_API_URL", parse=_address)
    basilica_api_token: Secret = _secret("BASILICA_API_TOKEN")
    basilica_max_hourly_rate: Decimal | None = _variable(None, "BASILICA_MAX_HOURLY_RATE", parse=_rate)
    basilica_allowed_gpu_types: tuple[str, ...] = _variable((), "BASILICA_ALLOWED_GPU_TYPES", parse=_words)
    hippius_endpoint: str = _variable("https://s3.hippius.com", "HIPPIUS_ENDPOINT", parse=_address)
    hippius_access_key: Secret = _secret("HIPPIUS_ACCESS_KEY")
    hippius_secret_key: Secret = _secret("HIPPIUS_SECRET_KEY")
    hippius_bucket: str = _variable("", "HIPPIUS_BUCKET", parse=_bucket)
    hf_token: Secret = _secret("HF_TOKEN")
    hf_repo_id: str = _variable("", "HF_REPO_ID", parse=_repository)
    wandb_api_key: Secret = _secret("WANDB_API_KEY")
    hf_endpoint: str = _variable("https://huggingface.co", "HF_ENDPOINT", parse=_address)
    wandb_project: str = _variable("", "WANDB_PROJECT", parse=_word)
    bridge_api_key: Secret = _secret("BRIDGE_API_KEY")
    bridge_url: str = _variable("http://127.0.0.1:8377", "SYNTH_BRIDGE_URL", parse=_address)
    bridge_timeout: float = _variable(300.0, "SYNTH_BRIDGE_TIMEOUT", parse=_patience)
    bot_id: str = _variable("default", "SYNTH_BOT_ID", parse=_bot)
    bt_wallet_name: str = _variable("default", "BT_WALLET_NAME", parse=_word)
    bt_hotkey_name: str = _variable("default", "BT_HOTKEY_NAME", parse=_word)
    bt_network: str = _variable("finney", "BT_NETWORK", parse=_network)
    bt_netuid: int = _variable(50, "BT_NETUID", parse=_netuid)

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None, dotenv: Path | None = None) -> Settings:
        """Read the environment (default ``os.environ``) over ``dotenv`` (default ``./.env``).

        Raises:
            ConfigError: ``dotenv`` cannot be read, or a variable is wrong; no secret is shown.
        """
        values = _read_environment(environ, dotenv)
        chutes = ("CHUTES_API_KEY",) if is_chutes(values.get("SYNTHCITY_LLM_BASE_URL", CHUTES_URL)) else ()
        found: dict[str, Any] = {"venue_urls": _venue_urls(values)}
        for name, (variable, *_) in cls.variables().items():
            parse = _PARSERS.get(name)
            if parse is None:
                found[name] = Secret.find(values, (variable, *(chutes if name == "llm_api_key" else ())))
            elif variable in values:
                found[name] = _parsed(variable, values[variable], parse)
        return cls(**found)

    @property
    def project(self) -> str:
        """Where runs lie at every tracker."""
        return self.wandb_project or "synth-city"

    @classmethod
    def variables(cls) -> dict[str, tuple[str, ...]]:
        """Return the variables of each field, the one that goes before the others first."""
        own = {entry.name: entry.metadata["names"] for entry in fields(cls) if entry.metadata}
        found = {name: names or (f"SYNTHCITY_{name.upper()}",) for name, names in own.items()}
        return found | {"llm_api_key": (*found["llm_api_key"], "CHUTES_API_KEY")}


_PARSERS = {entry.name: entry.metadata.get("parse") for entry in fields(Settings)}


def is_chutes(url: str) -> bool:
    """Whether ``url`` is served by Chutes, and nobody can listen on the way."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return parts.scheme == "https" and (host == "chutes.ai" or host.endswith(".chutes.ai"))


def _parsed(variable: str, text: str, parse: Callable[[str], T]) -> T:
    try:
        return parse(text)
    except ValueError as error:
        shown = "" if "@" in text else f", got {text!r}"  # an address may hold a password
        raise ConfigError(f"{variable} must be {error}{shown}") from None


def _venue_urls(values: Mapping[str, str]) -> dict[str, str]:
    taken = {name for names in Settings.variables().values() for name in names}
    found = {name: _VENUE_URL.fullmatch(name) for name in sorted(values.keys() - taken)}
    return {match[1].lower(): _parsed(name, values[name], _address) for name, match in found.items() if match}


def _find_again(names: tuple[str, ...]) -> Secret:
    return Secret.find(_read_environment(), names)


def _read_environment(environ: Mapping[str, str] | None = None, dotenv: Path | None = None) -> dict[str, str]:
    values = _read_dotenv(Path(".env") if dotenv is None else dotenv)
    given = {name: value.strip() for name, value in (os.environ if environ is None else environ).items()}
    return {name: value for name, value in (values | {n: v for n, v in given.items() if v}).items() if value}


def _read_dotenv(path: Path) -> dict[str, str]:
    """Read ``NAME=value`` lines; a folder of this name is somebody's virtual environment."""
    if path.is_dir() or not path.exists():
        return {}
    values = {}
    for binding in parse_stream(io.StringIO(read_text(path, "the settings"))):
        if binding.error:
            line = f"line {binding.original.line} of {str(path)!r}"
            raise ConfigError(f"{line} is no NAME=value; mend it, or begin it with #")
        value = (binding.value or "").strip()
        if value[:1] in _CURLY and value:
            raise ConfigError(f"{binding.key} in {str(path)!r} begins with a curly quotation mark; use a straight one")
        if binding.key is not None:
            values[binding.key] = value
    return values
