"""Route 53's protections of record sets, which moto lacks: a batch that touches a protected one is refused.

Source: botocore 1.44.5, CreateResourceRecordSetProtections.
"""

from __future__ import annotations

from typing import Any

from provisioner.emulator.account_store import AccountStore
from provisioner.emulator.errors import AwsError, Reply
from provisioner.emulator.hooks import always
from provisioner.emulator.wire import Call

_protected: AccountStore[dict[str, Any]] = AccountStore()  # by zone, name and type


def _key(zone: str, name: str, type_: str) -> str:
    """Return the key of a record set: zone, name and type."""
    return f"{zone.rsplit('/', maxsplit=1)[-1]} {name.rstrip('.').lower()} {type_}"


@always.before("route53", "CreateResourceRecordSetProtections")
def create(call: Call) -> Reply:
    """Protect record sets by name and type."""
    protections = _protected.at(call.account, "")
    for protection in call.params["Protections"]:
        protections[_key(call.params["HostedZoneId"], protection["RecordName"], protection["RecordType"])] = dict(
            protection
        )
    return {}


@always.before("route53", "DeleteResourceRecordSetProtections")
def delete(call: Call) -> Reply:
    """Remove all protections that the call names, or none if one of them is missing."""
    protections = _protected.at(call.account, "")
    keys = [
        _key(call.params["HostedZoneId"], protection["RecordName"], protection["RecordType"])
        for protection in call.params["Protections"]
    ]
    if missing := [key for key in keys if key not in protections]:
        raise AwsError("InvalidResourceRecordSetProtectionBatch", f"ProtectionNotFound: {missing}")
    for key in keys:
        del protections[key]
    return {}


@always.before("route53", "ListResourceRecordSetProtections")
def list_protections(call: Call) -> Reply:
    """List the protections in a hosted zone."""
    zone = call.params["HostedZoneId"].split("/")[-1]
    in_zone = [protection for key, protection in _protected.at(call.account, "").items() if key.startswith(f"{zone} ")]
    return {"ResourceRecordSetProtections": in_zone}


@always.before("route53", "ChangeResourceRecordSets")
def refuse(call: Call) -> None:
    """Refuse a batch that creates, changes or deletes a protected record set."""
    protections, zone = _protected.at(call.account, ""), call.params["HostedZoneId"]
    for change in call.params["ChangeBatch"]["Changes"]:
        record = change["ResourceRecordSet"]
        if _key(zone, record["Name"], record["Type"]) in protections:
            name = f"[name='{record['Name']}', type='{record['Type']}']"
            raise AwsError("InvalidChangeBatch", f"[Resource record set {name} is protected]")
