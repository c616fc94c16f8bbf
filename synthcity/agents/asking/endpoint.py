"""One request to an OpenAI-compatible server, through the ``openai`` package: no retries, one deadline, few errors.

Answers are read whole, not streamed: a stream that breaks after its first chunk ends like a complete one, and its
error line is dropped by the package without a word.
"""

from __future__ import annotations

import importlib.util
import ipaddress
import json
import ssl
import threading
import time
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from synthcity.agents.asking.redact import Redactor
from synthcity.agents.asking.trouble import Trouble, diagnose
from synthcity.agents.config import PatienceConfig
from synthcity.errors import ConfigError, LLMRefused
from synthcity.settings import Secret, is_chutes

if TYPE_CHECKING:
    import httpx2
    import openai

_LONGEST_LIST = 8_000_000  # bytes of a model list
_ENVELOPE, _TOKEN = 64_000, 32  # bytes around an answer, and of a token of it at most
_HEADERS = {"host", "accept", "accept-encoding", "connection", "content-length", "content-type", "user-agent"}
_HEADERS.add("x-stainless-raw-response")  # the package tells itself by it not to parse the answer
_CLOSED = "the connection was closed on our side"
_NEVER_SENT = ("ConnectError", "ConnectTimeout", "PoolTimeout")


class Endpoint:
    """A server's model list and chat completions. Thread-safe; loads ``openai`` when it is first asked."""

    def __init__(self, base_url: str, key: Secret, patience: PatienceConfig, redactor: Redactor) -> None:
        """Open nothing yet; ``redactor`` cleans everything that comes back.

        Raises:
            ConfigError: the address is no URL, or the key cannot be one.
        """
        self.host = _host(base_url)
        value = key.reveal()
        if not value.isascii() or not value.isprintable() or " " in value:
            raise ConfigError("SYNTHCITY_LLM_API_KEY or CHUTES_API_KEY holds a character that no key has; set it again")
        self._base_url, self._key, self._patience, self._redactor = base_url, key, patience, redactor
        self._sdk: openai.OpenAI | None = None
        self._lock = threading.Lock()
        self._closed = False

    @property
    def is_local(self) -> bool:
        """Whether it runs on this machine, where nobody asks for money."""
        try:
            return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback
        except ValueError:  # a name, which may lead anywhere
            return False

    @property
    def problem(self) -> str:
        """What is missing before anything can be asked, with its remedy; empty where nothing is."""
        if not self._key and is_chutes(self._base_url):
            return f"{self.host} needs a key; set CHUTES_API_KEY, or SYNTHCITY_LLM_BASE_URL to a server of your own"
        if importlib.util.find_spec("openai") is None:
            return "the package openai is missing; pip install 'synth-city[llm]'"
        return ""

    def models(self, timeout_seconds: float) -> object:
        """Return the decoded answer to ``GET /models``.

        Raises:
            Trouble: it failed.
            LLMRefused: there is a :attr:`problem`.
        """
        return self._ask(self._open().models.with_streaming_response.list, timeout_seconds, _LONGEST_LIST)[0]

    def complete(self, body: dict[str, object], timeout_seconds: float, max_tokens: int) -> tuple[Any, str]:
        """Return the decoded answer to ``POST /chat/completions`` and the provider's name for the call.

        An answer that is much longer than ``max_tokens`` can be is not read to its end: it would fill the transcript.

        Raises:
            Trouble: it failed.
            LLMRefused: there is a :attr:`problem`.
        """
        create = self._open().chat.completions.with_streaming_response.create
        return self._ask(create, timeout_seconds, _ENVELOPE + _TOKEN * max_tokens, **body)

    def close(self) -> None:
        """Close the connections for good."""
        with self._lock:
            self._closed = True
            if self._sdk is not None:
                self._sdk.close()
                self._sdk = None

    def _open(self) -> openai.OpenAI:
        if self.problem:
            raise LLMRefused(self.problem)
        with self._lock:
            if self._closed:
                raise Trouble(_CLOSED, "wait")
            if self._sdk is None:
                import openai

                # left alone, the package adds headers and another key from OPENAI_* variables, and follows redirects
                hooks = {"request": [self._set_headers]}
                client = openai.DefaultHttpxClient(follow_redirects=False, event_hooks=hooks, verify=_certificates())
                self._sdk = openai.OpenAI(
                    api_key="set by the request hook", base_url=self._base_url, max_retries=0, http_client=client
                )
            return self._sdk

    def _set_headers(self, request: httpx2.Request) -> None:
        for name in list(request.headers):
            if name.lower() not in _HEADERS:
                del request.headers[name]
        if self._key:
            request.headers["Authorization"] = f"Bearer {self._key.reveal()}"

    def _ask(
        self, call: Callable[..., Any], timeout_seconds: float, longest: int, **arguments: object
    ) -> tuple[Any, str]:
        import httpx2
        import openai

        deadline = time.monotonic() + timeout_seconds
        read = min(self._patience.read_seconds, timeout_seconds)
        timeout = httpx2.Timeout(read, connect=min(self._patience.connect_seconds, timeout_seconds))
        try:
            with call(**arguments, timeout=timeout) as response:
                data = json.loads(_read(response, deadline, longest))
                invocation = response.headers.get("x-chutes-invocationid", "")
        except openai.APIStatusError as error:
            trouble = diagnose(error.status_code, self._redactor.data(error.body), error.response.headers)
        except (openai.APIConnectionError, httpx2.HTTPError) as error:
            cause = error.__cause__ if isinstance(error, openai.APIConnectionError) and error.__cause__ else error
            trouble = self._silence(cause, read)
        except (ValueError, RecursionError):
            trouble = Trouble("the server answered with something else than JSON", "switch", maybe_billed=True)
        except RuntimeError:
            trouble = Trouble(_CLOSED, "wait", maybe_billed=True)
        else:
            return self._redactor.data(data), self._redactor.text(invocation)
        if self._closed:  # whatever that has looked like, such as a bad file descriptor
            trouble = Trouble(_CLOSED, "wait", maybe_billed=True)
        raise trouble  # out here it has no context: that would hold the request, and with it the key

    def _silence(self, cause: BaseException, read_seconds: float) -> Trouble:
        name = type(cause).__name__
        billed = name not in _NEVER_SENT
        if "Timeout" in name:
            return Trouble(f"{self.host} is silent for {read_seconds:.3g} s ({name})", "wait", maybe_billed=billed)
        text = self._redactor.text(f"{self.host} cannot be reached ({name}: {cause})")
        return Trouble(text, "wait", maybe_billed=billed)


@cache
def _certificates() -> ssl.SSLContext:
    """Read the certificates once a process: it takes longer than most requests."""
    import httpx2

    return httpx2.create_ssl_context()


def _read(response: Any, deadline: float, longest: int) -> bytes:
    """Read a body that may come in drips, up to the deadline and the longest that it may be."""
    data = bytearray()
    for chunk in response.iter_bytes():
        data += chunk
        if len(data) > longest:
            raise Trouble(f"the answer is longer than {longest:,} bytes", "switch", maybe_billed=True)
        if time.monotonic() > deadline:
            raise Trouble("the answer did not end before the deadline", "wait", maybe_billed=True)
    return bytes(data)


def _host(base_url: str) -> str:
    try:
        parts = urlsplit(base_url)
        host, named = parts.hostname, parts.username or parts.password
    except ValueError:
        host, named = None, None
    if named:
        raise ConfigError("SYNTHCITY_LLM_BASE_URL holds a user or password; set SYNTHCITY_LLM_API_KEY instead")
    if host is None or parts.scheme not in ("http", "https"):
        raise ConfigError(f"SYNTHCITY_LLM_BASE_URL is no http or https URL: {base_url!r}")
    return host
