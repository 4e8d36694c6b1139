"""A stack with every option that can be on at once, in a region other than CloudFront's."""

from __future__ import annotations

from tests.faults.network_faults import ENDPOINT
from tests.faults.world import World
from tests.support import account_inventory

STRONGEST = "strongest"
REGION = "eu-west-1"
_IMAGE = f"111122223333.dkr.ecr.{REGION}.amazonaws.com/ml-api:1"
_SECRET = f"arn:aws:ssm:{REGION}:111122223333:parameter/any"
# The options that `production` leaves off; the NAT gateway is in the matrix of the profile `seed`.
SETTINGS = (
    f"image={_IMAGE}",
    "network.nat=none",
    "service.exec=true",
    "container.readonly_root=false",
    f'container.secrets={{"ANY": "{_SECRET}"}}',
    "encryption.key=own",
    "edge.vpc_origin=true",
    "database.readers=1",
    "database.monitoring=60",
    "database.insights=true",
    "database.rotation_days=30",
    'alarms.emails=["ops@shop.example"]',
    'domain.names=["api.shop.example"]',
)


class StrongestWorld(World):
    """A world with a hosted zone for the domain of the stack."""

    profile, region = "production", REGION

    def reset(self) -> None:
        """Begin with a new account that has a hosted zone, and a new home."""
        super().reset()
        route53 = account_inventory.client(ENDPOINT, "route53")
        response = route53.create_hosted_zone(Name="shop.example", CallerReference="r")
        zone = response["HostedZone"]["Id"].rsplit("/", 1)[-1]
        self.settings = [*SETTINGS, f"domain.hosted_zone_id={zone}"]
