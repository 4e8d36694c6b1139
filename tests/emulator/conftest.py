from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.config import Config

from provisioner.emulator.behaviours import lag
from provisioner.emulator.server import LocalAws

Client = Callable[..., Any]


@cache
def session() -> boto3.Session:
    return boto3.Session("AKIAEXAMPLE", "secret", region_name="us-east-1")


@cache
def client_of(endpoint: str, service: str, region: str) -> Any:
    config = Config(retries={"total_max_attempts": 1})
    return session().client(service, region_name=region, endpoint_url=endpoint, config=config)


@pytest.fixture(scope="session")
def emulator_server() -> Iterator[LocalAws]:
    """One server a session: its manners are off unless a test asks for them."""
    with LocalAws(behaviours=False) as served:
        yield served


@pytest.fixture
def aws(emulator_server: LocalAws) -> Client:
    """Clients of an empty AWS, corrected but without manners: `aws("ec2")`."""
    return _clients(emulator_server, manners=False, pace=0.0)


@pytest.fixture
def aws_with_behaviours(emulator_server: LocalAws, monkeypatch: pytest.MonkeyPatch) -> Client:
    """Clients of a used AWS with manners, at pace 0, where nothing hides."""
    monkeypatch.setattr(lag, "MISSES", 0)
    monkeypatch.setattr(lag, "USES", 0)
    return _used(_clients(emulator_server, manners=True, pace=0.0))


@pytest.fixture
def aws_at_real_speed(emulator_server: LocalAws, monkeypatch: pytest.MonkeyPatch) -> Client:
    """The same at AWS's own pace: move time by `box.advance`."""
    monkeypatch.setattr(lag, "MISSES", 0)
    monkeypatch.setattr(lag, "USES", 0)
    return _used(_clients(emulator_server, manners=True, pace=1.0))


@pytest.fixture
def eventually_consistent_aws(emulator_server: LocalAws) -> Client:
    """Clients of an empty AWS with all its manners, at pace 0: what is new hides."""
    return _clients(emulator_server, manners=True, pace=0.0)


def _used(client: Client) -> Client:
    """Make the service roles that an account has that was used before."""
    for service in ("ecs", "rds", "elasticloadbalancing"):
        client("iam").create_service_linked_role(AWSServiceName=f"{service}.amazonaws.com")
    return client


def _clients(box: LocalAws, *, manners: bool, pace: float) -> Client:
    box.behave(behaviours=manners, speed=pace)
    box.reset()

    def client(service: str, region: str = "us-east-1") -> Any:
        return client_of(box.endpoint, service, region)

    return client


def code_of(caught: Any) -> str:
    """The wire code of a ClientError that pytest caught."""
    code: str = caught.value.response["Error"]["Code"]
    return code
