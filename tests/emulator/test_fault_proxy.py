"""The front before the emulator does what it is ordered to, at the request that is meant and at no other."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.support.fault_proxy import FaultProxy, Trust, plays
from tests.support.fault_proxy.front import Play
from tests.support.user import User

ONCE = Config(retries={"total_max_attempts": 1}, proxies={}, s3={"addressing_style": "path"})


@pytest.fixture
def front(user: User) -> Iterator[FaultProxy]:
    with FaultProxy(user.box.endpoint) as made:
        yield made


def client(service: str, front: FaultProxy, **more: Any) -> Any:
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "us-east-1"}
    return boto3.client(service, **keys, endpoint_url=front.url, config=ONCE, **more)


def asked(front: FaultProxy, path: str = "/", method: str = "GET") -> tuple[HTTPResponse, bytes]:
    with contextlib.closing(HTTPConnection("127.0.0.1", front.port, timeout=5)) as connection:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer, answer.read()


def test_what_is_not_ordered_passes_and_is_noted(front: FaultProxy) -> None:
    ec2 = client("ec2", front)
    made = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]

    assert [one["VpcId"] for one in ec2.describe_vpcs(VpcIds=[made])["Vpcs"]] == [made]
    assert front.operations() == ["ec2:CreateVpc", "ec2:DescribeVpcs"]


def test_only_the_request_that_is_meant_meets_the_order(front: FaultProxy) -> None:
    order = front.order(plays.refusal("Odd"), service="ec2", operation="DescribeVpcs", nth=2, times=2)
    ec2 = client("ec2", front)
    codes = []
    for _ in range(4):
        try:
            ec2.describe_vpcs()
            ec2.describe_subnets()
            codes.append("")
        except ClientError as error:
            codes.append(error.response["Error"]["Code"])

    assert codes == ["", "Odd", "Odd", ""]
    assert order.struck == 2


@pytest.mark.parametrize(
    ("service", "operation", "params"),
    [
        ("ec2", "describe_vpcs", {}),
        ("ecs", "list_clusters", {}),
        ("sts", "get_caller_identity", {}),
        ("s3", "get_object", {"Bucket": "b", "Key": "k"}),
        ("cloudfront", "list_distributions", {}),
        ("cloudwatch", "describe_alarms", {}),
    ],
)
def test_a_refusal_is_read_in_the_protocol_of_the_call(
    front: FaultProxy, service: str, operation: str, params: dict[str, str]
) -> None:
    front.order(plays.refusal("SomeCode", 400, "some words"))

    with pytest.raises(ClientError) as caught:
        getattr(client(service, front), operation)(**params)

    assert caught.value.response["Error"]["Code"] == "SomeCode"
    assert caught.value.response["Error"]["Message"] == "some words"


@pytest.mark.parametrize(
    ("play", "status", "body"),
    [
        (plays.bare_429(), 429, b""),
        (plays.page(), 200, plays.PAGE),
        (plays.empty(), 200, b""),
        (plays.no_content_told(), 200, b"{}"),
        (plays.redirect(), 302, plays.PAGE),
        (plays.wants_proxy_credentials(), 407, None),
        (plays.bad_gateway(), 502, None),
        (plays.garbled(b"?"), None, b"?"),
    ],
)
def test_a_reply_comes_as_it_is_named(front: FaultProxy, play: Play, status: int | None, body: bytes | None) -> None:
    front.order(play, path="/nothing-is-here")
    answer, told = asked(front, "/nothing-is-here")

    assert status in (None, answer.status)
    assert body is None or told == body


def test_a_throttle_says_when(front: FaultProxy) -> None:
    front.order(plays.bare_429(250))

    assert asked(front)[0].headers["x-amz-retry-after"] == "250"


@pytest.mark.parametrize("play", [plays.cut(), plays.hung_up(), plays.reset(), plays.no_http()])
def test_what_breaks_on_the_way_is_no_answer(front: FaultProxy, play: Play) -> None:
    front.order(plays.after(play), operation="DescribeVpcs")
    ec2 = client("ec2", front)

    with pytest.raises(Exception, match=r"(?i)read|connection|closed|reset|http|parse"):
        ec2.describe_vpcs()
    assert ec2.describe_vpcs()["Vpcs"]


def test_a_reset_is_a_reset(front: FaultProxy) -> None:
    front.order(plays.reset())
    with pytest.raises(ConnectionResetError):
        asked(front)


def test_after_means_that_the_call_took_effect(front: FaultProxy, user: User) -> None:
    front.order(plays.after(plays.hung_up()), operation="CreateVpc")
    with pytest.raises(Exception, match="closed"):
        client("ec2", front).create_vpc(CidrBlock="10.0.0.0/16")

    assert user.acts() == ["ec2:CreateVpc"]


def test_before_means_that_it_did_not(front: FaultProxy, user: User) -> None:
    front.order(plays.hung_up(), operation="CreateVpc")
    with pytest.raises(Exception, match="closed"):
        client("ec2", front).create_vpc(CidrBlock="10.0.0.0/16")

    assert user.acts() == []


@pytest.mark.parametrize("head", [True, False])
def test_bytes_drip(front: FaultProxy, head: bool) -> None:
    front.order(plays.dripped(0.002, head=head), path="/dripping")
    began = time.monotonic()
    _, body = asked(front, "/dripping")

    assert body
    assert time.monotonic() - began > 0.002 * len(body)


def test_the_end_of_the_front_ends_what_is_silent_or_drips(user: User) -> None:
    with FaultProxy(user.box.endpoint) as front:
        front.order(plays.silent(front), path="/silent")
        front.order(plays.dripped_page(60), path="/page")
        waiting = [HTTPConnection("127.0.0.1", front.port, timeout=5) for _ in range(2)]
        for connection, path in zip(waiting, ("/silent", "/page"), strict=True):
            connection.request("GET", path)
        started = waiting[1].getresponse()
    for ended in (waiting[0].getresponse, started.read):
        with pytest.raises((HTTPException, OSError)):
            ended()
    for connection in waiting:
        connection.close()


def test_nobody_listens_for_a_while(front: FaultProxy) -> None:
    port = front.port
    front.leave(0.1)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=1)
    until = time.monotonic() + 5
    while time.monotonic() < until:
        try:
            assert asked(front, "/")[0].status
            break
        except OSError:
            continue

    assert front.port == port
    assert front.seen


def test_a_proxy_goes_away_at_a_call(front: FaultProxy) -> None:
    front.order(plays.away(front, 0.05), operation="DescribeVpcs")
    with pytest.raises(Exception, match=r"(?i)closed|connect"):
        client("ec2", front).describe_vpcs()


def test_a_store_leaves_out_what_s3_tells(front: FaultProxy) -> None:
    s3 = client("s3", front)
    s3.create_bucket(Bucket="some-bucket")
    front.order(plays.weak_etag(), operation="PutObject")
    front.order(plays.without_header("Date"), operation="GetObject")

    assert s3.put_object(Bucket="some-bucket", Key="k", Body=b"text")["ETag"].startswith('W/"')
    told = s3.get_object(Bucket="some-bucket", Key="k")
    assert "date" not in told["ResponseMetadata"]["HTTPHeaders"]
    assert told["Body"].read() == b"text"


def test_tls_is_trusted_by_whom_it_is_told(user: User, tmp_path: Path) -> None:
    trust = Trust(tmp_path / "trust")
    with FaultProxy(user.box.endpoint, trust, tls=True) as front:
        told = client("sts", front, verify=str(trust.bundle)).get_caller_identity()
        assert told["Account"]

        with pytest.raises(Exception, match="CERTIFICATE_VERIFY_FAILED"):
            client("sts", front).get_caller_identity()

        front.shows_expired = True
        with pytest.raises(Exception, match="expired"):
            client("sts", front, verify=str(trust.bundle)).get_caller_identity()


def test_a_handshake_is_cut(user: User, tmp_path: Path) -> None:
    trust = Trust(tmp_path / "trust")
    with FaultProxy(user.box.endpoint, trust, tls=True) as front:
        front.cut_handshakes()
        sts = client("sts", front, verify=str(trust.bundle))
        with pytest.raises(Exception, match=r"(?i)ssl|eof|closed|reset"):
            sts.get_caller_identity()

        assert sts.get_caller_identity()["Account"]


def test_a_proxy_opens_what_goes_to_aws(user: User, tmp_path: Path) -> None:
    trust = Trust(tmp_path / "trust")
    with FaultProxy(user.box.endpoint, trust) as front:
        through = Config(proxies={"https": f"http://127.0.0.1:{front.port}"})
        keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "us-east-1"}
        made = {
            name: boto3.client(name, **keys, verify=str(trust.bundle), config=through) for name in ("ec2", "s3", "sts")
        }
        assert made["sts"].get_caller_identity()["Account"]
        made["s3"].create_bucket(Bucket="some-bucket")
        made["s3"].put_object(Bucket="some-bucket", Key="a/b", Body=b"text")

        assert made["s3"].get_object(Bucket="some-bucket", Key="a/b")["Body"].read() == b"text"
        assert {"ec2.us-east-1.amazonaws.com"} >= {one.host for one in front.seen if one.service == "ec2"}
        assert "s3:PutObject" in front.operations()
        assert any(one.method == "CONNECT" for one in front.seen)


def test_a_proxy_says_no_to_a_tunnel(front: FaultProxy) -> None:
    front.order(plays.wants_proxy_credentials(), method="CONNECT")
    made = HTTPSConnection("127.0.0.1", front.port, context=ssl.create_default_context())
    with contextlib.closing(made) as connection:
        connection.set_tunnel("sts.amazonaws.com", 443)

        with pytest.raises((OSError, HTTPException), match="407"):
            connection.request("GET", "/")


def test_a_process_is_told_where_to_go(user: User, tmp_path: Path) -> None:
    trust = Trust(tmp_path / "trust")
    with FaultProxy(user.box.endpoint, trust) as front:
        ran = user.process("plan", "--suffix", "a", "--set", "profile=seed", **front.as_proxy)

    assert ran.code == 0, ran.err
    assert "sts:GetCallerIdentity" in front.operations()
    assert all(one.host.endswith("amazonaws.com") for one in front.seen)
