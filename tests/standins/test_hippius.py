"""The contract of the stand-in, held against boto3 itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError, ResponseStreamingError

from tests.standins.hippius import BUCKET, Running, client, running_hippius


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running_hippius() as found:
        client(found).create_bucket(Bucket=BUCKET)
        yield found


def refused(call: object, **arguments: object) -> tuple[int, str]:
    with pytest.raises(ClientError) as caught:
        call(Bucket=BUCKET, **arguments)  # type: ignore[operator]
    answer = caught.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]


def test_its_rules(server: Running) -> None:
    server.script(page=7)
    s3 = client(server)
    assert refused(client(server, "5Seed phrase").put_object, Key="a", Body=b"") == (403, "InvalidAccessKeyId")
    assert refused(s3.create_bucket) == (409, "BucketAlreadyExists")
    for odd in "a#b", "a[0]", "a{b}", "a~b":
        assert refused(s3.put_object, Key=odd, Body=b"") == (400, "InvalidArgument")
    for at in range(16):
        s3.put_object(Bucket=BUCKET, Key=f"many/{at:02d}", Body=b"x", Metadata={"sha256": "00"})
    page = s3.list_objects_v2(Bucket=BUCKET, Prefix="many/", MaxKeys=2000)
    assert (len(page["Contents"]), page["IsTruncated"]) == (7, True)
    pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="many/"))
    assert sum(len(page["Contents"]) for page in pages) == 16
    s3.put_object(Bucket=BUCKET, Key="many/00", Body=b"y", IfNoneMatch="*")  # ignored, as it is
    assert s3.get_object(Bucket=BUCKET, Key="many/00")["Body"].read() == b"y"
    assert s3.head_object(Bucket=BUCKET, Key="many/01")["Metadata"] == {"sha256": "00"}
    assert refused(s3.get_object, Key="none") == (404, "NoSuchKey")
    s3.delete_object(Bucket=BUCKET, Key="none")
    with pytest.raises(ClientError, match="NoSuchBucket"):
        s3.put_object(Bucket="another", Key="a", Body=b"")


def test_its_faults(server: Running) -> None:
    s3 = client(server)
    server.script("credit", {"do": "credit", "method": "DELETE"}, "slow", "cut_put", "cut_get")
    assert refused(s3.put_object, Key="a", Body=b"12345678") == (402, "InsufficientAccountCredit")
    assert refused(s3.delete_object, Key="a") == (402, "InsufficientAccountCredit")
    s3.put_object(Bucket=BUCKET, Key="a", Body=b"12345678")  # slow, tried again, and cut then
    assert s3.head_object(Bucket=BUCKET, Key="a")["ContentLength"] == 4
    with pytest.raises(ResponseStreamingError):
        s3.get_object(Bucket=BUCKET, Key="a")["Body"].read()
    assert server.state()["left"] == []
    server.script("absent", absent_seconds=60.0)
    s3.put_object(Bucket=BUCKET, Key="late", Body=b"x")
    assert refused(s3.get_object, Key="late") == (404, "NoSuchKey")
    server.script(absent_seconds=0.0)


def test_its_multiparts(server: Running) -> None:
    server.script()
    s3 = client(server)
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="parts")["UploadId"]
    assert [found["UploadId"] for found in s3.list_multipart_uploads(Bucket=BUCKET)["Uploads"]] == [upload]
    part = s3.upload_part(Bucket=BUCKET, Key="parts", UploadId=upload, PartNumber=1, Body=b"x" * 10)
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    s3.complete_multipart_upload(Bucket=BUCKET, Key="parts", UploadId=upload, MultipartUpload=parts)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=BUCKET)
    assert s3.head_object(Bucket=BUCKET, Key="parts")["ETag"].endswith('-1"')


def test_it_tells_what_it_was_asked_and_finds_canaries(server: Running) -> None:
    server.script(canaries=["yellow"])
    client(server).put_object(Bucket=BUCKET, Key="bird", Body=b"a yellow bird")
    state = server.state()
    assert state["seen"] == [["PUT", f"/{BUCKET}/bird", ""]]
    assert state["told"] == ["yellow"]
