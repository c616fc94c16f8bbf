"""Giving up a process's rights; that nothing gets out of a locked one is shown in ``test_isolation``."""

from __future__ import annotations

import resource

import pytest

from synthcity.authored.locked import isolation, lock
from synthcity.authored.locked.lock import ALLOWED, REFUSED, NotIsolated, SandboxLimits


def test_without_the_library_nothing_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*arguments: object, **options: object) -> None:
        raise OSError("libseccomp.so.2: cannot open shared object file")

    monkeypatch.setattr(lock.ctypes, "CDLL", missing)
    with pytest.raises(NotIsolated, match="install libseccomp2"):
        isolation.check_isolation()


def test_on_another_system_nothing_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock.sys, "platform", "darwin")
    with pytest.raises(NotIsolated, match="Linux's seccomp alone, and this is darwin"):
        isolation.check_isolation()


@pytest.mark.parametrize("user", [1000, 0])
def test_root_becomes_nobody_and_others_stay(user: int, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[str] = []
    for name in ("getuid", "geteuid"):
        monkeypatch.setattr(lock.os, name, lambda: user)
    for name in ("setgroups", "setresgid", "setresuid"):
        monkeypatch.setattr(lock.os, name, lambda *ids, name=name: called.append(name))
    assert lock._drop_user() == f"user {user or 65534}"
    assert called == ([] if user else ["setgroups", "setresgid", "setresuid"])


def test_limits_are_what_is_used_and_so_much_more(monkeypatch: pytest.MonkeyPatch) -> None:
    found: dict[int, tuple[int, int]] = {}
    monkeypatch.setattr(lock.resource, "setrlimit", lambda kind, value: found.__setitem__(kind, value))
    lock._limit(SandboxLimits(cpu_seconds=10, memory_bytes=1 << 20))
    used = resource.getrusage(resource.RUSAGE_SELF)
    assert found[resource.RLIMIT_CPU][0] - int(used.ru_utime + used.ru_stime) in (10, 11)
    assert found[resource.RLIMIT_AS][0] > 1 << 20
    closed = (resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE, resource.RLIMIT_NPROC, resource.RLIMIT_CORE)
    assert {found[kind] for kind in closed} == {(0, 0)}
    assert all(soft == hard for soft, hard in found.values())


@pytest.mark.parametrize(
    "call",
    [
        "open", "openat", "openat2", "socket", "connect", "clone", "clone3", "fork", "execve", "execveat", "kill",
        "tgkill", "ptrace", "process_vm_readv", "process_vm_writev", "memfd_create", "io_uring_setup", "bpf", "mount",
        "unshare", "setuid", "shmget", "userfaultfd", "pidfd_getfd", "sendmsg", "keyctl",
    ],
)  # fmt: skip
def test_nothing_that_reaches_out_is_allowed(call: str) -> None:
    assert call not in ALLOWED


def test_no_call_is_allowed_and_refused() -> None:
    assert not set(ALLOWED) & set(REFUSED)


def test_a_rule_that_the_library_refuses_ends_it() -> None:
    class Library:
        def seccomp_init(self, action: int) -> int:
            return 1

        def seccomp_syscall_resolve_name(self, name: bytes) -> int:
            return 7

        def seccomp_rule_add_array(self, *rule: object) -> int:
            return -22

    with pytest.raises(NotIsolated, match="libseccomp refuses the rule for read: Invalid argument"):
        lock._filter(Library())  # type: ignore[arg-type]
