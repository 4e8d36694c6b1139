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
    known = _protected.at(call.account, "")
    for one in call.params["Protections"]:
        known[_key(call.params["HostedZoneId"], one["RecordName"], one["RecordType"])] = dict(one)
    return {}


@always.before("route53", "DeleteResourceRecordSetProtections")
def delete(call: Call) -> Reply:
    """Remove all protections that the call names, or none if one of them is missing."""
    known = _protected.at(call.account, "")
    keys = [
        _key(call.params["HostedZoneId"], one["RecordName"], one["RecordType"]) for one in call.params["Protections"]
    ]
    if missing := [key for key in keys if key not in known]:
        raise AwsError("InvalidResourceRecordSetProtectionBatch", f"ProtectionNotFound: {missing}")
    for key in keys:
        del known[key]
    return {}


@always.before("route53", "ListResourceRecordSetProtections")
def list_protections(call: Call) -> Reply:
    """List the protections in a hosted zone."""
    zone = call.params["HostedZoneId"].split("/")[-1]
    found = [one for key, one in _protected.at(call.account, "").items() if key.startswith(f"{zone} ")]
    return {"ResourceRecordSetProtections": found}


@always.before("route53", "ChangeResourceRecordSets")
def refuse(call: Call) -> None:
    """Refuse a batch that creates, changes or deletes a protected record set."""
    known, zone = _protected.at(call.account, ""), call.params["HostedZoneId"]
    for change in call.params["ChangeBatch"]["Changes"]:
        record = change["ResourceRecordSet"]
        if _key(zone, record["Name"], record["Type"]) in known:
            said = f"[name='{record['Name']}', type='{record['Type']}']"
            raise AwsError("InvalidChangeBatch", f"[Resource record set {said} is protected]")
