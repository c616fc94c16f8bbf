"""A stand-in for Hippius: moto's S3 under Hippius's own rules, as a server in a process of its own.

``python -m tests.standins.hippius`` prints its port and serves until its standard input ends. Always:

* keys that do not begin with ``hip_`` are refused (403), as are odd characters in the names of objects (400);
* a bucket that is there is a conflict (409 ``BucketAlreadyExists``), one's own too;
* a page has at most ``page`` keys, whatever is asked for; conditions of writes are ignored.

``POST /-/script`` sets what goes wrong: a list of ``{"do": FAULT, "method": ..., "count": ...}``, each of which befalls
the next ``count`` (1) requests of ``method`` (any) that it can befall, in order; ``GET /-/seen`` tells what was asked.
"""

from __future__ import annotations

import functools
import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl, urlencode
from urllib.request import ProxyHandler, Request, build_opener

BUCKET = "synth-city"
KEY, SECRET = "hip_0123456789abcdef01234567", "a-secret-of-the-stand-in"
WRITES = ("PUT", "POST", "DELETE")
ERRORS = {
    "credit": (402, "InsufficientAccountCredit"),
    "slow": (503, "SlowDown"),
    "broken": (500, "InternalError"),
    "forbidden": (403, "AccessDenied"),
    "signature": (403, "SignatureDoesNotMatch"),
}
FAULTS = (*ERRORS, "cut_put", "cut_get", "absent", "drop", "hang")
_ODD = re.compile(r'[\\{}^%`\[\]"<>~#|\x00-\x1f\x7f]')
_CREATE = (
    b"<CreateBucketConfiguration><LocationConstraint>decentralized</LocationConstraint></CreateBucketConfiguration>"
)
_TIME = "%Y-%m-%dT%H:%M:%S.000Z"
_BEGUN = b"2010-11-10T20:48:33.000Z"  # when moto says that every multipart upload began
Environ = dict[str, Any]
Start = Callable[..., Any]
App = Callable[[Environ, Start], Iterable[bytes]]


class Hippius:
    """The rules and faults around a WSGI application that speaks S3."""

    def __init__(self, inner: App) -> None:
        self._inner = inner
        self._lock = threading.Lock()
        self._buckets: set[str] = set()
        self._absent: dict[str, float] = {}
        self._scripted = threading.Event()  # ends what hangs
        self.script: list[dict[str, Any]] = []
        self.page, self.absent_seconds = 1000, 5.0
        self.upload_age_seconds = 0.0
        self.canaries: list[str] = []
        self.seen: list[list[Any]] = []
        self.told: list[str] = []

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length) if length else b""
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        if path.startswith("/-/"):
            return self._steer(path, body, start)
        with self._lock:
            self.seen.append([method, path, environ.get("QUERY_STRING", "")])
            raw = json.dumps([str(value) for value in environ.values()]).encode() + body
            self.told += [canary for canary in self.canaries if canary.encode() in raw]
            fault = self._fault(method, path, environ)
        bucket, _, key = path.lstrip("/").partition("/")
        if "Credential=hip_" not in environ.get("HTTP_AUTHORIZATION", ""):
            return _error(start, 403, "InvalidAccessKeyId")
        if _ODD.search(key):
            return _error(start, 400, "InvalidArgument")
        if fault in ERRORS:
            return _error(start, *ERRORS[fault])
        if fault == "hang":
            self._scripted.wait()
        if fault in ("drop", "hang"):
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            raise ConnectionError("dropped")
        if method == "PUT" and not key:
            if bucket in self._buckets:
                return _error(start, 409, "BucketAlreadyExists")
            self._buckets.add(bucket)
            body = _CREATE
        if method == "PUT":
            environ.pop("HTTP_IF_NONE_MATCH", None)
            environ.pop("HTTP_IF_MATCH", None)
        if fault == "cut_put":
            body = body[: len(body) // 2]
        if fault == "absent":
            self._absent[path] = time.monotonic() + self.absent_seconds
        if method in ("GET", "HEAD") and self._absent.get(path, 0.0) > time.monotonic():
            return _error(start, 404, "NoSuchKey")
        query = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
        if "list-type" in query:
            query["max-keys"] = str(min(int(query.get("max-keys", 1000)), self.page))
            environ["QUERY_STRING"] = urlencode(query)
        environ["wsgi.input"], environ["CONTENT_LENGTH"] = BytesIO(body), str(len(body))
        if fault == "cut_get":
            return [b"".join(self._inner(environ, start))[:-1]]
        if method == "GET" and not key and "uploads" in query:
            begun = datetime.now(UTC) - timedelta(seconds=self.upload_age_seconds)
            return [b"".join(self._inner(environ, start)).replace(_BEGUN, begun.strftime(_TIME).encode())]
        return self._inner(environ, start)

    def _fault(self, method: str, path: str, environ: Environ) -> str:
        """Take the next fault of the script if this request is one that it can befall."""
        if not self.script:
            return ""
        entry = self.script[0]
        fits = {
            "credit": method in WRITES,
            "cut_put": method == "PUT" and path.count("/") > 1 and int(environ.get("CONTENT_LENGTH") or 0) > 1,
            "absent": method == "PUT" and path.count("/") > 1,
            "cut_get": method == "GET" and path.count("/") > 1 and len(path.split("/", 2)[2]) > 0,
        }
        if method != entry.get("method", method) or not fits.get(entry["do"], True):
            return ""
        entry["count"] = entry.get("count", 1) - 1
        if entry["count"] <= 0:
            self.script.pop(0)
        return str(entry["do"])

    def _steer(self, path: str, body: bytes, start: Start) -> Iterable[bytes]:
        with self._lock:
            answer: object = {}
            if path == "/-/script":
                told = json.loads(body)
                self.script, self.seen, self.told = told.pop("script", []), [], []
                self._scripted.set()
                self._scripted = threading.Event()
                for name, value in told.items():
                    setattr(self, name, value)
            else:
                answer = {"seen": self.seen, "told": self.told, "left": self.script}
        content = json.dumps(answer).encode()
        start("200 OK", [("Content-Length", str(len(content)))])
        return [content]


def _error(start: Start, status: int, code: str) -> Iterable[bytes]:
    text = f"the key {KEY} asked"  # real servers repeat it
    content = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{text}</Message></Error>".encode()
    start(f"{status} {code}", [("Content-Type", "application/xml"), ("Content-Length", str(len(content)))])
    return [content]


class Running:
    """A stand-in that runs, and how it is steered."""

    def __init__(self, port: int) -> None:
        self.endpoint = f"http://127.0.0.1:{port}"
        self._open = build_opener(ProxyHandler({})).open

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs to use it."""
        return {
            "HIPPIUS_ENDPOINT": self.endpoint,
            "HIPPIUS_ACCESS_KEY": KEY,
            "HIPPIUS_SECRET_KEY": SECRET,
            "HIPPIUS_BUCKET": BUCKET,
        }

    def script(self, *faults: str | dict[str, Any], **settings: object) -> None:
        """Let these faults happen next, and set ``page``, ``absent_seconds`` or ``canaries``; forget what was seen."""
        listed = [{"do": fault} if isinstance(fault, str) else fault for fault in faults]
        data = json.dumps({"script": listed, **settings}).encode()
        with self._open(Request(f"{self.endpoint}/-/script", data)):
            pass

    def state(self) -> dict[str, Any]:
        """Return the requests since ``script``, the canaries found in them, and the faults that are left."""
        with self._open(f"{self.endpoint}/-/seen") as answer:
            found: dict[str, Any] = json.load(answer)
        return found


@functools.cache
def _session() -> Any:
    import boto3

    return boto3.session.Session()


def client(server: Running, key: str = KEY) -> Any:
    """Return boto3's client with the options of a user of Hippius."""
    from botocore.config import Config

    return _session().client(
        "s3",
        endpoint_url=server.endpoint,
        region_name="decentralized",
        aws_access_key_id=key,
        aws_secret_access_key=SECRET,
        config=Config(
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            retries={"max_attempts": 2, "mode": "standard"},
        ),
    )


@contextmanager
def running_hippius() -> Iterator[Running]:
    """Run a stand-in on a free port; it ends with the block, or with this process."""
    command = [sys.executable, "-m", "tests.standins.hippius"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Running(int(process.stdout.readline()))
        finally:
            process.kill()


def serve() -> None:
    """Serve until standard input ends."""
    import logging

    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    app = Hippius(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, app, threaded=True)  # type: ignore[arg-type]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    serve()
