from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from synthcity.cluster.folder import Folder
from synthcity.cluster.status import status
from synthcity.errors import Fatal
from tests.cluster.test_folder import head
from tests.ports import free_ports


@pytest.mark.parametrize("body", ["<html>", "{}x", "[5]", '[{"submission_id": "a"}]'])
def test_something_else_that_answers_is_told(folder: Folder, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    def answer(_: httpx.Client, url: str) -> httpx.Response:
        return httpx.Response(200, text=body, request=httpx.Request("GET", url))

    monkeypatch.setattr(httpx.Client, "get", answer)
    with pytest.raises(Fatal, match="is no dashboard of Ray's"):
        status(folder, head())


def test_a_token_that_is_gone_is_told(folder: Folder) -> None:
    folder.token.unlink()
    with pytest.raises(Fatal, match="token"):
        status(folder, head())


def test_a_dashboard_that_does_not_answer_is_told(folder: Folder) -> None:
    with pytest.raises(Fatal, match=r"the dashboard at http://127.0.0.1:.* does not answer"):
        status(folder, replace(head(), url=f"http://127.0.0.1:{free_ports(1)[0]}"))
