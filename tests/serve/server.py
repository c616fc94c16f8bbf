"""The application under uvicorn on a free port of the loopback, at the time that it is now."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from tests.waiting import until


@contextmanager
def running_app(app: FastAPI, host: str = "127.0.0.1") -> Iterator[str]:
    """Serve ``app`` from a thread and yield its root."""
    listener = socket.create_server((host, 0), backlog=512)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        until(lambda: server.started)
        yield f"http://{host}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
