"""Taking a process's rights away for good, by the kernel: after :func:`lock` it can compute and nothing else.

A seccomp filter lists the system calls that are left: memory, time, and reading and writing what is open already. No
file can be opened, whatever it is; touching one is answered with "not permitted". A socket, a new process or thread, a
signal or another kernel interface ends the process on the spot. Root gives up its user and all capabilities first.
The filter needs no rights and no namespaces, so it holds for root in a container and for a plain user alike, and it
holds for machine code as for Python. libseccomp knows the numbers of the calls on each processor.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from ctypes import c_int, c_uint32, c_void_p
from dataclasses import dataclass
from pathlib import Path

from synthcity.errors import ConfigError

_ALLOW, _ERRNO, _KILL_PROCESS = 0x7FFF0000, 0x00050000, 0x80000000
_EPERM = 1
_PR_SET_NO_NEW_PRIVS = 38
_NOBODY = 65534

# how a locked process was ended, as a sentence
SIGNALS = {
    signal.SIGSYS: "it asked the kernel for what is forbidden here (a socket, a process, a thread, a signal, ...)",
    signal.SIGXCPU: "it used up its CPU time",
    signal.SIGKILL: "it was killed: its CPU time or the machine's memory was used up",
    signal.SIGSEGV: "it crashed (SIGSEGV)",
    signal.SIGABRT: "it crashed (SIGABRT)",
}

ALLOWED = (
    "read", "write", "close", "lseek", "fstat", "mmap", "munmap", "mprotect", "mremap", "madvise", "brk",
    "futex", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "restart_syscall", "rseq", "membarrier",
    "clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday", "getrandom", "getrusage", "times",
    "getpid", "gettid", "getuid", "geteuid", "sched_yield", "sched_getaffinity", "sysinfo", "exit", "exit_group",
)  # fmt: skip
# what libraries try in passing, and a file that is asked for: an error is enough, and it says where
REFUSED = (
    "open", "openat", "openat2", "access", "faccessat", "faccessat2", "newfstatat", "stat", "lstat", "statx",
    "readlink", "readlinkat", "getdents64", "getcwd", "ioctl", "fcntl", "prctl", "prlimit64", "getrlimit", "uname",
    "dup", "mkdir", "mkdirat", "rmdir", "unlink", "unlinkat", "rename", "renameat", "renameat2", "chmod", "fchmodat",
    "symlink", "symlinkat", "link", "linkat", "truncate", "chdir", "statfs", "fstatfs", "set_mempolicy", "mbind",
    "get_mempolicy", "poll", "ppoll", "select", "pselect6", "mlock", "sched_setaffinity", "getppid", "pipe", "pipe2",
    "arch_prctl",  # a matrix product asks for AMX where the processor has it, and does without
)  # fmt: skip


class NotIsolated(ConfigError):
    """This machine or process cannot lock itself; nothing foreign was run."""


@dataclass(frozen=True, kw_only=True)
class SandboxLimits:
    """What a locked process may use: CPU seconds, wall seconds for one call, and bytes beyond what it has."""

    cpu_seconds: int = 240
    wall_seconds: float = 400.0
    memory_bytes: int = 1 << 30


def load_libseccomp() -> ctypes.CDLL:
    """Return libseccomp with its functions typed.

    Raises:
        NotIsolated: this is no Linux, or the library is not installed.
    """
    if sys.platform != "linux":
        raise NotIsolated(f"code that a model wrote is tried under Linux's seccomp alone, and this is {sys.platform}")
    try:
        library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    except OSError as error:
        raise NotIsolated(
            "code that a model wrote is tried under seccomp, and libseccomp.so.2 is not here; install libseccomp2"
        ) from error
    library.seccomp_init.restype, library.seccomp_init.argtypes = c_void_p, [c_uint32]
    library.seccomp_syscall_resolve_name.argtypes = [ctypes.c_char_p]
    library.seccomp_rule_add_array.argtypes = [c_void_p, c_uint32, c_int, ctypes.c_uint, c_void_p]
    library.seccomp_load.argtypes = library.seccomp_release.argtypes = [c_void_p]
    return library


def lock(limits: SandboxLimits) -> str:
    """Take all rights from this process, for good, and return how in a few words.

    Raises:
        NotIsolated: a step failed or the lock does not hold; the process must end without running anything foreign.
    """
    library = load_libseccomp()
    try:
        _limit(limits)
        user = _drop_user()
    except (OSError, ValueError) as error:
        raise NotIsolated(f"the process that tries code could not give up its rights: {error}") from error
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise NotIsolated(f"the kernel refuses no_new_privs: {os.strerror(ctypes.get_errno())}")
    _filter(library)
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except PermissionError:
        return f"seccomp, {user}"
    raise NotIsolated("the seccomp filter was accepted but does not hold: a file could still be opened")


def _drop_user() -> str:
    """Become nobody where this is root; a plain user stays, without a way to anything that is theirs."""
    if os.geteuid() != 0 and os.getuid() != 0:
        return f"user {os.getuid()}"
    try:
        os.setgroups([])
        os.setresgid(_NOBODY, _NOBODY, _NOBODY)
        os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    except PermissionError as error:
        raise NotIsolated("root may not become another user here; run as a plain user, or with CAP_SETUID") from error
    return f"user {_NOBODY}"


def _limit(limits: SandboxLimits) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu = int(used.ru_utime + used.ru_stime) + 1 + limits.cpu_seconds
    pages = int(Path("/proc/self/statm").read_bytes().split()[0])
    room = pages * resource.getpagesize() + limits.memory_bytes
    for kind, value in (
        (resource.RLIMIT_AS, room),
        (resource.RLIMIT_CPU, cpu),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (value, value))


def _filter(library: ctypes.CDLL) -> None:
    context = library.seccomp_init(_KILL_PROCESS)
    if not context:
        raise NotIsolated("libseccomp cannot make a filter")
    for action, names in ((_ALLOW, ALLOWED), (_ERRNO | _EPERM, REFUSED)):
        for name in names:
            number = library.seccomp_syscall_resolve_name(name.encode())
            if number < 0:
                continue  # this processor or library has no such call, so nobody can make it
            failed = library.seccomp_rule_add_array(context, action, number, 0, None)
            if failed:
                raise NotIsolated(f"libseccomp refuses the rule for {name}: {os.strerror(-failed)}")
    failed = library.seccomp_load(context)
    library.seccomp_release(context)
    if failed:
        raise NotIsolated(f"the kernel refuses a seccomp filter: {os.strerror(-failed)}")
