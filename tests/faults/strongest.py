"""The world of a stack that has all that can be had at once, in a region that is not CloudFront's."""

from __future__ import annotations

from tests.faults.on_the_way import ENDPOINT
from tests.faults.world import World
from tests.support import account_inventory

STRONGEST = "strongest"
REGION = "eu-west-1"
_IMAGE = f"111122223333.dkr.ecr.{REGION}.amazonaws.com/ml-api:1"
_SECRET = f"arn:aws:ssm:{REGION}:111122223333:parameter/any"
# What is a setting and off in `production`; its NAT is the seed's, and that is in the seed's matrix.
SETS = (
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


class FullWorld(World):
    """Its domain lies in a zone that somebody keeps."""

    profile, region = "production", REGION

    def fresh(self) -> None:
        """A new account with a zone in it, and a new home."""
        super().fresh()
        route53 = account_inventory.client(ENDPOINT, "route53")
        made = route53.create_hosted_zone(Name="shop.example", CallerReference="r")
        zone = made["HostedZone"]["Id"].rsplit("/", 1)[-1]
        self.sets = [*SETS, f"domain.hosted_zone_id={zone}"]
