"""A host that does not exist is told within seconds; one that was reached before is away, and waited for."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest
from botocore.awsrequest import AWSRequest
from botocore.exceptions import EndpointConnectionError, ProxyConnectionError
from tenacity import stop_after_delay

from provisioner.aws import network
from provisioner.aws.timeouts import bounded_http_session
from provisioner.engine.calls.retry_policy import RetryPolicy
from tests.engine.test_waiter import Hurried
from tests.support.user import User

NAME = "rds-fips.eu-nowhere-1.amazonaws.com"
# A name server that says no, one that cannot be asked.
ERRORS = [socket.EAI_NONAME, socket.EAI_AGAIN]


def unknown(number: int, *, proxy: bool = False) -> Exception:
    """No address is found for a name."""
    error: Exception = socket.gaierror(number, "no address")
    if proxy:
        error = ProxyConnectionError(proxy_url=f"http://{NAME}:3128", error=error)
    else:
        error = EndpointConnectionError(endpoint_url=f"https://{NAME}/", error=error)
    return error


def names(number: int) -> Callable[..., Any]:
    """What a resolver says to everybody; 0: it knows all."""

    def asked(*_: Any) -> list[Any]:
        if number:
            raise socket.gaierror(number, "no address")
        return []

    return asked


def seconds_until_told(error: Exception) -> float:
    """How long a call that always ends so is made again."""
    clock = Hurried()

    def call() -> None:
        raise error

    with pytest.raises(type(error)):
        RetryPolicy(clock, stop_after_delay(300)).call(call)
    return clock.time - 1000


@pytest.mark.parametrize("number", ERRORS)
@pytest.mark.parametrize("proxy", [False, True])
def test_a_host_that_does_not_exist_is_told_within_seconds(
    monkeypatch: pytest.MonkeyPatch, number: int, *, proxy: bool
) -> None:
    monkeypatch.setattr(network, "reached_hosts", {"sts.amazonaws.com": None})
    monkeypatch.setattr(socket, "getaddrinfo", names(0))

    assert seconds_until_told(unknown(number, proxy=proxy)) < 15


@pytest.mark.parametrize("number", ERRORS)
def test_a_host_that_was_reached_before_is_an_outage(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    monkeypatch.setattr(network, "reached_hosts", {NAME: None, "sts.amazonaws.com": None})
    monkeypatch.setattr(socket, "getaddrinfo", names(0))

    assert seconds_until_told(unknown(number)) > 290


def test_where_no_name_is_known_any_more_the_network_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "reached_hosts", {"sts.amazonaws.com": None})
    monkeypatch.setattr(socket, "getaddrinfo", names(socket.EAI_AGAIN))

    assert seconds_until_told(unknown(socket.EAI_AGAIN)) > 290


def test_a_host_that_was_connected_to_is_remembered(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "reached_hosts", {})

    asked = bounded_http_session(user.box.endpoint, timeout=5, is_local=True)
    assert network.has_no_such_host(user.box.endpoint)
    asked.send(AWSRequest("GET", user.box.endpoint).prepare())

    asked.close()
    assert not network.has_no_such_host(user.box.endpoint)
