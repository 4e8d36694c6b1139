"""A policy that grew too large for IAM is told of before anything is made."""

from __future__ import annotations

import pytest

from provisioner.engine.planning.change import Change
from provisioner.engine.planning.plan import Plan
from provisioner.permissions.statements import INLINE_LIMIT, MANAGED_LIMIT
from provisioner.preflight.sizes import INLINE_POLICIES_LIMIT, MANAGED_POLICY_LIMIT, check_policy_sizes
from tests.prices.test_prices import declared


def given(count: int, **more: object) -> Plan:
    arn = "arn:aws:secretsmanager:us-east-1:111122223333:secret:team/number-{}-AbCdEf"
    secrets = {f"S{n}": arn.format(n) for n in range(count)}
    return declared(profile="production", container={"secrets": secrets}, **more)


def test_a_boundary_that_iam_would_refuse_is_told_of_with_its_size() -> None:
    (found,) = check_policy_sizes(given(40))

    assert found.address == "boundary/boundary"
    assert found.limit == MANAGED_POLICY_LIMIT == MANAGED_LIMIT
    assert (found.needed or 0) > MANAGED_POLICY_LIMIT
    assert "IAM takes 6144" in found.problem


@pytest.mark.parametrize("count", [0, 5])
def test_what_fits_is_nothing_to_tell(count: int) -> None:
    assert list(check_policy_sizes(given(count))) == []


def test_the_policies_of_one_role_are_counted_together() -> None:
    (found,) = check_policy_sizes(given(80, roles={"boundary": "off"}))

    assert found.address == "iam/execution-role-secrets"
    assert found.limit == INLINE_POLICIES_LIMIT == INLINE_LIMIT


def test_one_that_stands_as_it_is_wanted_is_left_alone() -> None:
    plan = given(40)
    plan.changes.update(
        {name: Change("keep", one.logical_id, one.type_name, "", one.step) for name, one in plan.changes.items()}
    )

    assert list(check_policy_sizes(plan)) == []
