"""A name's records while Route 53 spreads a change, and where the reply to one was lost."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from provisioner.engine.types.blocker import matches_codes
from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.resources.route53 import DnsName
from provisioner.service_clients import Route53
from tests.support.fake_resources import WholeLists, as_client

Record = dict[str, Any]


def record(value: str) -> Record:
    return {"Name": "api.shop.example", "Type": "A", "TTL": 300, "ResourceRecords": [{"Value": value}]}


class Servers(WholeLists):
    """A zone that takes every batch at once, and tells of the change as long as it is said to."""

    def __init__(self, *records: Record) -> None:
        self.records = list(records)
        self.batches: list[list[Record]] = []
        self.status = "PENDING"

    def list_resource_record_sets(self, **_asked: Any) -> dict[str, Any]:
        return {"ResourceRecordSets": self.records}

    def change_resource_record_sets(self, **asked: Any) -> dict[str, Any]:
        changes = asked["ChangeBatch"]["Changes"]
        self.batches.append(changes)
        self.records = [one["ResourceRecordSet"] for one in changes if one["Action"] == "CREATE"]
        return {"ChangeInfo": {"Id": f"/change/{len(self.batches)}"}}

    def get_change(self, **asked: Any) -> dict[str, Any]:
        assert asked["Id"] == f"/change/{len(self.batches)}"
        return {"ChangeInfo": {"Status": self.status}}


def item(value: str, **more: Any) -> ResourceSpec:
    wanted = [{key: one for key, one in record(value).items() if key in ("Type", "ResourceRecords")}]
    props = {"HostedZoneId": "Z", "Name": "api.shop.example", "Records": wanted, "Mark": "ours"}
    return ResourceSpec("name", "", "prod", props, **more)


def test_an_update_is_watched_until_all_servers_know_it() -> None:
    resource_type, servers, spec = DnsName(), Servers(record("192.0.2.1")), item("192.0.2.2")

    reply = resource_type.update(as_client(Route53, servers), spec, {})
    watched = item("192.0.2.2", reply=reply)
    spreading = resource_type.read(as_client(Route53, servers), watched)
    servers.status = "INSYNC"
    known = resource_type.read(as_client(Route53, servers), watched)

    assert [one["Action"] for one in servers.batches[0]] == ["DELETE", "CREATE"]
    assert spreading
    assert known
    assert (spreading["Status"], known["Status"]) == ("PENDING", "INSYNC")


def test_an_update_whose_reply_was_lost_is_not_sent_again_as_an_empty_batch() -> None:
    resource_type, servers, spec = DnsName(), Servers(record("192.0.2.1")), item("192.0.2.2")
    resource_type.update(as_client(Route53, servers), spec, {})

    assert resource_type.update(as_client(Route53, servers), spec, {}) == {}
    assert len(servers.batches) == 1


@pytest.mark.parametrize("verb", ["create", "update", "delete"])
@pytest.mark.parametrize("code", ["InvalidInput", "InvalidChangeBatch", "AccessDenied"])
@pytest.mark.parametrize(
    ("message", "passes"),
    [("HostedZone Z1 is marked disabled for mutation", True), ("Invalid Resource Record", False)],
)
def test_a_zone_whose_recovery_somebody_switches_is_waited_for_whatever_the_code(
    verb: str, code: str, message: str, passes: bool
) -> None:
    """What is known of that refusal is its message."""
    error = ClientError({"Error": {"Code": code, "Message": message}}, "ChangeResourceRecordSets")

    assert matches_codes(error, DnsName.retryable_codes[verb]) is passes
