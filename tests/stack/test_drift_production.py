"""What is done by hand to a production stack at its strongest is told, planned for and mended by an apply."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from provisioner.configuration import load_settings
from provisioner.emulator.server import LocalAws
from provisioner.stack import build
from provisioner.steps.lookups import offline_lookups
from tests.faults.strongest_profile import REGION, SETTINGS
from tests.stack.test_drift import LEFT_OUT, drift, plan
from tests.support.hosted_zones import Zone
from tests.support.live_stack import SUFFIX, LiveStack
from tests.support.manual_changes import ALTERED, DELETED
from tests.support.manual_changes_production import CHANGED_KEY, OF_PRODUCTION, OF_THE_STRONGEST, origin_key
from tests.support.manual_children import ADDED
from tests.support.touched import TOUCHED
from tests.support.user import User

pytestmark = pytest.mark.xdist_group("drift-production")
# A certificate is issued once; in use it cannot go. A key of CloudFront's region is a key.
ONCE = {"Issuance"}


@pytest.fixture(scope="module")
def strong(served: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    """All that can be had, in a region that is not CloudFront's."""
    user = User.before(served, tmp_path_factory.mktemp("strong") / "home")
    zone = Zone.of(user)
    named = dict(one.split("=", 1) for one in ("profile=production", *SETTINGS, f"domain.hosted_zone_id={zone.id}"))
    for path, value in named.items():
        user.environment[f"MLAPI_{path.upper().replace('.', '__')}"] = value
    yield LiveStack.of(user, REGION)
    user.environment.clear()


@pytest.mark.slow
def test_what_is_done_by_hand_is_told_planned_and_mended(strong: LiveStack) -> None:
    hands = OF_PRODUCTION + OF_THE_STRONGEST
    assert drift(strong) == []
    for hand in hands:
        hand.act(strong)

    told, planned = drift(strong), plan(strong)

    assert {(hand.node, hand.what) for hand in hands} == {(one["node"], one["what"]) for one in told}
    assert {hand.node: hand.verb for hand in hands} == planned
    strong.desk.apply(SUFFIX)
    assert drift(strong) == []


@pytest.mark.slow
def test_a_key_that_was_changed_by_hand_is_followed_and_its_value_told_to_nobody(strong: LiveStack) -> None:
    CHANGED_KEY.act(strong)

    planned, ran = plan(strong), strong.desk.run("plan", "--suffix", SUFFIX)
    strong.desk.apply(SUFFIX)

    assert {CHANGED_KEY.node: CHANGED_KEY.verb, "edge": "update"}.items() <= planned.items()
    assert origin_key(strong) not in ran.out + ran.err
    assert origin_key(strong) not in strong.desk.ledger(SUFFIX).read_text()
    assert drift(strong) == []


def test_every_kind_of_production_is_touched_by_hand() -> None:
    settings = load_settings(None, ["profile=production", *SETTINGS, "domain.hosted_zone_id=ZEXAMPLE"], {})
    lookups = dataclasses.replace(
        offline_lookups(settings.network.zones, settings.database.version), account="123456789012"
    )
    stack = build(settings, SUFFIX, REGION, lookups)
    hands = (*ALTERED, *TOUCHED, *DELETED, *ADDED, *OF_PRODUCTION, *OF_THE_STRONGEST, CHANGED_KEY)
    touched = {str(resource.type) for resource in stack if resource.logical_id in {hand.node for hand in hands}}

    assert {str(resource.type) for resource in stack} - touched == LEFT_OUT | ONCE
