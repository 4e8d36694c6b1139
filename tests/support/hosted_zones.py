"""A hosted zone that somebody keeps, and what stands in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.support.account_inventory import client
from tests.support.user import User

Record = tuple[str, str, str]


@dataclass(frozen=True)
class Zone:
    """The zone of a domain, made by its keeper."""

    route53: Any
    id: str
    name: str

    @classmethod
    def of(cls, user: User, name: str = "shop.example") -> Zone:
        """Make it."""
        route53 = client(user.box.endpoint, "route53")
        made = route53.create_hosted_zone(Name=name, CallerReference=name)
        return cls(route53, made["HostedZone"]["Id"].rsplit("/", 1)[-1], name)

    def records(self) -> dict[tuple[str, str], str]:
        """What stands in it, besides what every zone is born with: where each name and type leads."""
        return {(one["Name"].rstrip("."), one["Type"]): _value(one) for one in self.listed()}

    def listed(self) -> list[Any]:
        """The same, as Route 53 tells it."""
        listed = self.route53.list_resource_record_sets(HostedZoneId=self.id)["ResourceRecordSets"]
        return [one for one in listed if one["Type"] not in ("NS", "SOA")]

    def change(self, action: str, name: str, type_: str, value: str) -> None:
        """Make or delete a record, as the keeper of the zone does."""
        record = {"Name": name, "Type": type_, "TTL": 60, "ResourceRecords": [{"Value": value}]}
        self.batch((action, record))

    def batch(self, *changes: tuple[str, Any]) -> None:
        """Several changes at once, of whole records."""
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": one} for action, one in changes]}
        self.route53.change_resource_record_sets(HostedZoneId=self.id, ChangeBatch=batch)

    def sets(self, *names: str) -> tuple[str, ...]:
        """The settings of a stack whose names are in it."""
        told = ", ".join(f'"{name}"' for name in names or (f"api.{self.name}",))
        return ("--set", f"domain.names=[{told}]", "--set", f"domain.hosted_zone_id={self.id}")


def _value(record: dict[str, Any]) -> str:
    if "AliasTarget" in record:
        return str(record["AliasTarget"]["DNSName"]).rstrip(".")
    return " ".join(one["Value"].rstrip(".") for one in record["ResourceRecords"])
