"""The way a call takes: routing, hooks, errors, the log, and the control surface."""

from __future__ import annotations

import time
from http.client import HTTPConnection
from typing import Any

import pytest
from botocore.exceptions import ClientError

from provisioner.emulator.control_client import ask, bearer
from provisioner.emulator.errors import AwsError
from provisioner.emulator.hooks import always
from provisioner.emulator.server import LocalAws
from provisioner.emulator.wire import Call
from tests.emulator.conftest import Client
from tests.support.loaded_services import load_services


def control(box: LocalAws, verb: str, path: str, body: Any = None) -> tuple[int, Any]:
    return ask(box.endpoint, box.emulator.token, verb, path, body)


def shown(box: LocalAws) -> dict[str, str]:
    return {"Authorization": bearer(box.emulator.token)}


def test_health_says_who_answers(emulator_server: LocalAws) -> None:
    status, told = control(emulator_server, "GET", "health")
    assert status == 200
    assert told["instance"] == emulator_server.emulator.instance
    assert told["ready"] is True


def test_unknown_control_is_not_taken_for_aws(emulator_server: LocalAws) -> None:
    assert control(emulator_server, "GET", "nonsense")[0] == 404


def test_bad_control_input_is_refused(emulator_server: LocalAws) -> None:
    assert control(emulator_server, "POST", "clock", {"forward": 1})[0] == 400


def test_calls_are_logged_with_botocores_names(aws: Client, emulator_server: LocalAws) -> None:
    aws("ec2").create_vpc(CidrBlock="10.0.0.0/16")
    aws("cloudfront").list_distributions()
    aws("elbv2", "eu-west-1").describe_load_balancers()
    aws("cloudwatch").describe_alarms()
    with pytest.raises(ClientError):
        aws("dynamodb").describe_table(TableName="none-such")
    told = [(c["n"], c["service"], c["operation"], c["mutating"], c["error"]) for c in emulator_server.calls()]
    assert told == [
        (1, "ec2", "CreateVpc", True, ""),
        (2, "cloudfront", "ListDistributions", False, ""),
        (3, "elbv2", "DescribeLoadBalancers", False, ""),
        (4, "cloudwatch", "DescribeAlarms", False, ""),
        (5, "dynamodb", "DescribeTable", False, "ResourceNotFoundException"),
    ]
    assert emulator_server.calls()[2]["region"] == "eu-west-1"
    assert [c["n"] for c in control(emulator_server, "GET", "calls?since=4")[1]] == [5]


def test_reset_empties_and_is_quick(aws: Client, emulator_server: LocalAws) -> None:
    aws("ec2").create_vpc(CidrBlock="10.0.0.0/16")
    aws("s3").create_bucket(Bucket="a-bucket")
    started = time.perf_counter()
    control(emulator_server, "POST", "reset")
    assert time.perf_counter() - started < 0.05
    assert emulator_server.calls() == []
    assert len(aws("ec2").describe_vpcs()["Vpcs"]) == 1  # the default one
    assert aws("s3").list_buckets()["Buckets"] == []


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [
        ("ec2", "describe_capacity_block_status", "NotImplemented"),
        ("rds", "describe_account_attributes", "NotImplemented"),
        ("cloudfront", "list_realtime_log_configs", "NotImplemented"),
        ("ecs", "list_services_by_namespace", "UnknownOperationException"),
        ("pricing", "describe_services", "UnknownOperationException"),
    ],
)
def test_what_moto_lacks_is_a_well_formed_error(aws: Client, service: str, operation: str, code: str) -> None:
    with pytest.raises(ClientError) as caught:
        getattr(aws(service), operation)(**({"namespace": "n"} if service == "ecs" else {}))
    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


READS = [
    ("ec2", "DescribeVpcs", "describe_vpcs"),
    ("rds", "DescribeDBClusters", "describe_db_clusters"),
    ("ecs", "ListClusters", "list_clusters"),
    ("cloudfront", "ListDistributions", "list_distributions"),
    ("s3", "ListBuckets", "list_buckets"),
    ("cloudwatch", "DescribeAlarms", "describe_alarms"),
    ("route53", "ListHostedZones", "list_hosted_zones"),
]


@pytest.mark.parametrize(("service", "operation", "method"), READS)
def test_an_error_of_a_hook_reaches_boto3_in_every_protocol(
    aws: Client, monkeypatch: pytest.MonkeyPatch, service: str, operation: str, method: str
) -> None:
    def refuse(call: Call) -> None:
        raise AwsError("Some.Code", f"no <{call.operation}> & no more", 409)

    monkeypatch.setitem(always.befores, (service, operation), [refuse])
    with pytest.raises(ClientError) as caught:
        getattr(aws(service), method)()
    error = caught.value.response
    assert error["Error"]["Code"] == "Some.Code"
    assert error["Error"]["Message"] == f"no <{operation}> & no more"
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 409


@pytest.mark.parametrize(("service", "operation", "method"), READS)
def test_a_hook_sees_every_reply_and_leaves_it_whole(
    aws: Client, monkeypatch: pytest.MonkeyPatch, service: str, operation: str, method: str
) -> None:
    plain = getattr(aws(service), method)()
    seen: list[Any] = []
    monkeypatch.setitem(always.afters, (service, operation), [(lambda _, reply: seen.append(reply), lambda _: True)])
    hooked = getattr(aws(service), method)()
    del plain["ResponseMetadata"], hooked["ResponseMetadata"]
    assert hooked == plain
    assert len(seen) == 1


def test_a_trip_inside_moto_is_an_internal_failure(aws: Client) -> None:
    vpc = aws("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    with pytest.raises(ClientError) as caught:  # no such filter in moto
        aws("ec2").describe_vpcs(Filters=[{"Name": "no-such-filter", "Values": [vpc]}])
    assert caught.value.response["Error"]["Code"] in ("InternalFailure", "NotImplemented")


def test_loading_the_services_leaves_nothing(aws: Client, emulator_server: LocalAws) -> None:
    load_services(emulator_server.emulator)
    assert emulator_server.calls() == []
    assert aws("ec2").describe_nat_gateways()["NatGateways"] == []


def test_a_body_may_come_in_chunks(emulator_server: LocalAws) -> None:
    connection = HTTPConnection(emulator_server.endpoint.removeprefix("http://"), timeout=10)
    try:
        body = iter([b"{", b'"advance": 0', b"}"])
        chunked = {"Transfer-Encoding": "chunked"}
        connection.request("POST", "/_embedded/clock", body, shown(emulator_server) | chunked, encode_chunked=True)
        assert connection.getresponse().status == 200
    finally:
        connection.close()


def test_the_clock_moves_only_forward_by_what_it_is_told(emulator_server: LocalAws) -> None:
    _, before = control(emulator_server, "POST", "clock", {"advance": 0})
    _, after = control(emulator_server, "POST", "clock", {"advance": 60})
    assert 60 <= after["now"] - before["now"] < 61


def test_only_loopback_is_served(emulator_server: LocalAws) -> None:
    assert emulator_server.server.server_address[0] == "127.0.0.1"


def test_one_connection_serves_many_requests(emulator_server: LocalAws) -> None:
    connection = HTTPConnection(emulator_server.endpoint.removeprefix("http://"), timeout=10)
    try:
        connection.request("GET", "/_embedded/health", headers=shown(emulator_server))
        connection.getresponse().read()
        first = connection.sock
        connection.request("GET", "/_embedded/health", headers=shown(emulator_server))
        assert connection.getresponse().status == 200
        assert connection.sock is first
    finally:
        connection.close()
