"""Faults on order strike the call that is meant, before or after its effect."""

from __future__ import annotations

import signal
import subprocess
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ConnectionError, HTTPClientError
from botocore.parsers import ResponseParserError

from provisioner.emulator.server import LocalAws
from tests.emulator.conftest import Client, code_of
from tests.emulator.test_emulator import control

LOST = (ConnectionClosedError, ConnectionError, HTTPClientError)


def make_vpc(aws: Client) -> None:
    aws("ec2").create_vpc(CidrBlock="10.0.0.0/16")


def count(aws: Client) -> int:
    return len(aws("ec2").describe_vpcs()["Vpcs"]) - 1


@pytest.mark.parametrize(("fault", "effect"), [("lost_reply", 1), ("kill_after", 1), ("kill_before", 0), ("reset", 0)])
def test_a_connection_is_lost_before_or_after_the_effect(
    aws: Client, emulator_server: LocalAws, fault: str, effect: int
) -> None:
    emulator_server.faults({"at": 1, "fault": fault})
    with pytest.raises(LOST):
        make_vpc(aws)
    assert count(aws) == effect
    assert emulator_server.calls()[0]["status"] == 0
    make_vpc(aws)
    assert count(aws) == effect + 1


def test_a_reply_is_lost_even_where_it_is_a_refusal(aws: Client, emulator_server: LocalAws) -> None:
    emulator_server.faults({"operation": "rds:ModifyDBInstance", "fault": "lost_reply"})
    with pytest.raises(LOST):
        aws("rds").modify_db_instance(DBInstanceIdentifier="none")
    with pytest.raises(ClientError):
        aws("rds").modify_db_instance(DBInstanceIdentifier="none")


def test_a_reply_is_cut_after_the_effect(aws: Client, emulator_server: LocalAws) -> None:
    emulator_server.faults({"at": 1, "fault": "cut_reply"})
    with pytest.raises(ResponseParserError):
        make_vpc(aws)
    assert count(aws) == 1


@pytest.mark.parametrize(
    ("fault", "code", "effect"),
    [
        ("500_before", "InternalError", 0),
        ("500_after", "InternalError", 1),
        ("503_before", "ServiceUnavailable", 0),
        ("503_after", "ServiceUnavailable", 1),
    ],
)
def test_a_server_error_comes_before_or_after_the_effect(
    aws: Client, emulator_server: LocalAws, fault: str, code: str, effect: int
) -> None:
    emulator_server.faults({"operation": "ec2:CreateVpc", "fault": fault})
    with pytest.raises(ClientError) as caught:
        make_vpc(aws)
    assert code_of(caught) == code
    assert count(aws) == effect


CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("ec2", "describe_vpcs", {}),
    ("ecs", "list_clusters", {}),
    ("rds", "describe_db_clusters", {}),
    ("cloudfront", "list_distributions", {}),
    ("elbv2", "describe_load_balancers", {}),
    ("s3", "list_buckets", {}),
    ("cloudwatch", "describe_alarms", {}),
]
NAMES = {
    "ec2": "DescribeVpcs",
    "ecs": "ListClusters",
    "rds": "DescribeDBClusters",
    "cloudfront": "ListDistributions",
    "elbv2": "DescribeLoadBalancers",
    "s3": "ListBuckets",
    "cloudwatch": "DescribeAlarms",
}
CODES = {
    "throttle": {
        "ec2": ("RequestLimitExceeded", 503),
        "ecs": ("ThrottlingException", 400),
        "rds": ("Throttling", 400),
        "cloudfront": ("Throttling", 400),
        "elbv2": ("ThrottlingException", 400),
        "s3": ("SlowDown", 503),
        "cloudwatch": ("Throttling", 400),
    },
    "access_denied": {
        "ec2": ("UnauthorizedOperation", 403),
        "ecs": ("AccessDeniedException", 400),
        "rds": ("AccessDenied", 403),
        "cloudfront": ("AccessDenied", 403),
        "elbv2": ("AccessDenied", 403),
        "s3": ("AccessDenied", 403),
        "cloudwatch": ("AccessDenied", 403),
    },
    "expired": {
        "ec2": ("RequestExpired", 400),
        "ecs": ("ExpiredTokenException", 400),
        "rds": ("ExpiredToken", 403),
        "cloudfront": ("ExpiredToken", 403),
        "elbv2": ("ExpiredToken", 403),
        "s3": ("ExpiredToken", 403),
        "cloudwatch": ("ExpiredToken", 403),
    },
}


@pytest.mark.parametrize("fault", CODES)
@pytest.mark.parametrize(("service", "method", "params"), CALLS)
def test_refusals_are_in_the_services_own_words(
    aws: Client, emulator_server: LocalAws, fault: str, service: str, method: str, params: dict[str, Any]
) -> None:
    emulator_server.faults({"operation": f"{service}:{NAMES[service]}", "fault": fault})
    with pytest.raises(ClientError) as caught:
        getattr(aws(service), method)(**params)
    code, status = CODES[fault][service]
    assert code_of(caught) == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


def test_a_denial_names_the_action(aws: Client, emulator_server: LocalAws) -> None:
    emulator_server.faults({"operation": "elbv2:DescribeLoadBalancers", "fault": "access_denied"})
    with pytest.raises(ClientError, match="elasticloadbalancing:DescribeLoadBalancers"):
        aws("elbv2").describe_load_balancers()


def test_only_the_nth_mutating_call_is_struck_and_reads_do_not_count(aws: Client, emulator_server: LocalAws) -> None:
    emulator_server.faults({"at": 2, "times": 2, "fault": "throttle"})
    make_vpc(aws)
    for _ in range(2):
        assert count(aws) == 1
        with pytest.raises(ClientError):
            make_vpc(aws)
    make_vpc(aws)
    assert count(aws) == 2


def test_only_the_nth_call_of_an_operation_is_struck(aws: Client, emulator_server: LocalAws) -> None:
    status, _ = control(
        emulator_server, "POST", "faults", [{"operation": "ec2:DescribeVpcs", "nth": 2, "fault": "reset"}]
    )
    assert status == 200
    count(aws)
    with pytest.raises(LOST):
        count(aws)
    count(aws)


def test_a_delay_delays(aws: Client, emulator_server: LocalAws) -> None:
    emulator_server.faults({"operation": "ec2:DescribeVpcs", "fault": "delay", "seconds": 0.05})
    started = time.perf_counter()
    count(aws)
    assert time.perf_counter() - started > 0.05


def test_the_process_that_is_named_is_killed(aws: Client, emulator_server: LocalAws) -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        emulator_server.faults({"at": 1, "fault": "kill_after", "pid": child.pid})
        with pytest.raises(LOST):
            make_vpc(aws)
        assert child.wait(timeout=5) == -signal.SIGKILL
    assert count(aws) == 1


@pytest.mark.parametrize("order", [{"at": 1, "fault": "none"}, {"fault": "reset"}, {"at": 1, "what": 1}])
def test_an_order_that_means_nothing_is_refused(emulator_server: LocalAws, order: dict[str, Any]) -> None:
    assert control(emulator_server, "POST", "faults", [order])[0] == 400
