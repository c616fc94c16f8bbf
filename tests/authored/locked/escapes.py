"""Ways out of a locked child, tried by texts that nobody has read and that have all of Python: how each must end.

``{secret}``, ``{victim}`` and ``{folder}`` are files of the parent, ``{parent}`` its id, ``{port}`` a server that it
listens on. A text that ends with an answer must answer what stands here; everything else is how it was refused.
"""

from __future__ import annotations

FORBIDDEN = "forbidden here"
NOT_PERMITTED = "Operation not permitted"
DEAD = "forbidden here|without an answer|crashed|was ended by"
LATE = "still running|CPU time"

FILES = {
    "read a file": ("open('{secret}').read()", NOT_PERMITTED),
    "read bytes": ("import pathlib; pathlib.Path('{secret}').read_bytes()", NOT_PERMITTED),
    "read by number": ("os.open('{secret}', os.O_RDONLY)", NOT_PERMITTED),
    "read from a folder's number": (
        "os.open('secret', os.O_RDONLY, dir_fd=0)",
        "not permitted|Not a directory|Bad file",
    ),
    "open a path alone": ("os.open('{secret}', os.O_PATH)", NOT_PERMITTED),
    "numpy's fromfile": ("np.fromfile('{secret}')", NOT_PERMITTED),
    "numpy's load": ("np.load('{secret}')", NOT_PERMITTED),
    "numpy's memmap": ("np.memmap('{secret}', mode='r')", NOT_PERMITTED),
    "numpy's writing memmap": ("np.memmap('{folder}/m', shape=8, mode='w+')", NOT_PERMITTED),
    "numpy's genfromtxt": ("np.genfromtxt('{secret}')", "Error"),
    "numpy's loadtxt": ("np.loadtxt('{secret}')", "Error"),
    "numpy's fromregex": ("np.fromregex('{secret}', 'x', [('a', 'f8')])", NOT_PERMITTED),
    "numpy's save": ("np.save('{folder}/x', np.ones(1))", NOT_PERMITTED),
    "numpy's tofile": ("np.ones(1).tofile('{folder}/x')", NOT_PERMITTED),
    "numpy's savetxt": ("np.savetxt('{folder}/x', np.ones(1))", NOT_PERMITTED),
    "numpy's dump": ("np.ones(1).dump('{folder}/x')", NOT_PERMITTED),
    "numpy's DataSource": ("np.lib.npyio.DataSource('{folder}').open('{secret}')", "Error|not permitted"),
    "numpy's f2py": ("import numpy.f2py as f; f.compile('      end')", "Error|forbidden|not permitted"),
    "numpy's ctypeslib": ("import numpy.ctypeslib as c; c.load_library('libc.so.6', '/lib')", "Error|not permitted"),
    "write": ("open('{victim}', 'w').write('x')", NOT_PERMITTED),
    "append": ("open('{victim}', 'a').write('x')", NOT_PERMITTED),
    "truncate": ("os.truncate('{victim}', 0)", NOT_PERMITTED),
    "truncate what is open": ("os.ftruncate(0, 0)", FORBIDDEN),
    "delete": ("os.unlink('{victim}')", NOT_PERMITTED),
    "rename": ("os.rename('{victim}', '{victim}2')", NOT_PERMITTED),
    "make a folder": ("os.mkdir('{folder}/new')", NOT_PERMITTED),
    "remove a folder": ("os.rmdir('{folder}')", NOT_PERMITTED),
    "remove a tree": ("import shutil; shutil.rmtree('{folder}')", NOT_PERMITTED),
    "change a mode": ("os.chmod('{victim}', 0o777)", NOT_PERMITTED),
    "change an owner": ("os.chown('{victim}', 0, 0)", FORBIDDEN),
    "change a time": ("os.utime('{victim}', (0, 0))", FORBIDDEN),
    "link": ("os.link('{secret}', '{folder}/link')", NOT_PERMITTED),
    "link by name": ("os.symlink('{secret}', '{folder}/link')", NOT_PERMITTED),
    "a pipe with a name": ("os.mkfifo('{folder}/pipe')", FORBIDDEN),
    "list": ("os.listdir('{folder}')", NOT_PERMITTED),
    "walk": ("result = list(os.walk('{folder}'))", r"^\[\]$"),
    "ask for a file": ("os.stat('{secret}')", NOT_PERMITTED),
    "does it exist": ("result = os.path.exists('{secret}')", "^False$"),
    "where am I": ("os.getcwd()", NOT_PERMITTED),
    "another root": ("os.chroot('{folder}')", FORBIDDEN),
    "go elsewhere": ("os.chdir('{folder}')", NOT_PERMITTED),
    "a database": ("import sqlite3; sqlite3.connect('{folder}/db').execute('create table t (x)')", "unable to open"),
    "a temporary file": ("import tempfile; tempfile.TemporaryFile()", "Error"),
    "a file in memory": ("os.memfd_create('x')", FORBIDDEN),
    "send a file": ("os.sendfile(1, 0, 0, 1)", FORBIDDEN),
    "copy a range": ("os.copy_file_range(0, 1, 1)", FORBIDDEN),
    "splice": ("os.splice(0, 1, 1)", FORBIDDEN),
    "read at a place": ("os.pread(0, 1, 0)", FORBIDDEN),
    "read many": ("os.readv(0, [bytearray(1)])", FORBIDDEN),
    "an extended attribute": ("os.getxattr('{secret}', 'user.x')", FORBIDDEN),
    "wait for files": ("import ctypes; ctypes.CDLL(None).inotify_init()", FORBIDDEN),
}

PARENT = {
    "its environment": ("open('/proc/{parent}/environ').read()", NOT_PERMITTED),
    "its memory": ("open('/proc/{parent}/mem', 'rb').read(1)", NOT_PERMITTED),
    "its open files": ("os.listdir('/proc/{parent}/fd')", NOT_PERMITTED),
    "its words": ("open('/proc/{parent}/cmdline').read()", NOT_PERMITTED),
    "our map": ("open('/proc/self/maps').read()", NOT_PERMITTED),
    "our environment": ("result = sorted(os.environ)", "^((?!KEY|SECRET|TOKEN|PYTHONPATH).)*$"),
    "our environment in C": (
        "import ctypes; get = ctypes.CDLL(None).getenv; get.restype = ctypes.c_char_p; result = get(b'CHUTES_API_KEY')",
        "^None$",
    ),
    "our words": ("import sys; result = 'cpk_secret' in repr(sys.argv)", "^False$"),
    "kill it": ("os.kill({parent}, 9)", FORBIDDEN),
    "kill its group": ("os.killpg({parent}, 9)", FORBIDDEN),
    "kill our parent": ("os.kill(os.getppid(), 9)", FORBIDDEN),
    "kill all": ("os.kill(-1, 9)", FORBIDDEN),
    "stop ourselves": ("os.kill(os.getpid(), 19)", FORBIDDEN),
    "raise a signal": ("import signal; signal.raise_signal(15)", FORBIDDEN),
    "an alarm": ("import signal; signal.alarm(1)", FORBIDDEN),
    "a timer": ("import signal; signal.setitimer(signal.ITIMER_REAL, 1)", FORBIDDEN),
    "queue a signal": ("import ctypes; ctypes.CDLL(None).sigqueue({parent}, 9, 0)", FORBIDDEN),
    "by its handle": ("os.pidfd_open({parent})", FORBIDDEN),
    "trace it": ("import ctypes; ctypes.CDLL(None).ptrace(16, {parent}, 0, 0)", FORBIDDEN),
    "read its memory": ("import ctypes; ctypes.CDLL(None).process_vm_readv({parent}, 0, 0, 0, 0, 0)", FORBIDDEN),
    "write its memory": ("import ctypes; ctypes.CDLL(None).process_vm_writev({parent}, 0, 0, 0, 0, 0)", FORBIDDEN),
    "its priority": ("os.setpriority(os.PRIO_PROCESS, {parent}, 19)", FORBIDDEN),
    "its limits": ("import resource as r; r.prlimit({parent}, r.RLIMIT_AS, (1, 1))", NOT_PERMITTED),
    "its processors": ("os.sched_setaffinity({parent}, [0])", NOT_PERMITTED),
    "walk all objects": (
        "import gc; key = '_'.join(['cpk', 'secret'])\n"
        "result = any(key in repr(o) for o in gc.get_objects() if type(o) in (str, dict, list) and o is not globals())",
        "^False$",
    ),
    "other descriptors": (
        "result = []\nfor n in range(3, 512):\n    try: result.append(os.write(n, b'x'))\n    except OSError: pass",
        r"^\[\]$",
    ),
    "the server's socket": (
        "import socket\nfor n in range(3, 64):\n    try: socket.socket(fileno=n).send(b'{}')\n    except OSError: pass",
        FORBIDDEN,
    ),
}

PROCESSES = {
    "run a program": ("import subprocess; subprocess.run(['touch', '{folder}/new'])", "Error|forbidden"),
    "run a shell": ("os.system('touch {folder}/new')", FORBIDDEN),
    "a pipe to a shell": ("os.popen('touch {folder}/new')", "Error|forbidden"),
    "become a program": ("os.execv('/bin/touch', ['touch', '{folder}/new'])", FORBIDDEN),
    "spawn": ("os.posix_spawn('/bin/touch', ['touch', '{folder}/new'], {})", FORBIDDEN),
    "fork": ("os.fork()", FORBIDDEN),
    "fork for ever": ("while True: os.fork()", FORBIDDEN),
    "fork in C": ("import ctypes; ctypes.CDLL(None).fork()", FORBIDDEN),
    "fork by number": ("import ctypes; ctypes.CDLL(None).syscall(57)", FORBIDDEN),
    "a terminal": ("import pty; pty.fork()", "Error|forbidden"),
    "a thread": ("import threading; threading.Thread(target=print).start()", FORBIDDEN),
    "a pool": ("import multiprocessing as m; m.Pool(2)", "Error|forbidden"),
    "become root": ("os.setuid(0)", FORBIDDEN),
    "another group": ("os.setgid(0)", FORBIDDEN),
    "a namespace": ("import ctypes; ctypes.CDLL(None).unshare(0x10000000)", FORBIDDEN),
    "mount": ("import ctypes; ctypes.CDLL(None).mount(0, b'/', 0, 0, 0)", FORBIDDEN),
    "load into the kernel": ("import ctypes; ctypes.CDLL(None).syscall(321, 0, 0, 0)", FORBIDDEN),
    "a ring of calls": ("import ctypes; ctypes.CDLL(None).syscall(425, 1, 0)", FORBIDDEN),
    "the 32-bit calls": (
        "import ctypes, mmap; m = mmap.mmap(-1, 4096, prot=7); m.write(bytes([0xb8, 2, 0, 0, 0, 0xcd, 0x80, 0xc3]));"
        " ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(m)))()",
        DEAD,
    ),
    "machine code": (
        "import ctypes, mmap; m = mmap.mmap(-1, 4096, prot=7); m.write(bytes([0xb8, 57, 0, 0, 0, 0x0f, 0x05, 0xc3]));"
        " ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(m)))()",
        FORBIDDEN,
    ),
    "another filter": ("import ctypes; ctypes.CDLL(None).syscall(317, 1, 0, 0)", FORBIDDEN),
    "a library": ("import ctypes; ctypes.CDLL('libresolv.so.2')", "OSError"),
    "a module": ("import antigravity", "Error"),
    "a pickle": ("import pickle; pickle.loads(b\"cos\\nsystem\\n(S'touch {folder}/new'\\ntR.\")", FORBIDDEN),
    "shared memory": (
        "from multiprocessing.shared_memory import SharedMemory; SharedMemory(create=True, size=8)",
        "Error",
    ),
    "old shared memory": ("import ctypes; ctypes.CDLL(None).shmget(1, 4096, 0o1666)", FORBIDDEN),
    "a queue of messages": ("import ctypes; ctypes.CDLL(None).msgget(1, 0o1666)", FORBIDDEN),
    "a keyring": ("import ctypes; ctypes.CDLL(None).syscall(248, 0, 0, 0, 0, 0)", FORBIDDEN),
    "the clock": ("import time; time.clock_settime(0, 0)", FORBIDDEN),
    "the host's name": ("import socket; socket.sethostname('x')", FORBIDDEN),
    "reboot": ("import ctypes; ctypes.CDLL(None).syscall(169, 0, 0, 0, 0)", FORBIDDEN),
    "higher limits": ("import resource as r; r.setrlimit(r.RLIMIT_AS, (r.RLIM_INFINITY,) * 2)", "Error"),
    "a debugger": ("import faulthandler; faulthandler.dump_traceback_later(1)", "Error|forbidden|fileno"),
}

NETWORK = {
    "connect": ("import socket; socket.create_connection(('127.0.0.1', {port}))", FORBIDDEN),
    "connect in C": ("import ctypes; ctypes.CDLL(None).socket(2, 1, 0)", FORBIDDEN),
    "a page": ("import urllib.request; urllib.request.urlopen('http://127.0.0.1:{port}/')", FORBIDDEN),
    "a request": ("import http.client; http.client.HTTPConnection('127.0.0.1', {port}).request('GET', '/')", FORBIDDEN),
    "a datagram": ("import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM)", FORBIDDEN),
    "a pair": ("import socket; socket.socketpair()", FORBIDDEN),
    "a raw socket": ("import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)", FORBIDDEN),
    "the kernel's socket": ("import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)", FORBIDDEN),
    "a name": ("import socket; socket.gethostbyname('example.com')", "Error|forbidden"),
    "a loop of events": ("import asyncio; asyncio.run(asyncio.sleep(0))", FORBIDDEN),
}

BURNING = {
    "loop": ("while True: pass", LATE),
    "loop in C": ("sum(iter(int, 1))", LATE),
    "a tower of powers": ("9 ** 9 ** 9", LATE + "|MemoryError"),
    "an evil pattern": ("import re; re.match('(a+)+$', 'a' * 60 + 'b')", LATE),
    "a great product": ("x = np.ones((3000, 3000))\nwhile True: x @ x", LATE),
    "sleep": ("import time; time.sleep(1000)", LATE),
    "sleep in C": ("import ctypes; ctypes.CDLL(None).sleep(1000)", LATE),
    "wait for a lock": ("import threading; l = threading.Lock(); l.acquire(); l.acquire()", LATE),
    "read for ever": ("os.read(0, 1)", LATE),
    "swallow all errors": ("while True:\n    try: pass\n    except BaseException: pass", LATE),
    "fill the memory": ("x = []\nwhile True: x.append(bytearray(1 << 24))", "MemoryError"),
    "one great array": ("np.ones(1 << 40)", "MemoryError|allocate"),
    "many arrays": ("x = []\nwhile True: x.append(np.ones(1 << 21))", "MemoryError|allocate"),
    "map memory": ("import mmap; mmap.mmap(-1, 1 << 40)", "Error"),
    "recursion": ("def f(): f()\nf()", "RecursionError"),
    "recursion without a bound": (
        "import sys; sys.setrecursionlimit(10**9)\ndef f(): f()\nf()",
        f"Recursion|SystemError|crashed|ended|MemoryError|{LATE}",
    ),
    "crash": ("import ctypes; ctypes.string_at(0)", "crashed"),
    "abort": ("os.abort()", "crashed|forbidden"),
    "leave": ("os._exit(0)", "without an answer"),
    "leave politely": ("raise SystemExit(0)", "SystemExit"),
    "an interrupt": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "close the pipes": ("os.close(0); os.close(1)", "without an answer|killed"),
    "a division": ("1 / 0", "ZeroDivisionError"),
    "ignore the end": (
        "import signal as s\nfor n in (s.SIGTERM, s.SIGXCPU): s.signal(n, s.SIG_IGN)\nwhile True: pass",
        f"{LATE}|killed",
    ),
}

LIES = {
    "no message": ("os.write(1, b'x' * 64)", "header of its answer"),
    "a giant header": ("os.write(1, (1 << 62).to_bytes(8, 'big'))", "header of its answer has"),
    "half a header": ("os.write(1, (10).to_bytes(8, 'big') + b'{'); os._exit(0)", "without an answer"),
    "a giant array": ("answer = None; wire.send(1, Message(arrays={'answer': np.ones(300000)}))", "has the shape"),
    "another name": ("answer = Message(arrays={'score': np.ones(3)})", "it gave"),
    "two arrays": ("answer = Message(arrays={'answer': np.ones(3), 'score': np.ones(1)})", "it gave"),
    "another shape": ("answer = Message(arrays={'answer': np.ones(4)})", "has the shape"),
    "another type": ("answer = Message(arrays={'answer': np.ones(3, dtype=np.float32)})", "type float32"),
    "objects": ("answer = Message(arrays={'answer': np.array([1, 'x', None], dtype=object)})", "Error|type object"),
    "not a number": ("answer = Message(arrays={'answer': np.array([1.0, np.nan, 1.0])})", "not finite"),
    "infinite": ("answer = Message(arrays={'answer': np.array([1.0, np.inf, 1.0])})", "not finite"),
    "a subclass": ("class X(np.ndarray): pass\nanswer = Message(arrays={'answer': np.ones(4).view(X)})", "the shape"),
    "a pickle in its place": ("import pickle; os.write(1, pickle.dumps({'answer': 1}))", "header of its answer"),
    "a verdict": ("answer = Message({'score': 0.0, 'admitted': True})", "it gave"),
    "an error of a megabyte": ("raise ValueError('x' * (1 << 20))", "ValueError: xxx"),
    "an error that lies": ("class E(Exception):\n    def __str__(self): raise E\nraise E", "E"),
    "an error with colours": ("raise ValueError('\\x1b[2J')", "ValueError"),
    "another line": ("wire.MAX_HEADER = 1 << 40\nwire.send = None\nanswer = Message()", "it gave"),
    "patch numpy": (
        "np.isfinite = lambda x: np.ones(3, bool)\nanswer = Message(arrays={'answer': np.full(3, np.nan)})",
        "not finite",
    ),
    "patch the lock": (
        "from synthcity.authored.locked import lock as l; l._filter = lambda *a: None; l.lock(l.SandboxLimits())",
        NOT_PERMITTED,
    ),
    "patch the answer's class": ("Message.values = {'error': ''}\nanswer = Message()", "it gave"),
    "patch the codec": ("import json; json.dumps = lambda *a, **k: '{' * 400\nanswer = Message()", "cannot be read"),
    "a header of towers": ("os.write(1, (9000).to_bytes(8, 'big') + b'[' * 9000)", "cannot be read"),
    "a number without end": (
        'h = b\'{"values": {}, "arrays": [["answer", "float64", [\' + b\'9\' * 9000 + b\']]]}\'\n'
        "os.write(1, len(h).to_bytes(8, 'big') + h)",
        "cannot be read",
    ),
    "an answer that drips": (
        "import time\nos.write(1, (500).to_bytes(8, 'big'))\nwhile True:\n    os.write(1, b' ')\n    time.sleep(0.05)",
        LATE,
    ),
}

_KINDS = {
    "files": FILES, "parent": PARENT, "processes": PROCESSES, "network": NETWORK, "burning": BURNING, "lies": LIES,
}  # fmt: skip
ESCAPES = {f"{kind}: {name}": escape for kind, found in _KINDS.items() for name, escape in found.items()}
# seconds each, since nothing but a limit of the kernel ends them
SLOW = {
    f"burning: {name}"
    for name in ("ignore the end", "a tower of powers", "recursion without a bound", "many arrays", "fill the memory")
}
