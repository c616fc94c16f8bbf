"""What of a process and its children can be reached from outside, tried at this machine's own addresses. Linux."""

from __future__ import annotations

import contextlib
import os
import re
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

_LISTEN = "0A"
_TIMEOUT_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True, order=True)
class Listener:
    """A TCP port that somebody listens at, and the name of the program."""

    port: int
    program: str
    address: str


def descendants(pid: int) -> set[int]:
    """Return the ids of a process and all that it has started, directly or not, and that live."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(entry.name))
    found, waiting = set[int](), [pid]
    while waiting:
        one = waiting.pop()
        found.add(one)
        waiting += children.get(one, [])
    return found


def listeners(pids: set[int]) -> list[Listener]:
    """Return where these processes listen; those of other users show it to root alone."""
    sockets = {}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                local, state, inode = (line.split()[place] for place in (1, 3, 9))
                if state == _LISTEN:
                    sockets[inode] = local
    found = set()
    for pid in pids:
        with contextlib.suppress(OSError):
            program = Path(f"/proc/{pid}/comm").read_text().strip()
            for handle in Path(f"/proc/{pid}/fd").iterdir():
                with contextlib.suppress(OSError):
                    match = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(handle))
                    if match and match[1] in sockets:
                        address, _, port = sockets[match[1]].partition(":")
                        found.add(Listener(port=int(port, 16), program=program, address=str(_address(address))))
    return sorted(found)


def _address(text: str) -> IPv4Address | IPv6Address:
    """From the kernel's hexadecimal words, each in the order of this machine's bytes."""
    words = [bytes.fromhex(text[k : k + 8])[::-1] for k in range(0, len(text), 8)]
    found = ip_address(b"".join(words))
    return (isinstance(found, IPv6Address) and found.ipv4_mapped) or found


def outer_addresses() -> list[str]:
    """Return this machine's addresses that others may know: all but those of the loopback."""
    found, last = set[str](), ""
    with contextlib.suppress(OSError):
        for line in Path("/proc/net/fib_trie").read_text().splitlines():
            if "/32 host LOCAL" in line:
                found.add(last)
            last = line.rpartition(" ")[2]
    with contextlib.suppress(OSError):
        for line in Path("/proc/net/if_inet6").read_text().splitlines():
            digits, *_, interface = line.split()
            address = ip_address(bytes.fromhex(digits))
            found.add(f"{address}%{interface}" if address.is_link_local else str(address))
    return sorted(address for address in found if address and not ip_address(address).is_loopback)


def reachable(address: str, port: int) -> bool:
    """Whether a connection to an address of this machine is accepted."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as one:
        one.settimeout(_TIMEOUT_SECONDS)
        try:
            one.connect(socket.getaddrinfo(address, port, family)[0][4])
        except OSError:
            return False
    return True
