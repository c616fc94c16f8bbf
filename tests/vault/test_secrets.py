"""Keys planted in the environment are looked for in all that a vault writes, sends and prints, through its faults."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from click.testing import CliRunner

from synthcity.cli.main import cli
from synthcity.private import environment
from synthcity.vault.mirror import Mirror
from synthcity.vault.outbox import OUTBOX
from tests.standins.hippius import BUCKET, FAULTS, Running, client
from tests.vault.builders import BEGUN, files_of, write_bundle, write_run, write_store

KEY, SECRET = "hip_canary0123456789abcdef", "secret-canary-0123456789"
OTHERS = {"HF_TOKEN": "canary-of-the-hub", "CHUTES_API_KEY": "canary-of-chutes", "BASILICA_API_TOKEN": "canary-of-rent"}


def test_no_key_is_left_anywhere(
    hippius: Running, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    planted = {**hippius.environment, **OTHERS, "HIPPIUS_ACCESS_KEY": KEY, "HIPPIUS_SECRET_KEY": SECRET}
    secrets = [SECRET, *OTHERS.values()]
    hippius.script(canaries=secrets)
    write_store(tmp_path / "store", days=1)
    write_bundle(tmp_path / "fhs")
    printed: list[str] = []
    where = f"s3://{BUCKET}/kept"

    def invoke(*words: str) -> None:
        found = CliRunner().invoke(cli, ["vault", *words])
        printed.append(found.output)
        error = found.exception
        while error is not None:
            printed.extend((repr(error), repr(vars(error))))
            error = error.__cause__ or error.__context__

    sent: list[str] = []
    with environment(planted), caplog.at_level(logging.DEBUG):
        for at, fault in enumerate(fault for fault in FAULTS if fault not in ("slow", "broken", "hang")):
            write_run(tmp_path / f"runs/run-{at}", at=BEGUN + at)
            hippius.script({"do": fault, "count": 2}, canaries=secrets, absent_seconds=0.1)
            invoke("push", f"runs/run-{at}", "--vault", where)
            sent += hippius.state()["told"]
        invoke("push", "store", "fhs", "--vault", where, "--json")
        invoke("flush")
        invoke("check", "--vault", where)
        invoke("list", "--vault", where, "--json")
        invoke("pull", "run-0", "--to", "again", "--vault", where)
        invoke("check", "--vault", "s3://no-such-bucket")
        mirror = Mirror(tmp_path / "runs/run-1", where, tmp_path / "runs" / OUTBOX, printed.append)
        printed.append(repr(mirror.close()))
        sent += hippius.state()["told"]
    hippius.script()
    assert sent == []
    assert '"name": "fhs"' in "".join(printed)
    s3 = client(hippius)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="kept/")
    kept = [s3.get_object(Bucket=BUCKET, Key=each["Key"]) for page in pages for each in page["Contents"]]
    stored = [each["Body"].read() + str(each["Metadata"]).encode() for each in kept]
    assert len(stored) > 20
    left = b"".join([*files_of(tmp_path).values(), *stored, "".join(printed).encode()])
    ours = "".join(record.getMessage() for record in caplog.records if record.name.startswith("synthcity"))
    assert b"canary" not in left + ours.encode()
    assert not any(secret in caplog.text for secret in secrets)
