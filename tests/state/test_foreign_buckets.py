"""The state in a bucket that is not Amazon's: what the store lacks is told, what it ignores ends it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from provisioner.aws.connection import AwsConnection
from provisioner.aws.endpoints import SERVICES, describe_endpoints
from provisioner.bucket.address import Bucket
from provisioner.bucket.s3_object_store import S3ObjectStore
from provisioner.emulator.server import LocalAws
from provisioner.resources import RESOURCE_TYPES
from state.lease import LeaseLock
from tests.support import other_object_stores
from tests.support.fault_proxy import Answer, FaultProxy, plays
from tests.support.fault_proxy.front import KEYS, Play
from tests.support.user import User

STATE = "s3://team-state/ml"
HERE = {**KEYS, "AWS_DEFAULT_REGION": "us-east-1"}


def init(user: User, url: str, *more: str, **environment: str) -> tuple[int, str, str]:
    """`state init` in a bucket of the store at this URL; AWS itself is the emulator."""
    given = {**HERE, "AWS_ENDPOINT_URL": user.box.endpoint, **environment}
    ran = user.process("state", "init", "--yes", "--state", STATE, "--state-endpoint", url, *more, **given)
    return ran.code, ran.out, ran.err


def test_over_http_no_policy_locks_out_who_set_it(user: User) -> None:
    for _ in range(2):
        code, _, err = init(user, user.box.endpoint)
        assert code == 0, err
        assert "TLS only (left out: this store is called without TLS)" in err
        assert "writes are conditional (proven)" in err


@pytest.mark.parametrize(
    "operation",
    ["GetPublicAccessBlock", "PutBucketVersioning", "GetBucketEncryption", "GetBucketLifecycleConfiguration"],
)
@pytest.mark.parametrize("code", ["NotImplemented", "MethodNotAllowed", "MalformedXML"])
def test_a_measure_that_a_store_does_not_know_is_passed_over(user: User, operation: str, code: str) -> None:
    status = {"NotImplemented": 501, "MethodNotAllowed": 405}.get(code, 400)
    with FaultProxy(user.box.endpoint) as front:
        front.order(plays.refusal(code, status), service="s3", operation=operation, times=99)
        ended, out, err = init(user, front.url, "--json")

    assert ended == 0, err
    assert f"this store does not know it ({code})" in err
    assert len(json.loads(out)["left_out"]) == 2  # and TLS only


def test_a_measure_that_is_forbidden_is_not_passed_over(user: User) -> None:
    with FaultProxy(user.box.endpoint) as front:
        front.order(plays.refusal("AccessDenied", 403), operation="GetPublicAccessBlock", times=99)
        assert init(user, front.url)[0] != 0


def test_a_store_that_ignores_conditions_is_refused(user: User) -> None:
    with FaultProxy(user.box.endpoint) as front:
        ignored = plays.instead(Answer(200, (("ETag", '"any"'),)))
        front.order(ignored, service="s3", operation="PutObject", nth=2, times=99)
        code, _, err = init(user, front.url)

    assert code == 5
    assert "ignores the If-None-Match of a write" in err


def test_the_checksum_refusal_names_the_variable(user: User) -> None:
    with FaultProxy(user.box.endpoint) as front:
        refusal = plays.refusal("InvalidRequest", 400, "The value of x-amz-checksum-crc32 is not known")
        front.order(refusal, service="s3", operation="PutObject", times=99)
        code, _, err = init(user, front.url)

    assert code != 0
    assert "AWS_REQUEST_CHECKSUM_CALCULATION=when_required" in err


class Still:
    """A clock that moves where it is told to."""

    def now(self) -> float:
        return 0.0

    def wall(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        raise AssertionError(seconds)


@pytest.mark.parametrize(
    "play", [plays.weak_etag(), plays.without_header("Date"), plays.without_header("Last-Modified")]
)
def test_a_lock_is_taken_renewed_and_given_back(
    served: LocalAws, user: User, monkeypatch: pytest.MonkeyPatch, play: Play
) -> None:
    for name, value in {**HERE, "AWS_ENDPOINT_URL": user.box.endpoint}.items():
        monkeypatch.setenv(name, value)
    assert init(user, user.box.endpoint)[0] == 0
    with FaultProxy(user.box.endpoint) as front:
        front.order(play, service="s3", times=999)
        bucket = Bucket.parse(STATE, None, endpoint=front.url)
        object_store = S3ObjectStore(lambda: bucket.client, bucket.name)
        for fence in (1, 2):
            with LeaseLock(object_store, "ml/a.lock", "there", "apply", 0, Still()) as lock:
                lock.renew()
                lock.ensure_held()
                assert lock.fencing_token == fence
                assert lock.last_holder()[1]


def test_the_services_of_the_endpoints_are_those_of_the_resource_types() -> None:
    assert {resource_type.service for resource_type in RESOURCE_TYPES.values()} == {*SERVICES}


def test_every_endpoint_in_use_is_named(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in HERE.items():
        monkeypatch.setenv(name, value)
    assert AwsConnection("us-east-1").endpoint == ""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9000")
    monkeypatch.setenv("AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2", "http://127.0.0.1:9001")
    assert AwsConnection("us-east-1").endpoint == "elbv2=http://127.0.0.1:9001 s3=http://127.0.0.1:9000"
    monkeypatch.setenv("AWS_ENDPOINT_URL", user.box.endpoint)
    assert AwsConnection("us-east-1").endpoint.startswith(f"{user.box.endpoint} elbv2=http://127.0.0.1:9001 s3=")
    monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
    assert AwsConnection("us-east-1").endpoint == ""
    assert describe_endpoints("https://ec2.us-east-1.amazonaws.com", AwsConnection("us-east-1")._session._session) == ""


def test_the_state_has_an_endpoint_of_its_own(user: User) -> None:
    with FaultProxy(user.box.endpoint) as store:
        environment = {**HERE, "AWS_ENDPOINT_URL": user.box.endpoint, "MLAPI_STATE_ENDPOINT": store.url}
        assert init(user, store.url)[0] == 0
        ran = user.process("plan", "--suffix", "prod", "--state", STATE, **environment)
        wrong = user.process("plan", "--suffix", "prod", "--state", STATE, "--state-endpoint", "minio", **environment)

    assert ran.code == 0, ran.err
    assert {one.service for one in store.seen} == {"s3"}
    assert store.url not in ran.err
    assert user.box.endpoint in ran.err
    assert (wrong.code, "no endpoint of a store" in wrong.err) == (64, True)


def test_the_header_names_the_stores_of_the_stack(user: User) -> None:
    with FaultProxy(user.box.endpoint) as store:
        environment = {**HERE, "AWS_ENDPOINT_URL": user.box.endpoint, "AWS_ENDPOINT_URL_S3": store.url}
        ran = user.process("plan", "--suffix", "prod", **environment)

    assert f"{user.box.endpoint} s3={store.url}" in ran.err


@pytest.mark.slow
def test_ministack_keeps_a_state(user: User, tmp_path: Path) -> None:
    with other_object_stores.ministack(tmp_path / "ministack") as url:
        for _ in range(2):
            code, out, err = init(user, url)
            assert code == 0, err
            assert "can be kept" in out
        given = {**HERE, "AWS_ENDPOINT_URL": user.box.endpoint, "MLAPI_STATE_ENDPOINT": url}
        arguments = ("--suffix", "prod", "--state", STATE, "--set", "profile=seed")
        for verb in ("apply", "apply", "teardown"):
            ran = user.process(verb, "--yes", *arguments, **given)
            assert ran.code == 0, ran.err


@pytest.mark.slow
def test_s3rver_is_refused_as_it_knows_no_conditions(user: User, tmp_path: Path) -> None:
    with other_object_stores.s3rver(tmp_path / "s3rver") as url:
        known = {"AWS_ACCESS_KEY_ID": "S3RVER", "AWS_SECRET_ACCESS_KEY": "S3RVER"}
        code, _, err = init(user, url, **known)

    assert code == 5, err
    assert "ignores the If-None-Match of a write" in err
    assert "Traceback" not in err
