"""Who is let in to the emulator: raw requests to its process, as a browser, a page and a client send them."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError

from provisioner.emulator import local
from provisioner.emulator.control_client import STATE, ask, bearer
from provisioner.emulator.local import RunningEmulator
from provisioner.emulator.server import LocalAws
from provisioner.emulator.services import SERVICES
from provisioner.resources import RESOURCE_TYPES
from tests.support.account_inventory import client
from tests.support.loaded_services import CALLS
from tests.support.user import ROOT

FORBIDDEN = 403
SIGNED = "Authorization: AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/{}/aws4_request, Signature=0"
FORM = "Content-Type: application/x-www-form-urlencoded"
LIST = "Action=DescribeVpcs&Version=2016-11-15"


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEmulator]:
    """A process of its own, that two more names are let in to."""
    home = tmp_path_factory.mktemp("emulator")
    yield local.start_emulator(home, hosts=["aws", "ci.example"])
    assert local.stop_emulator(home)


def port(emulator: RunningEmulator) -> int:
    return int(emulator.endpoint.rpartition(":")[2])


def sent(emulator: RunningEmulator, line: str, *headers: str, body: str = "") -> tuple[int, dict[str, str], str]:
    """Send one request as it stands; return status, headers and body of what comes back."""
    lines = [f"{line} HTTP/1.1", *headers, f"Content-Length: {len(body)}", "Connection: close", "", body]
    with socket.create_connection(("127.0.0.1", port(emulator)), timeout=10) as connection:
        connection.sendall("\r\n".join(lines).replace("{port}", str(port(emulator))).encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    head, _, told = answer.partition("\r\n\r\n")
    first, *rest = head.split("\r\n")
    named = {name.lower(): value for name, _, value in (each.partition(": ") for each in rest)}
    return int(first.split()[1]), named, told


def described(emulator: RunningEmulator, *headers: str, line: str = "POST /") -> tuple[int, dict[str, str], str]:
    """A call that is well but for the headers given."""
    return sent(emulator, line, FORM, SIGNED.format("ec2"), *headers, body=LIST)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:{port}",
        "127.0.0.1",
        "localhost:{port}",
        "LocalHost",
        "[::1]:{port}",
        "[::1]",
        "127.0.0.1:4566",
        "aws:4566",
        "AWS",
        "ci.example:{port}",
    ],
)
def test_loopback_and_the_names_that_were_given_are_let_in(emulator: RunningEmulator, host: str) -> None:
    status, _, told = described(emulator, f"Host: {host}")

    assert status == 200, told
    assert "DescribeVpcsResponse" in told


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "127.0.0.1.evil.example:{port}",
        "localhost.evil.example",
        "evil-aws",
        "a.aws",
        "localhost:{port}@evil.example",
        "127.0.0.1:{port}/evil",
        "0.0.0.0:{port}",
        "[::]:{port}",
        "10.0.0.1",
        "[fe80::1]:{port}",
        "2130706433:{port}",
        "",
        ":{port}",
        "127.0.0.1:x",
        "127.0.0.1, evil.example",
    ],
)
def test_a_foreign_host_is_refused_with_what_to_type(emulator: RunningEmulator, host: str) -> None:
    status, _, told = described(emulator, f"Host: {host}")

    assert status == FORBIDDEN
    assert "local start --host NAME" in told
    assert "vpc-" not in told


def test_a_request_without_a_host_or_with_two_is_refused(emulator: RunningEmulator) -> None:
    assert described(emulator)[0] == FORBIDDEN
    assert described(emulator, "Host: evil.example", "Host: localhost")[0] == FORBIDDEN
    assert described(emulator, "Host: localhost", "Host: evil.example")[0] == FORBIDDEN


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("http://evil.example/", FORBIDDEN),
        ("http://evil.example:{port}/_embedded/health", FORBIDDEN),
        ("http://localhost@evil.example/", FORBIDDEN),
        ("http:///", FORBIDDEN),
        ("http://localhost:{port}/", 200),
        ("http://127.0.0.1:{port}", 200),
    ],
)
def test_the_absolute_form_of_a_request_is_held_against_the_same_names(
    emulator: RunningEmulator, target: str, status: int
) -> None:
    assert described(emulator, "Host: localhost:{port}", line=f"POST {target}")[0] == status


@pytest.mark.parametrize(
    "header",
    [
        "Origin: https://evil.example",
        "Origin: null",
        "Origin:",
        "origin: http://localhost:{port}",
        "Origin: http://127.0.0.1:{port}",
        "Sec-Fetch-Site: cross-site",
        "Sec-Fetch-Site: same-site",
        "Sec-Fetch-Site: same-origin",
    ],
)
def test_what_a_web_page_sends_is_refused_and_nothing_is_allowed_it(emulator: RunningEmulator, header: str) -> None:
    status, headers, told = described(emulator, "Host: localhost:{port}", header)

    assert status == FORBIDDEN
    assert "web page" in told
    assert [name for name in headers if name.startswith("access-control-")] == []


def test_a_preflight_is_refused_and_says_nothing_of_other_origins(emulator: RunningEmulator) -> None:
    asks = ("Access-Control-Request-Method: POST", "Access-Control-Request-Headers: authorization")
    for origin in (("Origin: https://evil.example",), ()):
        status, headers, _ = sent(emulator, "OPTIONS /", "Host: localhost:{port}", *asks, *origin)
        assert status == FORBIDDEN
        assert [name for name in headers if name.startswith("access-control-")] == []


def test_no_answer_allows_another_origin_anything(emulator: RunningEmulator) -> None:
    buckets = ("Host: localhost:{port}", SIGNED.format("s3"))
    for line in ("PUT /a-bucket", "GET /a-bucket", "GET /", "HEAD /a-bucket", "DELETE /a-bucket"):
        status, headers, _ = sent(emulator, line, *buckets)
        assert status < 300, line
        assert [name for name in headers if name.startswith("access-control-")] == []


def test_a_page_that_is_opened_by_hand_is_none_of_another_page(emulator: RunningEmulator) -> None:
    assert described(emulator, "Host: localhost:{port}", "Sec-Fetch-Site: none")[0] == 200


@pytest.mark.parametrize(
    "line",
    [
        "GET /?Action=DescribeVpcs&Version=2016-11-15",
        "GET /?Action=DescribeVpcs&X-Amz-Credential=a%2F20260101%2Fus-east-1%2Fec2%2Faws4_request",
        "POST /",
        "GET /",
        "GET /a-bucket",
        "GET /moto-api/",
        "POST /moto-api/reset",
        "GET /favicon.ico",
        "GET /latest/meta-data/iam/security-credentials/",
    ],
)
def test_a_request_without_a_signature_in_its_header_is_nobodys(emulator: RunningEmulator, line: str) -> None:
    """What an image or a form of a page can send, which bears no Origin in every browser."""
    status, _, told = sent(emulator, line, "Host: localhost:{port}", FORM, body=LIST)

    assert status == FORBIDDEN
    assert "signed" in told


@pytest.mark.parametrize(
    "service", ["lambda", "batch", "sagemaker", "codebuild", "apigateway", "execute-api", "no-such"]
)
def test_a_service_that_the_product_does_not_use_is_refused(emulator: RunningEmulator, service: str) -> None:
    status, _, told = sent(emulator, "GET /2015-03-31/functions/", "Host: localhost:{port}", SIGNED.format(service))

    assert status == 501
    assert f"does not serve {service}" in told


@pytest.mark.parametrize("path", ["/moto-api/data.json", "/moto-api/reset", "/v20180820/jobs", "/latest/meta-data/"])
@pytest.mark.parametrize("service", ["s3", "ec2"])
def test_what_moto_serves_by_path_is_refused_whoever_signs(emulator: RunningEmulator, path: str, service: str) -> None:
    status, _, told = sent(emulator, f"POST {path}", "Host: localhost:{port}", SIGNED.format(service))

    assert status == 501
    assert "does not serve" in told


def test_the_refusal_of_a_service_reaches_boto3_with_its_reason(emulator: RunningEmulator) -> None:
    with pytest.raises(ClientError, match="does not serve lambda") as caught:
        client(emulator.endpoint, "lambda").list_functions()

    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_the_refusal_of_a_host_reaches_boto3_with_its_reason(emulator: RunningEmulator) -> None:
    for service, call in (
        ("ec2", "describe_vpcs"),
        ("ecs", "list_clusters"),
        ("s3", "list_buckets"),
        ("rds", "describe_db_clusters"),
    ):
        there = boto3.Session("a", "b").client(service, "us-east-1", endpoint_url=emulator.endpoint)
        there.meta.events.register("before-send", lambda request, **_: request.headers.update(Host="evil"))
        with pytest.raises(ClientError, match=r"AccessDenied.*local start --host NAME"):
            getattr(there, call)()


def test_all_that_the_product_calls_is_served() -> None:
    used = set(re.findall(r'service_name = "([a-z0-9-]+)"', (ROOT / "provisioner" / "service_clients.py").read_text()))
    used |= {type(resource_type).service for resource_type in RESOURCE_TYPES.values()}
    assert len(used) > 20
    assert used - {"pricing"} <= SERVICES  # a price list is no part of what stands: moto has none
    assert {service for service, _, _ in CALLS} <= SERVICES
    assert SERVICES.isdisjoint({"lambda", "batch"})


CONTROL = [("GET", "health"), ("GET", "calls"), ("POST", "reset"), ("POST", "clock"), ("POST", "faults"),
           ("POST", "authorise"), ("GET", "nonsense")]  # fmt: skip


@pytest.mark.parametrize(("verb", "path"), CONTROL)
@pytest.mark.parametrize(
    "shown",
    [
        (),
        ("Authorization: Bearer ",),
        ("Authorization: Bearer wrong",),
        ("Authorization: {token}",),
        ("Authorization: Basic {token}",),
        ("Authorization: Bearer {token}x",),
        ("Authorization: Bearer \xe9",),
    ],
)
def test_the_control_port_answers_nobody_without_the_token(
    emulator: RunningEmulator, verb: str, path: str, shown: tuple[str, ...]
) -> None:
    headers = [header.replace("{token}", emulator.token) for header in shown]
    status, _, told = sent(emulator, f"{verb} /_embedded/{path}", "Host: localhost:{port}", *headers, body="[]")

    assert status == FORBIDDEN
    assert STATE in told
    assert emulator.instance not in told


def test_with_the_token_a_page_is_refused_all_the_same(emulator: RunningEmulator) -> None:
    token = f"Authorization: {bearer(emulator.token)}"
    good = sent(emulator, "GET /_embedded/health", "Host: localhost", token)
    assert (good[0], json.loads(good[2])["pid"]) == (200, emulator.pid)
    for header in ("Host: evil.example", "Origin: http://localhost:{port}"):
        hosts = [header] if header.startswith("Host") else ["Host: localhost", header]
        assert sent(emulator, "POST /_embedded/reset", *hosts, token)[0] == FORBIDDEN


def test_each_emulator_has_a_token_of_its_own_that_nothing_shows(
    emulator: RunningEmulator, emulator_server: LocalAws
) -> None:
    assert len(emulator.token) >= 32
    assert emulator.token != emulator_server.emulator.token
    assert emulator.token not in repr(emulator)
    status, _ = ask(emulator_server.endpoint, emulator.token, "GET", "health")
    assert status == FORBIDDEN


def test_the_users_of_a_distribution_come_in_by_its_name(emulator: RunningEmulator) -> None:
    """Nobody listens there yet: the connection ends, and it is neither refused nor taken for a call."""
    with pytest.raises((ConnectionError, IndexError, ValueError)):
        sent(emulator, "GET /", "Host: d111.cloudfront.net")
    assert sent(emulator, "GET /", "Host: d111.cloudfront.net", "Origin: https://evil.example")[0] == FORBIDDEN
    assert described(emulator, "Host: evil.example")[0] == FORBIDDEN


def test_bound_elsewhere_it_still_answers_only_to_its_names(tmp_path: Path) -> None:
    there = local.start_emulator(tmp_path, address="0.0.0.0", hosts=["aws"])
    try:
        assert there.endpoint.startswith("http://127.0.0.1:")
        assert local.running_emulator(tmp_path) == there
        assert described(there, "Host: aws:{port}")[0] == 200
        assert described(there, "Host: 0.0.0.0:{port}")[0] == FORBIDDEN
    finally:
        assert local.stop_emulator(tmp_path)
