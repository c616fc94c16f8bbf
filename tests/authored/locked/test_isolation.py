"""The lock alone: what is tried here was read by nobody and has all of Python."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from synthcity.authored.locked.isolation import Ending, run_isolated
from synthcity.authored.locked.lock import NotIsolated, SandboxLimits

LIMITS = SandboxLimits(cpu_seconds=4, wall_seconds=20.0, memory_bytes=256 << 20)

# what is tried -> how it ends: a refusal that Python reports, or the end of the process
ATTEMPTS = {
    "read a file": ("result = open('{secret}').read()", "PermissionError"),
    "read a file by its number": ("import os; result = os.open('{secret}', os.O_RDONLY)", "PermissionError"),
    "swallow the refusal": (
        "try:\n    open('{secret}')\nexcept OSError:\n    result = 1",
        "open('{secret}')",
    ),
    "read the environment of the parent": ("result = open('/proc/%d/environ' % {parent}).read()", "PermissionError"),
    "read its own memory map": ("result = open('/proc/self/maps').read()", "PermissionError"),
    "list a folder": ("import os; result = os.listdir('{folder}')", "PermissionError"),
    "write a file": ("open('{victim}', 'w').write('x')", "PermissionError"),
    "append to a file": ("open('{victim}', 'a').write('x')", "PermissionError"),
    "delete a file": ("import os; os.unlink('{victim}')", "PermissionError"),
    "rename a file": ("import os; os.rename('{victim}', '{victim}2')", "PermissionError"),
    "make a folder": ("import os; os.mkdir('{folder}/new')", "PermissionError"),
    "change a mode": ("import os; os.chmod('{victim}', 0o777)", "PermissionError"),
    "make a link": ("import os; os.symlink('{secret}', '{folder}/link')", "PermissionError"),
    "open a database": ("import sqlite3; sqlite3.connect('{folder}/db').execute('create table t (x)')", "unable"),
    "save a tensor": ("import torch; torch.save(torch.zeros(1), '{folder}/t.pt')", "Error"),
    "map a file": ("import numpy; numpy.memmap('{folder}/m', shape=8, mode='w+')", "PermissionError"),
    "connect": ("import socket; socket.create_connection(('127.0.0.1', {port}))", "forbidden"),
    "connect without the library": (
        "import ctypes; ctypes.CDLL(None).socket(2, 1, 0); result = 1",
        "forbidden",
    ),
    "fetch a page": ("import urllib.request; urllib.request.urlopen('http://127.0.0.1:{port}/')", "forbidden"),
    "make a pair of sockets": ("import socket; socket.socketpair()", "forbidden"),
    "run a program": ("import subprocess; subprocess.run(['touch', '{folder}/new'])", "Error|forbidden"),
    "run a shell": ("import os; os.system('touch {folder}/new')", "forbidden"),
    "become a program": ("import os; os.execv('/bin/touch', ['touch', '{folder}/new'])", "forbidden"),
    "fork": ("import os; os.fork()", "forbidden"),
    "fork for ever": ("import os\nwhile True:\n    os.fork()", "forbidden"),
    "start a thread": ("import threading; threading.Thread(target=print).start()", "forbidden"),
    "fork without the library": ("import ctypes; ctypes.CDLL(None).fork(); result = 1", "forbidden"),
    "kill its parent": ("import os; os.kill({parent}, 9)", "forbidden"),
    "become root": ("import os; os.setuid(0)", "forbidden"),
    "take a namespace": ("import ctypes; ctypes.CDLL(None).unshare(0x10000000); result = 1", "forbidden"),
    "trace its parent": ("import ctypes; ctypes.CDLL(None).ptrace(16, {parent}, 0, 0); result = 1", "forbidden"),
    "read its parent's memory": (
        "import ctypes; ctypes.CDLL(None).process_vm_readv({parent}, 0, 0, 0, 0, 0); result = 1",
        "forbidden",
    ),
    "share memory": (
        "from multiprocessing.shared_memory import SharedMemory; SharedMemory(create=True, size=8)",
        "Error|forbidden",
    ),
    "make a file in memory": ("import os; os.memfd_create('x')", "forbidden"),
    "raise its limits": (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)",
        "Error",
    ),
    "loop for ever": ("while True: pass", "CPU time|still running"),
    "sleep for ever": ("import time; time.sleep(1000)", "still running after 20 s"),
    "fill the memory": ("x = []\nwhile True: x.append(bytearray(1 << 22))", "MemoryError"),
    "fill the memory with a tensor": ("import torch; x = torch.ones(1 << 40)", "RuntimeError"),
    "fill the pipe": ("import os\nfor n in range(3, 64):\n    try:\n        while True: os.write(n, b'x' * 65536)\n"
                      "    except OSError: pass", "no answer"),
    "leave without a word": ("import os; os._exit(0)", "without an answer"),
    "crash": ("import ctypes; ctypes.string_at(0)", "crashed"),
    "load a library": ("import ctypes; ctypes.CDLL('libresolv.so.2')", "OSError"),
    "import what was not loaded": ("import antigravity", "Error"),
    "unpickle a command": (
        "import pickle; pickle.loads(b\"cos\\nsystem\\n(S'touch {folder}/new'\\ntR.\")",
        "forbidden",
    ),
}  # fmt: skip


@pytest.fixture
def world(tmp_path: Path):
    """Things that an attempt could reach, and a server that counts who comes."""
    (tmp_path / "secret").write_text("the key")
    (tmp_path / "victim").write_text("as it was")
    tmp_path.chmod(0o777)
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(0.2)
    yield tmp_path, server
    server.close()


def attempt(source: str) -> Ending:
    module = "hostile_torch" if "torch" in source else "hostile"
    return run_isolated(f"tests.authored.locked.{module}:run", {"source": source}, LIMITS)


@pytest.mark.slow
@pytest.mark.parametrize("name", ATTEMPTS)
def test_nothing_gets_out(name: str, world) -> None:
    folder, server = world
    values = {
        "secret": folder / "secret",
        "victim": folder / "victim",
        "folder": folder,
        "parent": os.getpid(),
        "port": server.getsockname()[1],
    }
    template, expected = ATTEMPTS[name]

    def fill(text: str) -> str:
        for key, value in values.items():
            text = text.replace("{" + key + "}", str(value))
        return text

    ending = attempt(fill(template))
    record = f"{ending.reason} {' '.join(ending.attempts)}"
    assert any(fill(part) in record for part in expected.split("|")), record
    assert ending.answer is None or ending.attempts, "it passed without a trace"
    assert sorted(path.name for path in folder.iterdir()) == ["secret", "victim"]
    assert (folder / "victim").read_text() == "as it was"
    assert (folder / "victim").stat().st_mode & 0o777 != 0o777
    assert "the key" not in str(ending)
    with pytest.raises(TimeoutError):
        server.accept()
    assert threading.active_count() < 50


@pytest.mark.slow
def test_what_only_computes_comes_back() -> None:
    source = "import torch; x = torch.randn(8, 8, requires_grad=True); (x @ x).sum().backward(); result = x.grad.shape"
    ending = attempt(source)
    assert ending.answer == {"result": "torch.Size([8, 8])"}
    assert ending.attempts == ()
    assert ending.isolation.startswith("seccomp, user ")
    if os.getuid() == 0:
        assert ending.isolation == "seccomp, user 65534"


def test_no_secret_of_the_environment_goes_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHUTES_API_KEY", "cpk_secret")
    ending = attempt("import os; result = dict(os.environ)")
    assert ending.answer is not None
    assert "PATH" in ending.answer["result"]
    assert "cpk_secret" not in ending.answer["result"]


FAULTS = {
    "seccomp_init": "libseccomp cannot make a filter",
    "seccomp_load": "the kernel refuses a seccomp filter: Invalid argument",
    "holds not": "does not hold",
    "limits": "could not give up its rights: no limit",
    "user": "root may not become another user here",
}


@pytest.fixture
def faulty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Ending]:
    """Runs what touches a file in a process whose lock has the named fault."""

    def run(fault: str) -> Ending:
        (tmp_path / "faulty.py").write_text(FAULTY.replace("BROKEN", fault))
        monkeypatch.syspath_prepend(tmp_path)
        return run_isolated("faulty:run", {"touch": str(tmp_path / "ran")}, LIMITS)

    return run


@pytest.mark.parametrize("fault", FAULTS)
def test_a_lock_that_fails_runs_nothing(fault: str, faulty: Callable[[str], Ending], tmp_path: Path) -> None:
    """The process itself finds out, says why and ends before it reads what is foreign."""
    with pytest.raises(NotIsolated, match=f"cannot be isolated here: .*{FAULTS[fault]}"):
        faulty(fault)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("kept", ["keeps user", "keeps limits"])
def test_the_filter_holds_without_the_rest(kept: str, faulty: Callable[[str], Ending], tmp_path: Path) -> None:
    ending = faulty(kept)
    assert "PermissionError" in ending.reason
    assert not (tmp_path / "ran").exists()


FAULTY = """
from pathlib import Path
from synthcity.authored.locked import lock

def prepare():
    real = lock.load_libseccomp
    def faulty():
        library = real()
        if "BROKEN" == "seccomp_init":
            library.seccomp_init = lambda action: None
        if "BROKEN" == "seccomp_load":
            library.seccomp_load = lambda context: -22
        if "BROKEN" == "holds not":
            library.seccomp_load = lambda context: 0
        return library
    lock.load_libseccomp = faulty
    if "BROKEN" == "holds not":
        lock._limit = lambda limits: None
    if "BROKEN" == "user":
        def may_not(*ids):
            raise PermissionError(1, "Operation not permitted")
        lock.os.setresuid = may_not
        lock.os.getuid = lambda: 0
        lock.os.setgroups = lock.os.setresgid = lambda *ids: None
    if "BROKEN" == "keeps user":
        lock._drop_user = lambda: "whoever it was"
    if "BROKEN" == "keeps limits":
        lock._limit = lambda limits: None
    if "BROKEN" == "limits":
        def refuse(limits):
            raise OSError("no limit")
        lock._limit = refuse

def run(payload):
    Path(payload["touch"]).write_text("x")
    return {}
"""
