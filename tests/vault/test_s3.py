from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from synthcity.errors import ConfigError, VaultError
from synthcity.settings import Settings
from synthcity.vault import s3
from synthcity.vault.base import Absent, digest_of, write_whole
from synthcity.vault.circuit import Circuit
from synthcity.vault.opening import open_vault
from synthcity.vault.pulling import list_runs, pull
from synthcity.vault.pushing import push_run
from synthcity.vault.s3 import S3Vault
from tests.ports import free_ports
from tests.standins.hippius import BUCKET, KEY, SECRET, Running, client
from tests.vault.builders import files_of, write_run
from tests.vault.conformance import check_vault, put

Bucket = Callable[..., S3Vault]
DAY = 86_400


def test_it_is_a_vault(bucket: Bucket) -> None:
    check_vault(bucket())


def test_every_page_is_listed(hippius: Running, bucket: Bucket) -> None:
    hippius.script(page=7)
    vault = bucket()
    for at in range(20):
        put(vault, f"runs/{at:02d}/index.json", b"x")
    assert list(vault.list("runs")) == [f"{at:02d}/" for at in range(20)]
    assert len([seen for seen in hippius.state()["seen"] if "list-type" in seen[2]]) == 3


def test_what_is_large_goes_in_parts_and_nothing_unfinished_stays(hippius: Running, bucket: Bucket) -> None:
    vault, content = bucket(part_bytes=5 << 20), bytes(12 << 20)
    file = io.BytesIO(content)
    write_whole(vault, "runs/large.bin", file, digest_of(file))
    assert vault.read("runs/large.bin", most=12 << 20) == content
    parts = [seen for seen in hippius.state()["seen"] if "partNumber" in seen[2]]
    assert len(parts) == 3
    hippius.script({"do": "forbidden", "method": "PUT"})
    with pytest.raises(VaultError, match="the key has no right"):
        put(vault, "runs/large.bin", content)
    assert "Uploads" not in client(hippius).list_multipart_uploads(Bucket=BUCKET)


@pytest.mark.parametrize(("age", "left"), [(DAY + 60, 0), (DAY - 60, 1)])
def test_uploads_that_a_killed_writer_left_are_aborted_once_they_are_a_day_old(
    hippius: Running, bucket: Bucket, age: float, left: int
) -> None:
    vault = bucket()
    put(vault, "runs/a.json", b"")
    key = f"{vault.name.removeprefix(f's3://{BUCKET}/')}/runs/b.bin"
    upload = client(hippius).create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]
    client(hippius).create_multipart_upload(Bucket=BUCKET, Key="another/prefix")
    hippius.script(upload_age_seconds=age)
    put(bucket(), "runs/a.json", b"")
    uploads = client(hippius).list_multipart_uploads(Bucket=BUCKET)["Uploads"]
    assert [found["UploadId"] for found in uploads].count(upload) == left
    assert any(found["Key"] == "another/prefix" for found in uploads)
    for found in uploads:
        client(hippius).abort_multipart_upload(Bucket=BUCKET, Key=found["Key"], UploadId=found["UploadId"])


FAULTS = [
    ("credit", "402 InsufficientAccountCredit\\): the account has no credit left; top it up"),
    ("forbidden", "403 AccessDenied\\): the key has no right to do that there"),
    ("signature", "HIPPIUS_SECRET_KEY does not belong to HIPPIUS_ACCESS_KEY"),
]


@pytest.mark.parametrize(("fault", "text"), FAULTS)
def test_check_names_what_is_wrong_and_the_remedy(hippius: Running, bucket: Bucket, fault: str, text: str) -> None:
    vault = bucket()
    vault.check()
    hippius.script({"do": fault, "method": "PUT"})
    with pytest.raises(VaultError, match=text) as caught:
        vault.check()
    assert vault.name in str(caught.value)
    assert SECRET not in str(caught.value)


def test_check_does_not_take_what_is_late_for_a_bucket_that_is_not_there(hippius: Running, bucket: Bucket) -> None:
    hippius.script("absent", absent_seconds=60.0)
    with pytest.raises(VaultError, match=r"cannot be read \(404 NoSuchKey\): what was written is not there yet"):
        bucket().check()


def test_check_names_bucket_key_and_endpoint(hippius: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings.load(hippius.environment)
    with pytest.raises(VaultError, match=r"s3://no-such-bucket cannot be looked at .*there is no such bucket"):
        S3Vault("no-such-bucket", "", settings).check()
    wrong = Settings.load({**hippius.environment, "HIPPIUS_ACCESS_KEY": "5Seed"})
    with pytest.raises(VaultError, match=r"403 InvalidAccessKeyId.: it does not know HIPPIUS_ACCESS_KEY; make a key"):
        S3Vault(BUCKET, "", wrong).check()
    monkeypatch.setattr(s3, "_OPTIONS", s3._OPTIONS.merge(s3.Config(retries={"total_max_attempts": 1})))
    (port,) = free_ports(1)
    away = Settings.load({**hippius.environment, "HIPPIUS_ENDPOINT": f"http://127.0.0.1:{port}"})
    with pytest.raises(VaultError, match=rf"127\.0\.0\.1:{port} does not answer .*HIPPIUS_ENDPOINT is right"):
        S3Vault(BUCKET, "", away).check()


def test_what_is_missing_is_told_before_anything_is_asked(hippius: Running) -> None:
    with pytest.raises(ConfigError, match="needs HIPPIUS_ACCESS_KEY and HIPPIUS_SECRET_KEY; set them"):
        open_vault("s3://bucket", Settings.load({}))
    with pytest.raises(ConfigError, match="needs HIPPIUS_SECRET_KEY; set it"):
        open_vault("s3://bucket", Settings.load({"HIPPIUS_ACCESS_KEY": KEY}))
    with pytest.raises(ConfigError, match="must begin with hip_ at Hippius"):
        open_vault("s3://bucket", Settings.load({"HIPPIUS_ACCESS_KEY": "5Seed", "HIPPIUS_SECRET_KEY": "x"}))
    assert open_vault("", Settings.load(hippius.environment)).name == f"s3://{BUCKET}"
    assert hippius.state()["seen"] == []


def test_a_missing_extra_is_one_sentence(hippius: Running) -> None:
    code = (
        "import sys; sys.modules['boto3'] = None\n"
        "from synthcity.errors import ConfigError\nfrom synthcity.vault import open_vault\n"
        "try: open_vault('s3://bucket')\nexcept ConfigError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "a vault in a bucket needs boto3: pip install 'synth-city[vault]'\n"


def test_faults_on_the_way_are_got_over(hippius: Running, bucket: Bucket, tmp_path: Path) -> None:
    hippius.script("slow", "cut_put", "absent", absent_seconds=0.3)
    vault = bucket()
    entry = push_run(vault, write_run(tmp_path / "sweep"))
    assert hippius.state()["left"] == []
    hippius.script("cut_get", "broken", "cut_get", page=7)
    assert list(list_runs(vault)) == [entry]
    pull(vault, entry, tmp_path / "again")
    back = files_of(tmp_path / "again")
    assert back == {path: content for path, content in files_of(tmp_path / "sweep").items() if path in back}


def test_a_body_that_is_always_cut_is_an_error(hippius: Running, bucket: Bucket) -> None:
    vault = bucket()
    put(vault, "runs/a.json", b"0123456789")
    hippius.script({"do": "cut_get", "count": 99})
    with pytest.raises(VaultError, match="its answer ended too early"):
        vault.read("runs/a.json", most=10)


def test_what_does_not_answer_is_left_alone(hippius: Running, monkeypatch: pytest.MonkeyPatch, bucket: Bucket) -> None:
    monkeypatch.setattr(s3, "_OPTIONS", s3._OPTIONS.merge(s3.Config(retries={"total_max_attempts": 1})))
    now = [0.0]
    vault = bucket(circuit=Circuit(lambda: now[0]))
    hippius.script({"do": "broken", "count": 3})
    for _ in range(3):
        with pytest.raises(VaultError, match=r"cannot be read \(500\): it is overloaded or down"):
            vault.head("runs/a.json")
    with pytest.raises(VaultError, match="left alone for 5"):
        vault.head("runs/a.json")
    assert len(hippius.state()["seen"]) == 3
    now[0] = 301.0
    assert vault.head("runs/a.json") is None
    with pytest.raises(Absent):
        vault.read("runs/a.json", most=1)
