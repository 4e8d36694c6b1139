from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest

from provisioner.aws.rate_limits import Rate, RateLimiter, TokenBucket
from provisioner.engine.calls.clients import Clients
from provisioner.service_clients import EC2
from state.errors import LockHeld
from tests.engine.test_waiter import Hurried


def test_a_burst_is_free_and_what_comes_after_it_waits() -> None:
    bucket = TokenBucket(Rate(2, 4))

    assert [bucket.take(0.0) for _ in range(4)] == [0, 0, 0.25, 0.5]
    assert bucket.take(10.0) == 0


def test_a_throttle_slows_down_its_service_and_no_other() -> None:
    rates = RateLimiter()
    like: Any = {"reads": True, "now": 0.0}
    rates.take("iam", "", "get_role", **like)
    rates.record_throttle("iam", "", "get_role", **like)

    assert rates.take("iam", "", "get_role_policy", **like) > 0
    assert rates.take("rds", "", "describe_db_clusters", **like) == 0
    assert rates.throttles == {"iam": 1}
    assert rates.waited.keys() == {"iam"}


def test_a_rate_comes_back_with_calls_that_are_taken() -> None:
    bucket = TokenBucket(Rate(10, 10))
    for _ in range(9):
        bucket.slow_down(0.0)
    least = bucket.share
    for second in range(1, 40):
        bucket.take(float(second))

    assert (least, bucket.share) == (0.2, 1.0)


def test_where_no_time_passes_nothing_waits() -> None:
    rates = RateLimiter(speed=0)

    assert not any(rates.take("ec2", "", "create_vpc", reads=False, now=0.0) for _ in range(500))
    assert rates.waited == {}


def test_who_loses_the_lock_while_a_rate_holds_a_call_up_does_not_make_it() -> None:
    clock, raw = Hurried(), Mock(spec_set=["create_vpc"])
    rates: Any = SimpleNamespace(take=lambda *_, **__: 20.0)
    aws: Any = SimpleNamespace(rates=rates, client=lambda *_: raw, region="us-east-1")

    def guard() -> None:
        if clock.sleeps:
            raise LockHeld("another holds it")

    with pytest.raises(LockHeld):
        Clients(aws, clock, guard).client(EC2).create_vpc(CidrBlock="10.0.0.0/16")

    raw.create_vpc.assert_not_called()


def test_a_client_has_the_operations_of_its_service_and_no_other_names() -> None:
    aws: Any = SimpleNamespace(client=lambda *_: Mock(spec_set=["create_vpc"]), region="us-east-1")
    ec2: Any = Clients(aws, Hurried()).client(EC2)

    assert callable(ec2.create_vpc)
    with pytest.raises(AttributeError, match="creat_vpc is no operation of ec2"):
        ec2.creat_vpc()
