"""A stand-in for Basilica's secure cloud, as a server in a process of its own: ``python -m tests.standins.market``.

It prints its port. Its clock is virtual and moves when it is told to (``POST /-/advance``), or is the real one. Rentals
go from provisioning to running to gone; both lists may lag. Faults are set from outside (``POST /-/set``), each a kind
of request it befalls, what it is, and how often; or ``chaos`` draws them, seeded, with a probability each:

* start: 400 402 404 409 429 500; ``500 after``, ``lost``, ``hang after``, ``garbled`` (a machine is there all the
  same), ``late`` (it comes 90 s after the answer was given up), ``dearer`` (than was listed), ``twice``, ``drop``,
  ``hang``, ``never boots``, ``spot lost``, ``dearer later``;
* list: 500 429 ``drop`` ``hang`` ``garbled`` ``missing`` (one row) ``unknown`` (no price) ``part`` (of the rows)
  ``damaged`` (a row that tells nothing) ``empty`` (as of an account that has nothing);
* stop: 500 429 ``drop`` ``hang`` ``lost`` (it ended) ``stays`` (although the answer says that it ended) ``slow``;
* any: ``kill`` and ``kill after``: the process that was named as prey is killed before, or after, it was done.

What was rented is judged all the time, see ``Judge``.
"""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from tests.standins.account import LIST, OFFERS, START, STOP, Account, Judge, Machine

TOKEN = "basilica_" + "canary" * 4
ROOT = "/v2/secure-cloud"
_open = build_opener(ProxyHandler({})).open


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    market: Account

    def log_message(self, *_: object) -> None:
        pass

    def handle(self) -> None:
        with suppress(ConnectionError):
            super().handle()

    def do(self) -> None:
        """Answer."""
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length)
        if len(raw) < length:  # whoever asked was killed in the midst of it
            self._drop()
            return
        parts = urlsplit(self.path)
        path = unquote(parts.path)
        if path.startswith("/-/"):
            with self.market.lock:
                self._send(200, self._steer(path[3:], json.loads(raw or b"null")))
            return
        with self.market.lock:
            self.market.asked.append(f"{self.command} {self.path}")
            self.market.received.append(f"{self.path} {raw.decode('utf-8', 'replace')}")
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._fail(401, "AUTH_ERROR", "no valid token")
            return
        self._answer(path, json.loads(raw or b"null"))

    do_GET = do_POST = do_DELETE = do

    def _answer(self, path: str, body: Any) -> None:
        if match := re.fullmatch(rf"{ROOT}/(cpu-)?rentals/start", path):
            self._start("cpu" if match[1] else "gpu", body)
        elif match := re.fullmatch(rf"{ROOT}/(cpu-)?rentals/(.+)/stop", path):
            self._stop("cpu" if match[1] else "gpu", match[2])
        elif match := re.fullmatch(rf"{ROOT}/(cpu-)?rentals", path):
            self._list("cpu" if match[1] else "gpu")
        elif match := re.fullmatch(rf"{ROOT}/(cpu|gpu)-prices", path):
            self._offers(match[1])
        elif path == "/ssh-keys":
            self._key(body)
        else:
            self._fail(404, "NOT_FOUND", f"no route {path}")

    def _offers(self, kind: str) -> None:
        with self.market.lock:
            fault = self.market.draw(OFFERS, kind)
            nodes = [{**one, "fetched_at": _time(self.market.now())} for one in self.market.offers[kind]]
        if not self._broken(fault, 20):
            nodes = [one for one in nodes if one["availability"]]
            self._send(200, {"nodes": nodes, "count": len(nodes)} if fault != "garbled" else b"<html>")

    def _key(self, body: Any) -> None:
        market = self.market
        if self.command == "POST":
            now = _time(market.now())
            market.key = {"id": "5f0c", "user_id": "auth0|1", **body, "created_at": now, "updated_at": now}
        self._send(200, market.key)

    def _start(self, kind: str, body: dict[str, str]) -> None:
        market, name = self.market, body["name"]
        with market.lock:
            fault = market.draw(START, name)
            offer = next((one for one in market.offers[kind] if one["id"] == body["offering_id"]), None)
            if market.key is None or body["ssh_public_key_id"] != market.key["id"]:
                self._fail(400, "BAD_REQUEST", "Invalid SSH key")
                return
            if offer is None or not offer["availability"]:
                self._fail(404, "NOT_FOUND", "Offering not found")
                return
            if fault == "kill":
                market.kill()
                return
            if fault == "late":
                market.pending.append((market.now() + 90, kind, name, offer, []))
        if self._broken(fault, 60) or (fault == "late" and self._drop()):
            return
        with market.lock:
            machine = market.create(kind, name, offer, [fault])
            if fault == "twice":
                market.create(kind, name, offer, []).is_extra = True
            if fault == "kill after":
                market.kill()
            reply = {
                "name": name, "rental_id": machine.id, "deployment_id": machine.id, "provider": offer["provider"],
                "status": "provisioning", "ip_address": None, "ssh_command": None, "hourly_cost": machine.hourly,
                "is_spot": bool(offer.get("is_spot")),
            }  # fmt: skip
        if fault == "500 after":
            self._fail(500, "INTERNAL", "Failed to deploy instance")
        elif fault in ("lost", "kill after"):
            self._drop()
        elif fault == "hang after":
            self._hang(0)
        else:
            self._send(201, b'{"name": "syn' if fault == "garbled" else reply)

    def _list(self, kind: str) -> None:
        market = self.market
        with market.lock:
            fault = market.draw(LIST, kind)
            if fault in ("kill", "kill after"):
                market.kill()
        if self._broken(fault, 20):
            return
        with market.lock:
            now = market.now()
            found = [one for one in market.machines if one.kind == kind and one.created + one.appear <= now]
            found = [one for one in found if one.ended is None or now < one.ended + one.vanish]
            found = [] if fault == "empty" else found
            total = len(found)
            if fault == "missing" and found:
                found.remove(market.rng.choice(found))
                total -= 1
            if fault == "part" and found:
                found = found[: len(found) // 2]
            rows: list[Any] = [self._row(one, unknown=fault == "unknown") for one in found]
            if fault == "damaged" and rows:
                rows[0] = {"status": None}
            else:
                for one in found:
                    if fault not in ("unknown", "garbled"):
                        market.show(one)
        self._send(200, {"rentals": rows, "total_count": total} if fault != "garbled" else b'{"rentals": nul')

    def _row(self, one: Machine, *, unknown: bool) -> dict[str, Any]:
        now, offer = self.market.now(), one.offer
        runs = one.boots and now - one.created > self.market.boot_seconds
        login = f"ubuntu@203.0.113.{int(one.id[:2], 16)}"
        if self.market.logins is not None:
            runs, login = one.name in self.market.logins, self.market.logins.get(one.name, "")
        address = login.partition("@")[2]
        created = one.extra.get("created_at") or _time(one.created + self.market.skew)
        return {
            "name": one.name, "rental_id": one.id, "provider": offer["provider"], "provider_instance_id": one.id[:6],
            "gpu_type": "unknown" if unknown else offer.get("gpu_type", ""), "instance_type": offer["id"],
            "gpu_count": 0 if unknown else offer.get("gpu_count", 0), "location_code": offer["region"],
            "status": "running" if runs else "provisioning", "ip_address": address if runs else None,
            "hourly_cost": 0.0 if unknown else one.hourly, "created_at": created, "stopped_at": None,
            "ssh_command": f"ssh {login}" if runs else None, "vcpu_count": offer["vcpu_count"],
            "system_memory_gb": offer["system_memory_gb"], "accumulated_cost": f"{self.market.cost(one):.2f}",
            "is_vip": False, "is_spot": bool(offer.get("is_spot")),
        }  # fmt: skip

    def _stop(self, kind: str, id_or_name: str) -> None:
        market = self.market
        with market.lock:
            fault = market.draw(STOP, id_or_name)
            target = next((one for one in market.living() if id_or_name in (one.id, one.name)), None)
            if target is not None and market.chaos and not fault.startswith("kill"):
                # no lessor can end what the market never ends: two faults at most befall the stops of one machine
                weight = {"": 0, "hang": 2, "slow": 2}.get(fault, 1)
                fault = fault if target.spared + weight <= 2 else ""
                target.spared += weight
            if fault == "kill":
                market.kill()
        if self._broken(fault, 20):
            return
        with market.lock:
            match = [one for one in market.living() if one.kind == kind and id_or_name in (one.id, one.name)]
            if not match:
                self._fail(404, "NOT_FOUND", "Rental not found")
                return
            machine = match[0]
            if fault == "slow":
                machine.extra["lost_at"] = market.now() + 30
            elif fault != "stays":
                market.end(machine, market.now())
                market.hold()
            if fault == "kill after":
                market.kill()
            hours = (market.now() - machine.created) / 3600
            cost = market.cost(machine)
        if fault in ("lost", "kill after"):
            self._drop()
            return
        told = {"name": machine.name, "rental_id": machine.id, "status": "stopped"}
        self._send(200, {**told, "duration_hours": hours, "total_cost": cost})

    def _broken(self, fault: str, seconds: float) -> bool:
        """Answer as a fault that comes before anything is done; whether it was one."""
        if fault.isdigit():
            self._fail(int(fault), "FAULT", f"fault {fault}")
        elif fault == "drop":
            self._drop()
        elif fault == "hang":
            self._hang(seconds)
        elif fault == "drip":
            self._drip()
        elif fault == "kill":
            self._drop()
        else:
            return False
        return True

    def _hang(self, seconds: float) -> None:
        """Answer nothing until the other side gives up."""
        with self.market.lock:
            self.market.advance(seconds)
        with suppress(OSError):
            self.connection.settimeout(30)
            self.connection.recv(1)
        self._drop()

    def _drip(self) -> None:
        """Send a long answer a byte at a time."""
        self.send_response_only(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        with suppress(OSError):
            for _ in range(2000):
                self.wfile.write(b" ")
                time.sleep(0.02)

    def _drop(self) -> bool:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(2)
        return True

    def _fail(self, status: int, code: str, message: str) -> None:
        about = {"code": f"BASILICA_API_{code}", "message": message, "timestamp": _time(self.market.now())}
        self._send(
            status, {"error": {**about, "retryable": status >= 500}}, {"Retry-After": "5"} if status == 429 else {}
        )

    def _send(self, status: int, answer: object, extra: Mapping[str, str] = {}) -> None:
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response_only(status)
        self.send_header("Date", formatdate(self.market.now() + self.market.skew, usegmt=True))
        for name, value in {"Content-Type": "application/json", "Content-Length": len(content), **extra}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(content)

    def _steer(self, what: str, body: Any) -> object:
        market = self.market
        if what == "set":
            for name, value in body.items():
                if name == "judge":
                    market.judge = Judge(**value)
                elif name == "seed":
                    market.rng = random.Random(value)
                else:
                    assert hasattr(market, name), name
                    setattr(market, name, value)
        elif what == "reset":
            fresh = Account()
            for name, value in vars(fresh).items():
                if name != "lock":
                    setattr(market, name, value)
        elif what == "advance":
            market.advance(body["seconds"], idle=body.get("idle", False))
        elif what == "take back":
            market.end(next(one for one in market.living() if one.name == body["name"]), market.now())
        elif what == "rent":
            offer = next(one for one in market.offers[body.get("kind", "gpu")] if one["id"] == body["offer"])
            machine = market.create(body.get("kind", "gpu"), body["name"], offer, [])
            machine.created -= body.get("age", 0)
            machine.extra["created_at"] = body.get("created_at")
        return self._state()

    def _spent_by(self) -> dict[str, float]:
        """What each cluster has cost."""
        found: dict[str, float] = {}
        for one in self.market.machines:
            cluster = one.name.partition("-")[2].partition("-")[0]
            found[cluster] = found.get(cluster, 0.0) + self.market.cost(one)
        return found

    def _state(self) -> dict[str, Any]:
        market = self.market
        machines = [{**asdict(one), "cost": market.cost(one)} for one in market.living()]
        return {
            "now": market.now(), "living": machines, "count": len(market.machines), "asked": market.asked[-200:],
            "spent": sum(market.cost(one) for one in market.machines), "judge": asdict(market.judge),
            "spent_by": self._spent_by(), "offers": market.offers,
            "kills": market.kills, "drawn": market.drawn, "pending": len(market.pending), "key": market.key,
        }  # fmt: skip


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


class Running:
    """Handle of a running stand-in."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.environment = {"BASILICA_API_URL": self.url, "BASILICA_API_TOKEN": TOKEN}

    def set(self, **values: object) -> dict[str, Any]:
        """Set parts of the state: ``virtual``, ``faults``, ``chaos``, ``lag``, ``skew``, ``offers``, ``judge``, ..."""
        return self._post("set", values)

    def reset(self) -> None:
        """Begin anew: no rental, no fault, no key."""
        self._post("reset")

    def advance(self, seconds: float, *, idle: bool = False) -> float:
        """Move the virtual clock and return what it shows."""
        return float(self._post("advance", {"seconds": seconds, "idle": idle})["now"])

    def rent(
        self, name: str, offer: str = "cyan-a100-x1", *, kind: str = "gpu", age: float = 0.0, created_at: str = ""
    ) -> None:
        """Have a machine rented by somebody, some seconds ago; ``created_at`` is what the list tells instead."""
        self._post("rent", {"name": name, "offer": offer, "kind": kind, "age": age, "created_at": created_at})

    def take_back(self, name: str) -> None:
        """End a machine, as a market does with spot ones."""
        self._post("take%20back", {"name": name})

    def state(self) -> dict[str, Any]:
        """Tell the state."""
        return self._post("state")

    def names(self) -> list[str]:
        """Tell the names of all machines that live."""
        return sorted(one["name"] for one in self.state()["living"])

    def _post(self, what: str, body: object = None) -> dict[str, Any]:
        with _open(Request(f"{self.url}/-/{what}", json.dumps(body).encode())) as answer:
            found: dict[str, Any] = json.load(answer)
        return found


@contextmanager
def running_market() -> Iterator[Running]:
    """Run a stand-in; it ends with the block, or with this process."""
    command = [sys.executable, "-m", "tests.standins.market"]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Running(int(process.stdout.readline()))
        finally:
            process.kill()


def main() -> None:
    """Serve until the standard input ends."""
    Handler.market = Account()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
