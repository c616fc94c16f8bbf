"""The bridge as a server: its guard, its bounds, and what it says at its start."""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection

import uvicorn

from synthcity.bridge.app import build_app, reading_posts
from synthcity.bridge.connections import Connection
from synthcity.bridge.guard import LOOPBACK, Guard
from synthcity.bridge.place import Place
from synthcity.errors import ConfigError
from synthcity.settings import Secret

MOST_CONNECTIONS = 600
_SHUTDOWN_SECONDS = 5  # in which streams of events end


def guarded(place: Place, key: Secret, *, host: str = "127.0.0.1", allowed: Collection[str] = ()) -> Guard:
    """Return the whole application; ``allowed`` are more names that it may be called by."""
    is_open = is_loopback(host)
    names = [*allowed] if is_open or host in ("0.0.0.0", "::") else [*allowed, bracketed(host)]
    return Guard(build_app(place), key=key, hosts=names, reads_need_key=not is_open, reading_posts=reading_posts())


def serve(
    place: Place, key: Secret, *, host: str, port: int, allowed: Collection[str], tell: Callable[[str], None]
) -> None:
    """Serve until Ctrl-C or SIGTERM; port 0 takes a free one.

    Raises:
        ConfigError: the address cannot be listened at.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise ConfigError(
            f"cannot listen at {host}:{port}: {error.strerror or error}; choose another --port"
        ) from error
    with listener:
        app = guarded(place, key, host=host, allowed=allowed)
        tell(f"bridge at http://{bracketed(host)}:{listener.getsockname()[1]}; Ctrl-C ends it, jobs go on")
        server_of(app).run(sockets=[listener])


def server_of(app: Guard) -> uvicorn.Server:
    """Return the server with its bounds, which does not listen yet."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=Connection,
            ws="none",
            log_level="error",
            access_log=False,
            server_header=False,
            limit_concurrency=MOST_CONNECTIONS,
            timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
        )
    )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    return bracketed(host) in LOOPBACK


def bracketed(host: str) -> str:
    """An address as it stands in a URL."""
    return f"[{host}]" if ":" in host else host
