"""What of HAProxy is public, and who may have how much of it: Ray's configuration, rewritten before each start.

Ray 2.60 shows HAProxy's statistics on every address, lets connections idle for an hour and anyone hold all of them,
and tells its routes to whoever asks. It has no settings for that, but one for the program that it starts in HAProxy's
place: ``launch``, which rewrites the file and becomes HAProxy.
"""

from __future__ import annotations

import contextlib
import json
import re
import resource
import secrets
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

HEADER_SECONDS, IDLE_SECONDS = 5, 2
SLOW_READER_SECONDS = 150
BUSY = 1000
"""Requests a second in all above which one source may have so many a second over ten seconds; the network sends a
handful a minute."""
_MARK = "# narrowed by synthcity"
_MOST_CONNECTIONS, _OTHER_FILES, _PIPES = 20_000, 1_000, 100


@dataclass(frozen=True, kw_only=True)
class Front:
    """Where HAProxy listens, and its shares.

    Attributes:
        host, port: of the public door.
        inside: this service's own address of the loopback: replicas, Ray's other proxy and statistics listen there, so
            that two services of one machine never meet.
        most_connections: that HAProxy holds at a time.
        share: connections of one source (an IPv4 address, an IPv6 /64) while more than half of them are taken.
    """

    host: str
    port: int
    inside: str
    most_connections: int
    share: int

    def write(self, path: Path) -> None:
        """Write it for ``launch``."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Front:
        """Read what ``write`` wrote."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))


def own_address() -> str:
    """Return an address of the loopback that no other service has: one of four million, drawn by chance."""
    number = secrets.randbelow(1 << 22)
    address = f"127.{64 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"
    with contextlib.suppress(OSError), socket.create_server((address, 0)):
        return address
    return "127.0.0.1"  # a system that knows one loopback address alone


def most_connections() -> int:
    """Return how many connections the limit of open files allows HAProxy, which takes two files for each."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        return _MOST_CONNECTIONS
    return max(100, min(_MOST_CONNECTIONS, (hard - _OTHER_FILES) // 2))


def narrow(text: str, front: Front) -> str:
    """Return Ray's configuration of HAProxy with the public door narrowed and everything else inside.

    Raises:
        ValueError: it is not the configuration that Ray 2.60 writes; names the line that is missing.
    """
    if text.startswith(_MARK):
        return text
    public = f"[{front.host}]" if ":" in front.host else front.host
    changes = [
        # by default HAProxy keeps files for pipes, half as many as there may be connections
        ("maxconn", r"(^ *)(maxconn \d+)$", rf"\g<1>\g<2>\n\g<1>maxpipes {_PIPES}"),
        ("stats socket", r"(^ *stats socket \S+ mode )666", r"\g<1>600"),
        ("the bind of the metrics", r"(^frontend prometheus\n +bind )\S*:(\d+)$", rf"\g<1>{front.inside}:\g<2>"),
        ("the bind of the statistics", r"(^listen stats\n +bind )\S*:(\d+)$", rf"\g<1>{front.inside}:\g<2>"),
        ("the public bind", r"(^frontend http_frontend\n +bind )\S+$", rf"\g<1>{public}:{front.port}\n{_rules(front)}"),
    ]
    for what, pattern, replacement in changes:
        text, count = re.subn(pattern, replacement, text, flags=re.MULTILINE)
        if count != 1:
            raise ValueError(f"{what} stands {count} times in HAProxy's configuration; use ray 2.60")
    text = re.sub(r"(^ +server \S+ )127\.0\.0\.1:", rf"\g<1>{front.inside}:", text, flags=re.MULTILINE)
    return f"{_MARK}\n{text}"


def _rules(front: Front) -> str:
    """What the public door demands: whole requests soon, a fair share, and no questions for Ray's own routes."""
    scarce = front.most_connections // 2
    rules = [
        f"timeout http-request {HEADER_SECONDS}s",  # headers and body
        f"timeout http-keep-alive {IDLE_SECONDS}s",
        f"timeout client {SLOW_READER_SECONDS}s",
        "option http-buffer-request",  # only what is whole can be given to another replica
        "stick-table type ipv6 size 200k expire 1m store conn_cur,http_req_rate(10s)",
        "tcp-request connection track-sc0 src,ipmask(32,64)",
        f"tcp-request connection reject if {{ fe_conn gt {scarce} }} {{ sc0_conn_cur gt {front.share} }}",
        f"http-request deny deny_status 429 if {{ fe_req_rate gt {BUSY} }} {{ sc0_http_req_rate gt {10 * BUSY} }}",
        "http-request deny deny_status 404 if { path,url_dec -m beg -i /-/ }",
    ]
    return "\n".join(f"    {rule}" for rule in rules)
