"""The pages as a browser gets them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.bridge.conftest import Running

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
browser = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium")


def dump(address: str, folder: Path, *, width: int, wait_ms: int = 0) -> str:
    """Return the page as Chromium has it in the end."""
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}/profile", "--no-first-run"]
    options += [f"--virtual-time-budget={wait_ms}"] if wait_ms else []  # with 0 it would wait for ever
    options += [f"--window-size={width},900", "--dump-dom", address]
    done = subprocess.run([str(CHROMIUM), *options], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("path", ["/", "/docs", "/runs/live", "/dashboard", "/?bot=alpha"])
def test_a_page_may_load_nothing_from_elsewhere(bridge: Running, path: str) -> None:
    with bridge.client(key=False) as client:
        reply = client.get(path)
    assert reply.status_code == 200
    assert reply.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in reply.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in reply.headers["content-security-policy"]
    assert not re.findall(r"""(?:src|href)=["']?(?:https?:)?//""", reply.text)
    assert "<script>" not in reply.text
    assert " style=" not in reply.text


def test_style_and_script_come_with_the_package(bridge: Running) -> None:
    with bridge.client(key=False) as client:
        assert client.get("/dashboard/page.css").headers["content-type"].startswith("text/css")
        assert client.get("/dashboard/page.js").headers["content-type"].startswith("text/javascript")
        assert client.get("/dashboard/other.js").status_code == 404
        assert client.get("/runs/none").json()["error"].startswith("there is no run 'none'")
        assert client.get("/?bot=a/b").status_code == 400


@browser
@pytest.mark.slow
@pytest.mark.parametrize("path", ["/", "/runs/live", "/docs"])
def test_nothing_is_wider_than_a_phone(bridge: Running, tmp_path: Path, path: str) -> None:
    with bridge.client(key=False) as client:
        page, style = client.get(path).text, client.get("/dashboard/page.css").text
    measured = "<script>document.title = [document.documentElement.scrollWidth, innerWidth].join()</script>"
    (tmp_path / "page.html").write_text(f"<style>{style}</style>".join(page.split("</head>", 1)) + measured)
    found = re.search(r"<title>(\d+),(\d+)</title>", dump(f"file://{tmp_path}/page.html", tmp_path, width=400))
    assert found
    assert int(found[1]) <= int(found[2]) <= 500  # some Chromium makes no narrower window


@browser
@pytest.mark.slow
def test_the_script_runs_under_the_pages_own_rules_and_redraws(bridge: Running, tmp_path: Path) -> None:
    told = dump(f"{bridge.url}/", tmp_path, width=1400, wait_ms=7000)
    assert "data-shown" in told
