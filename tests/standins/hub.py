"""A Hugging Face Hub on the loopback, as huggingface_hub talks to it, in a process of its own.

``python -m tests.standins.hub`` prints its port. Model repositories with commits, files of Git and of LFS, private ones
seen only with the token. Faults are set from outside: a list of ``{"on": regular expression of "METHOD path", "what":
..., "times": 1}``; see ``Handler.do``. Everything that was received is kept for whoever looks for secrets in it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import ProxyHandler, Request, build_opener

TOKEN = "hf_" + "canary" * 6
_LFS = (".safetensors", ".parquet", ".png")
_DATE = "2026-11-01T00:00:00.000Z"
_open = build_opener(ProxyHandler({})).open


@dataclass
class Commit:
    id: str
    title: str
    files: dict[str, bytes]


@dataclass
class Repo:
    private: bool
    commits: list[Commit] = field(default_factory=list)

    def commit(self, title: str, files: dict[str, bytes]) -> Commit:
        told = f"{len(self.commits)} {title} {time.time_ns()}"
        made = Commit(hashlib.sha1(told.encode()).hexdigest(), title, files)
        self.commits.append(made)
        return made

    def at(self, revision: str) -> Commit | None:
        if revision == "main":
            return self.commits[-1]
        return next((commit for commit in self.commits if commit.id == revision), None)


class Hub:
    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.repos: dict[str, Repo] = {}
        self.objects: dict[str, bytes] = {}
        self.faults: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.received: list[bytes] = []

    def fault(self, line: str) -> str:
        with self.lock:
            for fault in self.faults:
                if fault.get("times", 1) > 0 and re.search(fault["on"], line):
                    fault["times"] = fault.get("times", 1) - 1
                    return str(fault["what"])
        return ""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each answer waits 40 ms for what acknowledges its headers
    hub: Hub

    def log_message(self, *_: object) -> None:
        pass

    def do(self) -> None:
        """Answer; a fault may come before (a status, hang), after (lost, 500 after) or in the body (cut, other)."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = self._chunks()
        path = unquote(urlsplit(self.path).path)
        if path.startswith("/_"):
            self._control(path, body)
            return
        line = f"{self.command} {path}"
        with self.hub.lock:
            self.hub.asked.append(line)
            headers = [f"{k}: {v}" for k, v in self.headers.items() if k.lower() != "authorization"]
            self.hub.received += [self.path.encode(), "\n".join(headers).encode(), body]
        fault = self.hub.fault(line)
        if fault.isdigit():
            if fault in ("409", "412"):
                self._somebody_else(path)
            self._send(int(fault), {"error": f"fault {fault}"}, {"Retry-After": "0"} if fault == "429" else {})
            return
        if fault == "hang":
            time.sleep(2.0)
            self._drop()
            return
        with self.hub.lock:
            status, answer, extra = self._answer(path, body, fault)
        if fault in ("lost", "500 after"):
            self._drop() if fault == "lost" else self._send(500, {"error": "it broke after all"})
            return
        self._send(status, answer, extra, fault)

    do_GET = do_HEAD = do_POST = do_PUT = do

    def _chunks(self) -> bytes:
        parts = []
        while size := int(self.rfile.readline().strip() or b"0", 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _drop(self) -> None:
        self.close_connection = True
        self.connection.close()

    def _somebody_else(self, path: str) -> None:
        if match := re.fullmatch(r"/api/models/([^/]+/[^/]+)/commit/main", path):
            with self.hub.lock:
                repo = self.hub.repos[match[1]]
                repo.commit("somebody else", {**repo.commits[-1].files, "notes.txt": str(time.time_ns()).encode()})

    def _send(self, status: int, answer: object, extra: dict[str, str] | None = None, fault: str = "") -> None:
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        if fault == "other" and content:
            content = content[:-1] + bytes([content[-1] ^ 1])
        length = (extra or {}).get("Content-Length", str(len(content)))
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(extra or {}), "Content-Length": length}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        if fault == "cut":
            self.wfile.write(content[: len(content) // 2])
            self.wfile.flush()
            self._drop()
        elif fault == "slow":
            for part in (content[: len(content) // 2], content[len(content) // 2 :]):
                self.wfile.write(part)
                self.wfile.flush()
                time.sleep(0.2)
        else:
            self.wfile.write(content)

    def _control(self, path: str, body: bytes) -> None:
        hub = self.hub
        with hub.lock:
            if path == "/_faults":
                hub.faults = json.loads(body)
            elif path == "/_asked":
                asked, hub.asked = hub.asked, []
                self._send(200, asked)
                return
            elif path == "/_seen":
                self._send(200, any(body in part for part in hub.received))
                return
            elif path == "/_commit":  # by somebody who may write: for hostile repositories
                told = json.loads(body)
                repo = hub.repos.setdefault(told["repo"], Repo(private=False))
                files = {name: base64.b64decode(text) for name, text in told["files"].items()}
                before = repo.commits[-1].files if repo.commits and told.get("keep") else {}
                repo.commit(told["title"], {**before, **files})
            elif path == "/_commits":
                name = json.loads(body)
                told = hub.repos[name].commits if name in hub.repos else []
                self._send(200, [{"id": c.id, "title": c.title, "files": sorted(c.files)} for c in told])
                return
            elif path == "/_publicise":
                hub.repos[json.loads(body)].private = False
            elif path == "/_reset":
                hub.repos, hub.objects, hub.faults, hub.asked, hub.received = {}, {}, [], [], []
        self._send(200, {})

    def _answer(self, path: str, body: bytes, fault: str) -> tuple[int, object, dict[str, str]]:
        is_owner = self.headers.get("Authorization") == f"Bearer {TOKEN}"
        if path == "/api/validate-yaml":
            content = json.loads(body)["content"]
            good = content.startswith("---\n") and "\n---\n" in content
            return (
                (200, {"errors": [], "warnings": []}, {}) if good else (400, {"errors": [{"message": "no YAML"}]}, {})
            )
        if path.startswith("/lfs/"):
            return self._object(path, body)
        if not is_owner and (self.command not in ("GET", "HEAD") or path == "/api/whoami-v2"):
            return 401, {"error": "Invalid credentials"}, {}
        if path == "/api/repos/create":
            told = json.loads(body)
            name = f"{told['organization']}/{told['name']}"
            url = f"http://{self.headers['Host']}/{name}"
            if name in self.hub.repos:
                return 409, {"error": "You already created this model repo", "url": url}, {}
            made = self.hub.repos[name] = Repo(private=told.get("visibility") == "private")
            made.commit("initial commit", {".gitattributes": b"*.safetensors filter=lfs\n"})
            return 200, {"url": url}, {}
        match = re.fullmatch(r"/api/models/([^/]+/[^/]+?)(?:/(\w+)/([^/]+))?", path) or re.fullmatch(
            r"/([^/]+/[^/]+?)(?:\.git/info/(lfs)/objects/(batch)|/(?:resolve)/([^/]+)/(.+))", path
        )
        repo = self.hub.repos.get(match[1]) if match else None
        if match is None or repo is None or (repo.private and not is_owner):
            return 404 if is_owner else 401, {"error": "Repository not found"}, {"X-Error-Code": "RepoNotFound"}
        if match.re.groups == 5 and match[4]:
            return self._file(repo, match[4], match[5])
        if match[2] == "lfs":
            return self._batch(body)
        commit = repo.at(match[3] or "main")
        if commit is None:
            return 404, {"error": "Invalid rev id"}, {"X-Error-Code": "RevisionNotFound"}
        if match[2] in (None, "revision"):
            told = {"id": match[1], "sha": commit.id, "private": repo.private, "tags": [], "siblings": []}
            return 200, {"_id": "1", "modelId": match[1], "downloads": 0, "likes": 0, **told}, {}
        if match[2] == "commits":
            told_commits = [
                {
                    "id": c.id,
                    "title": c.title,
                    "message": "",
                    "authors": [{"user": "me"}],
                    "date": "2026-11-01T00:00:00.000Z",
                }
                for c in reversed(repo.commits)
            ]
            return 200, told_commits, {}
        if match[2] == "tree":
            return 200, [_entry(name, content) for name, content in sorted(commit.files.items())], {}
        if match[2] == "preupload":
            asked = json.loads(body)["files"]
            modes = [
                {
                    "path": f["path"],
                    "uploadMode": "lfs" if f["path"].endswith(_LFS) else "regular",
                    "shouldIgnore": False,
                }
                for f in asked
            ]
            return 200, {"files": [{**mode, "oid": None} for mode in modes], "commitOid": commit.id}, {}
        assert match[2] == "commit"
        return self._commit(repo, body, fault)

    def _commit(self, repo: Repo, body: bytes, fault: str) -> tuple[int, object, dict[str, str]]:
        lines = [json.loads(line) for line in body.splitlines()]
        header = next(line["value"] for line in lines if line["key"] == "header")
        if header.get("parentCommit") not in (None, repo.commits[-1].id):
            return 412, {"error": "A commit has happened since. Please refresh and try again."}, {}
        files = dict(repo.commits[-1].files)
        for line in lines:
            if line["key"] == "file":
                files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            elif line["key"] == "lfsFile":
                if line["value"]["oid"] not in self.hub.objects:
                    return 400, {"error": f"LFS object {line['value']['oid']} is not there"}, {}
                files[line["value"]["path"]] = self.hub.objects[line["value"]["oid"]]
        if fault == "missing":
            files.pop(next(name for name in sorted(files) if name.endswith("report.json")))
        made = "0" * 40 if fault == "swallowed" else repo.commit(header["summary"], files).id
        url = f"http://{self.headers['Host']}/x/y/commit/{made}"
        return 200, {"success": True, "commitOid": made, "commitUrl": url, "hookOutput": ""}, {}

    def _batch(self, body: bytes) -> tuple[int, object, dict[str, str]]:
        root = f"http://{self.headers['Host']}/lfs"
        objects = []
        for one in json.loads(body)["objects"]:
            told = {"oid": one["oid"], "size": one["size"]}
            if one["oid"] not in self.hub.objects:
                told["actions"] = {"upload": {"href": f"{root}/{one['oid']}"}, "verify": {"href": f"{root}/verify"}}
            objects.append(told)
        return 200, {"transfer": "basic", "objects": objects}, {"Content-Type": "application/vnd.git-lfs+json"}

    def _object(self, path: str, body: bytes) -> tuple[int, object, dict[str, str]]:
        if path == "/lfs/verify":
            known = json.loads(body)["oid"] in self.hub.objects
            return (200, {}, {}) if known else (404, {"error": "no such object"}, {})
        oid = path.rpartition("/")[2]
        if hashlib.sha256(body).hexdigest() != oid:
            return 400, {"error": "the bytes are not those of the hash"}, {}
        self.hub.objects[oid] = body
        return 200, {}, {}

    def _file(self, repo: Repo, revision: str, name: str) -> tuple[int, object, dict[str, str]]:
        commit = repo.at(revision)
        if commit is None:
            return 404, {"error": "Invalid rev id"}, {"X-Error-Code": "RevisionNotFound"}
        if name not in commit.files:
            return 404, {"error": "Entry not found"}, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": commit.id}
        content = commit.files[name]
        told = {"X-Repo-Commit": commit.id, "ETag": f'"{hashlib.sha1(content).hexdigest()}"'}
        return 200, content, {**told, "Content-Type": "application/octet-stream"}


def _entry(name: str, content: bytes) -> dict[str, object]:
    entry: dict[str, object] = {
        "type": "file",
        "path": name,
        "size": len(content),
        "oid": hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest(),
    }
    if name.endswith(_LFS):
        entry["lfs"] = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 130}
    return entry


class RunningHub:
    """Handle of a running stand-in; ``url`` is what HF_ENDPOINT should say."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def _say(self, what: str, data: bytes) -> Any:
        with _open(Request(f"{self.url}/_{what}", data)) as answer:
            return json.load(answer)

    def faults(self, *faults: dict[str, object]) -> None:
        """Set faults, those before forgotten."""
        self._say("faults", json.dumps(faults).encode())

    def asked(self) -> list[str]:
        """Return the requests since this was last asked."""
        found: list[str] = self._say("asked", b"")
        return found

    def has_seen(self, content: str) -> bool:
        """Whether anything that was received held this, the header of authorization apart."""
        return bool(self._say("seen", content.encode()))

    def commits(self, repo: str) -> list[dict[str, Any]]:
        """Return the commits of a repository, oldest first."""
        found: list[dict[str, Any]] = self._say("commits", json.dumps(repo).encode())
        return found

    def commit(self, repo: str, title: str, files: dict[str, bytes], *, keep: bool = False) -> None:
        """Commit as somebody else, to a public repository that may be new; ``keep`` the files that are there."""
        told = {name: base64.b64encode(content).decode() for name, content in files.items()}
        self._say("commit", json.dumps({"repo": repo, "title": title, "files": told, "keep": keep}).encode())

    def publicise(self, repo: str) -> None:
        self._say("publicise", json.dumps(repo).encode())

    def reset(self) -> None:
        self._say("reset", b"")


@contextmanager
def running_hub() -> Iterator[RunningHub]:
    """Run a stand-in on a free port; it ends with the block, or with this process."""
    command = [sys.executable, "-m", "tests.standins.hub"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield RunningHub(int(process.stdout.readline()))
        finally:
            process.kill()


def main() -> None:
    Handler.hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print(server.server_address[1], flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
