"""Faults at the calls of a domain: certificates and records are neither lost nor doubled."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from provisioner.emulator.server import LocalAws
from tests.faults.fault_case import APPLY, BOTH, TEARDOWN, FaultCase, InjectedFault
from tests.faults.network_faults import ENDPOINT
from tests.faults.world import World
from tests.support import account_inventory

pytestmark = pytest.mark.slow
MADE = {"acm:RequestCertificate": (1,), "route53:ChangeResourceRecordSets": (1, 4)}
ENDED = {"acm:DeleteCertificate": (1,), "route53:ChangeResourceRecordSets": (1,)}
FAULTS = ("kill_after", "lost_reply")


class Named(World):
    """A world whose stack has a domain in an existing hosted zone."""

    def reset(self) -> None:
        """Begin with a new account that has a hosted zone, and a new home."""
        super().reset()
        made = account_inventory.client(ENDPOINT, "route53").create_hosted_zone(
            Name="shop.example", CallerReference="r"
        )
        zone = made["HostedZone"]["Id"].rsplit("/", 1)[-1]
        self.settings = ['domain.names=["api.shop.example"]', f"domain.hosted_zone_id={zone}"]


@pytest.fixture(scope="module")
def world(served: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A user with a domain; the account is empty again afterwards."""
    with Named(served.emulator, tmp_path_factory.mktemp("named") / "home").open() as opened:
        yield opened
    served.reset()


def cases() -> list[FaultCase]:
    """Return each fault at each of these calls."""
    return [
        FaultCase(scenario, (InjectedFault(fault, operation, nth),))
        for scenario, calls in ((APPLY, MADE), (BOTH, MADE), (TEARDOWN, ENDED))
        for operation, all_ in calls.items()
        for nth in all_
        for fault in FAULTS
    ]


@pytest.mark.parametrize("case", cases(), ids=str)
def test_a_fault_loses_and_doubles_nothing(world: World, case: FaultCase) -> None:
    verdict = world.play(case)

    assert verdict.fired, verdict
    assert verdict.passed, verdict
