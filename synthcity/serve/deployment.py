"""The service on Ray Serve: replicas behind HAProxy, bounded in queues and time, replaced when they fall ill."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from synthcity.cluster import cluster, environment
from synthcity.errors import Fatal
from synthcity.schema import check as check_keys
from synthcity.schema import key
from synthcity.serve.answering.tally import Status, together
from synthcity.serve.build import ServeConfig, check, running
from synthcity.serve.preflight import check_ports

APPLICATION = "synthcity"
_LOGS = {"enable_access_log": False, "log_level": "WARNING"}
REQUEST_SECONDS = 130.0
"""Longer than any deadline of the network; what still runs then is cut off."""

# What a killed replica leaves unanswered goes to another one, which may take up its nonce (``nonces``). HAProxy can do
# so only with requests that it has whole, and Ray has no setting for that: two more lines follow on the one it has.
_RETRY = "conn-failure empty-response\n    option http-buffer-request\n    timeout http-request 10s"


def _address(value: object) -> str:
    try:
        return str(ip_address(value if isinstance(value, str) else ""))
    except ValueError:
        raise ValueError("an address to listen at such as 127.0.0.1 or 0.0.0.0") from None


@dataclass(frozen=True, kw_only=True)
class ClusterConfig:
    """Attributes:
    host: address that the ingress listens at.
    port: and its port.
    replicas: processes that answer; each keeps its own model and prices.
    cpus: of a replica, as Ray counts them.
    """

    host: str = key("127.0.0.1", parse=_address)
    port: int = key(8091, low=1, high=65535)
    replicas: int = key(1, low=1, high=64)
    cpus: float = key(1.0, low=0.0, high=1024.0)

    def __post_init__(self) -> None:
        check_keys(self, "cluster.")


class Deployed:
    """What is being served now."""

    def __init__(self, config: ServeConfig, where: ClusterConfig) -> None:
        self.config = config
        self._where = where
        self._seen: dict[int, Status] = {}

    def status(self) -> Status:
        """Ask a replica how it stands, and add what others said before.

        Raises:
            Fatal: none answers.
        """
        from ray import serve
        from ray.exceptions import RayError

        try:
            handle = serve.get_app_handle(APPLICATION)
            found: Status = handle.status.remote().result(timeout_s=10.0)
        except (RayError, RuntimeError, TimeoutError) as error:
            raise Fatal(f"no replica tells how it stands: {type(error).__name__} {error}") from error
        self._seen[found.replica] = found
        return together(list(self._seen.values()))

    def roll_out(self, config: ServeConfig) -> None:
        """Serve something else: the old replicas answer until the new ones do, and go on if those do not start.

        Raises:
            SynthcityError: the new bundle is unusable, or its replicas do not start; the old one is served.
        """
        check(config)
        try:
            self.run(config)
        except Fatal as error:
            self.run(self.config)
            raise Fatal(f"{error}; {self.config.model} is served again") from error
        self.config, self._seen = config, {}

    def run(self, config: ServeConfig) -> None:
        """Bring up the replicas of ``config``.

        Raises:
            Fatal: they do not start.
        """
        from ray import serve
        from ray.exceptions import RayError

        try:
            serve.run(_application(config, self._where), name=APPLICATION, route_prefix="/")
        except (RuntimeError, RayError) as error:
            raise Fatal(f"the replicas did not start: {error}") from error


@contextlib.contextmanager
def serving(config: ServeConfig, where: ClusterConfig) -> Iterator[Deployed]:
    """Deploy, and take everything down at the end of the block.

    Raises:
        SynthcityError: the bundle, the store or the folder for the state is unusable, or a port is taken.
        Fatal: Ray or the replicas do not start.
    """
    check(config)
    check_ports(where.host, where.port)
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="synthcity-ha-"))
        stack.enter_context(environment(_ingress(Path(folder))))
        stack.enter_context(cluster(where.replicas + 1))
        from ray import serve
        from ray.exceptions import RayError

        options = {"host": where.host, "port": where.port, "request_timeout_s": REQUEST_SECONDS}
        stack.callback(serve.shutdown)
        try:
            serve.start(http_options=options, logging_config=_LOGS)
        except (RuntimeError, RayError) as error:
            raise Fatal(f"Ray Serve did not start: {error}") from error
        deployed = Deployed(config, where)
        deployed.run(config)
        yield deployed


def _ingress(folder: Path) -> dict[str, str | None]:
    """Settings that Ray reads on import: HAProxy, its files in a folder of its own, short roll-outs, no niceness."""
    settings = {
        "RAY_SERVE_ENABLE_HA_PROXY": "1",
        "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": str(folder / "haproxy.cfg"),
        "RAY_SERVE_HAPROXY_SOCKET_PATH": str(folder / "admin.sock"),
        "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": str(folder),
        "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": str(folder / "server-state"),
        "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": str(folder / "metrics.sock"),
        "RAY_SERVE_HAPROXY_RETRY_ON": _RETRY,
        "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "3",
        "RAY_worker_niceness": "0",  # Ray's own 15 is for work that can wait
        "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "60",  # at 5 s a busy machine kills its ingress while it starts
    }
    return {name: os.environ.get(name, value) for name, value in settings.items()}


def _application(config: ServeConfig, where: ClusterConfig) -> Any:
    from ray import serve

    def app() -> Any:
        return running(config).app

    @serve.deployment(
        name="forecaster",
        num_replicas=where.replicas,
        ray_actor_options={"num_cpus": where.cpus},
        max_ongoing_requests=2 * config.max_in_flight,  # the service itself refuses first, and says why
        max_queued_requests=2 * config.max_in_flight,
        health_check_period_s=5.0,
        health_check_timeout_s=30.0,
        graceful_shutdown_timeout_s=30.0,
        logging_config=_LOGS,
        max_surge_percent=100,  # a new replica answers before the old one goes
    )
    @serve.ingress(app)
    class Replica:
        def check_health(self) -> None:
            engine = running(config).service.engine
            problem = engine.problem or engine.prices.problem
            if problem:
                raise RuntimeError(problem)

        def status(self) -> Status:
            return running(config).service.status()

    return Replica.bind()  # type: ignore[attr-defined]
