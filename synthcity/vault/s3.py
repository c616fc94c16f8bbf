"""A vault in a bucket: Hippius, or anything else that speaks S3.

Hippius ignores conditional writes, answers at most 1,000 keys a page, refuses many characters in keys, keeps unfinished
multipart uploads for ever and answers 402 to writes of an account without credit; AWS's newer checksums in trailers are
left out, since not every server takes them. The keys come from ``Settings`` alone.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import secrets
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from synthcity.durations import DAY
from synthcity.errors import ConfigError, VaultError
from synthcity.settings import Settings
from synthcity.vault.base import CHUNK, Absent, Digest, Vault, too_large
from synthcity.vault.circuit import Circuit
from synthcity.vault.layout import checked

try:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        IncompleteReadError,
        ReadTimeoutError,
        ResponseStreamingError,
    )
except ImportError as error:
    raise ConfigError("a vault in a bucket needs boto3: pip install 'synth-city[vault]'") from error

_log = logging.getLogger(__name__)
PART_BYTES = 64 << 20  # what is larger goes in parts
_ATTEMPTS = 3  # to read a body that was cut
_OPTIONS = Config(
    signature_version="s3v4",
    s3={"addressing_style": "path"},
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
    retries={"max_attempts": 5, "mode": "standard"},
    connect_timeout=10,
    read_timeout=60,
    max_pool_connections=16,
)
_REMEDIES = {
    "InvalidAccessKeyId": "it does not know HIPPIUS_ACCESS_KEY; make a key in its console, at Hippius hip_...",
    "SignatureDoesNotMatch": "HIPPIUS_SECRET_KEY does not belong to HIPPIUS_ACCESS_KEY; set both anew",
    "NoSuchBucket": "there is no such bucket; create it once in its console, or mend the address",
    "NoSuchKey": "what was written is not there yet; later it may be",
    "InsufficientAccountCredit": "the account has no credit left; top it up, then `synthcity vault flush`",
    "UploadNotPermitted": "the account may not upload; top it up, then `synthcity vault flush`",
}
_BY_STATUS = {
    402: _REMEDIES["InsufficientAccountCredit"],
    403: "the key has no right to do that there; give its token read and write on this bucket",
    404: _REMEDIES["NoSuchBucket"],
}


class S3Vault(Vault):
    """Objects in a bucket, below a prefix.

    Args:
        bucket, prefix: where.
        settings: endpoint and keys.
        circuit: keeps from asking what does not answer.
        part_bytes: what is larger goes in parts of so many bytes.

    Raises:
        ConfigError: a key is missing or cannot be one.
    """

    def __init__(
        self,
        bucket: str,
        prefix: str,
        settings: Settings,
        *,
        circuit: Circuit | None = None,
        part_bytes: int = PART_BYTES,
    ) -> None:
        self._bucket, self._prefix = bucket, f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._endpoint = settings.hippius_endpoint
        self._circuit = circuit or Circuit()
        self._part_bytes = part_bytes
        self._is_tidied = False
        self._lock = threading.Lock()
        self._client = _client(settings)

    @property
    def name(self) -> str:
        """The address; no key."""
        return f"s3://{self._bucket}/{self._prefix}".rstrip("/")

    def check(self) -> None:
        """Ask for the bucket, and write, read and remove a small object."""
        with self._asked("be looked at"):
            self._client.list_objects_v2(Bucket=self._bucket, MaxKeys=1)
        key, content = f"{self._prefix}check/{secrets.token_hex(8)}", secrets.token_bytes(16)
        with self._asked("be written"):
            self._client.put_object(Bucket=self._bucket, Key=key, Body=content)
        with self._asked("be read"):
            back = self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        with self._asked("be tidied"):
            self._client.delete_object(Bucket=self._bucket, Key=key)
        if back != content:
            raise VaultError(f"{self.name} gives back other bytes than it was given; name another vault")

    def put(self, key: str, file: BinaryIO, digest: Digest) -> None:
        """See ``Vault.put``."""
        where = {"Bucket": self._bucket, "Key": self._prefix + checked(key)}
        told = {"Metadata": {"sha256": digest.sha256}, "ContentType": "application/octet-stream"}
        self._tidy()
        file.seek(0)
        with self._asked("be written"):
            if digest.size <= self._part_bytes:
                self._client.put_object(**where, **told, Body=file, ContentLength=digest.size)
            else:
                self._put_parts(where, told, file)

    def get(self, key: str, file: BinaryIO, *, most: int) -> None:
        """See ``Vault.get``; a body that is cut on its way is asked for again."""
        where = {"Bucket": self._bucket, "Key": self._prefix + checked(key)}
        begin = file.tell()
        for attempt in range(_ATTEMPTS):
            try:
                with self._asked("be read", key):
                    found = self._client.get_object(**where)
                    with contextlib.closing(found["Body"]) as body:
                        if found["ContentLength"] > most:
                            raise too_large(self.name, key, most)
                        for chunk in body.iter_chunks(CHUNK):
                            file.write(chunk)
                return
            except _Cut:
                file.seek(begin)
                file.truncate()
                if attempt == _ATTEMPTS - 1:
                    raise

    def head(self, key: str) -> Digest | None:
        """See ``Vault.head``."""
        try:
            with self._asked("be read", key):
                found = self._client.head_object(Bucket=self._bucket, Key=self._prefix + checked(key))
        except Absent:
            return None
        return Digest(int(found["ContentLength"]), str(found.get("Metadata", {}).get("sha256", "")))

    def list(self, folder: str) -> Iterator[str]:
        """See ``Vault.list``; all pages."""
        above = self._prefix + (f"{checked(folder).rstrip('/')}/" if folder else "")
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=above, Delimiter="/", PaginationConfig={"PageSize": 1000}
        )
        pages = iter(pages)
        while True:
            with self._asked("be listed"):
                page: dict[str, Any] | None = next(pages, None)
            if page is None:
                return
            names = [found["Prefix"] for found in page.get("CommonPrefixes", ())]
            names += [found["Key"] for found in page.get("Contents", ()) if not found["Key"].endswith("/")]
            yield from sorted(name.removeprefix(above) for name in names)

    def delete(self, key: str) -> None:
        """See ``Vault.delete``."""
        with self._asked("be written"):
            self._client.delete_object(Bucket=self._bucket, Key=self._prefix + checked(key))

    def abort_unfinished(self, *, older_seconds: float = DAY) -> int:
        """Abort multipart uploads that were begun so long ago, and return how many; nobody else ever would."""
        count, before = 0, datetime.now(UTC) - timedelta(seconds=older_seconds)
        with self._asked("be tidied"):
            pages = self._client.get_paginator("list_multipart_uploads")
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix):
                for upload in page.get("Uploads", ()):
                    if upload["Initiated"] <= before:
                        self._client.abort_multipart_upload(
                            Bucket=self._bucket, Key=upload["Key"], UploadId=upload["UploadId"]
                        )
                        count += 1
        return count

    def _tidy(self) -> None:
        """Do so once, before the first write; a vault that refuses it can be written all the same."""
        with self._lock:
            begins, self._is_tidied = not self._is_tidied, True
        if begins:
            try:
                self.abort_unfinished()
            except VaultError as error:
                _log.warning("unfinished uploads were not looked for: %s", error)

    def _put_parts(self, where: dict[str, str], told: dict[str, Any], file: BinaryIO) -> None:
        upload = self._client.create_multipart_upload(**where, **told)["UploadId"]
        try:
            parts: list[dict[str, object]] = []
            while chunk := file.read(self._part_bytes):
                number = len(parts) + 1
                done = self._client.upload_part(**where, UploadId=upload, PartNumber=number, Body=chunk)
                parts.append({"PartNumber": number, "ETag": done["ETag"]})
            self._client.complete_multipart_upload(**where, UploadId=upload, MultipartUpload={"Parts": parts})
        except BaseException:
            with contextlib.suppress(BotoCoreError, ClientError):  # the first error is the one to tell
                self._client.abort_multipart_upload(**where, UploadId=upload)
            raise

    @contextlib.contextmanager
    def _asked(self, what: str, key: str | None = None) -> Iterator[None]:
        """Make one sentence of what goes wrong; the server's own words are left out, as they may repeat a key."""
        self._circuit.check()
        try:
            yield
        except ClientError as error:
            status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
            code = str(error.response.get("Error", {}).get("Code", ""))
            if key is not None and (code == "NoSuchKey" or (status == 404 and code != "NoSuchBucket")):
                self._circuit.succeeded()
                raise Absent(f"{self.name} holds no {key}") from None
            told = "" if code.isdigit() else "".join(c for c in code if c.isalnum())[:40]  # none comes with a HEAD
            remedy = _REMEDIES.get(code) or _BY_STATUS.get(status) or "it is overloaded or down; later it may answer"
            text = f"{self.name} cannot {what} ({' '.join(filter(None, (str(status), told)))}): {remedy}"
            if status >= 500:
                self._circuit.failed(text)
            else:
                self._circuit.succeeded()
            raise VaultError(text) from None
        except (IncompleteReadError, ReadTimeoutError, ResponseStreamingError) as error:
            text = f"{self.name} cannot {what}: its answer ended too early ({type(error).__name__})"
            self._circuit.failed(text)
            raise _Cut(text) from None
        except BotoCoreError as error:
            text = (
                f"{self.name} cannot {what}: {self._endpoint} does not answer ({type(error).__name__}); see whether "
                "the network is up and HIPPIUS_ENDPOINT is right"
            )
            self._circuit.failed(text)
            raise VaultError(text) from None
        self._circuit.succeeded()


class _Cut(VaultError):
    """A body came to its end too early."""


@functools.cache
def _session() -> Any:
    return boto3.session.Session()  # which keeps the descriptions of the service that it has read


def _client(settings: Settings) -> Any:
    keys = {"HIPPIUS_ACCESS_KEY": settings.hippius_access_key, "HIPPIUS_SECRET_KEY": settings.hippius_secret_key}
    missing = [name for name, key in keys.items() if not key]
    if missing:
        words = f"{' and '.join(missing)}; set {'them' if missing[1:] else 'it'} in the environment or .env"
        raise ConfigError(f"a vault in a bucket needs {words}")
    access, secret = (key.reveal() for key in keys.values())
    host = urlsplit(settings.hippius_endpoint).hostname or ""
    if (host == "hippius.com" or host.endswith(".hippius.com")) and not access.startswith("hip_"):
        raise ConfigError("HIPPIUS_ACCESS_KEY must begin with hip_ at Hippius; make such a key in its console")
    try:
        return _session().client(
            "s3",
            endpoint_url=settings.hippius_endpoint,
            region_name="decentralized",
            aws_access_key_id=access,
            aws_secret_access_key=secret,
            config=_OPTIONS,
        )
    except (BotoCoreError, ValueError) as error:  # of AWS's own files of settings, which it reads
        raise ConfigError(f"boto3 cannot be set up ({type(error).__name__}); see AWS_* and ~/.aws") from None
