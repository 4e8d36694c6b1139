"""Route 53: a zone a caller reference, CREATE only what is not there, DELETE only what is."""

from __future__ import annotations

from typing import Any

from provisioner.embedded.answers import AwsError, Reply
from provisioner.embedded.hooks import always
from provisioner.embedded.inner import backend, do
from provisioner.embedded.wire import Call

_Key = tuple[str, str, str]


@always.before("route53", "CreateHostedZone")
def create_zone(call: Call) -> None:
    """One zone a reference: botocore ServiceModel, HostedZoneAlreadyExists (409)."""
    reference = call.params["CallerReference"]
    zones = backend("route53", call.account, "aws").zones.values()
    if any(zone.caller_reference == reference for zone in zones):
        raise AwsError(
            "HostedZoneAlreadyExists",
            f"A hosted zone has already been created with the specified caller reference: {reference}",
            409,
        )


@always.before("route53", "ChangeResourceRecordSets")
def change_records(call: Call) -> Reply | None:
    """Refuse the whole batch if one change cannot be, each after those before it.

    AWS doc, API_ChangeResourceRecordSets: a DELETE and a CREATE of one record are an exchange.
    """
    zone = call.params["HostedZoneId"].split("/")[-1]
    origin = backend("route53", call.account, "aws").zones[zone].name if _has_zone(call, zone) else ""
    batch = [(change["Action"], _key(change["ResourceRecordSet"])) for change in _changes(call)]
    there = {
        _key(r): r
        for r in do(call, "route53", "ListResourceRecordSets", HostedZoneId=zone)["ResourceRecordSets"]
    }
    for change in _changes(call):
        record = change["ResourceRecordSet"]
        found, said = there.get(_key(record)), f"[name='{_name(record)}', type='{record['Type']}']"
        if change["Action"] == "CREATE" and found:
            raise _invalid(f"Tried to create resource record set {said} but it already exists")
        if change["Action"] == "CREATE":
            _check_place(record, origin, there, batch)
            _forget(call, zone, _key(record))
        if change["Action"] == "DELETE" and not found:
            raise _invalid(f"Tried to delete resource record set {said} but it was not found")
        if change["Action"] == "DELETE" and _values(found) != _values(record):
            message = f"Tried to delete resource record set {said} but the values provided do not match"
            raise _invalid(f"{message} the current values")
        if change["Action"] == "DELETE":
            del there[_key(record)]
    return _exchanged(call, batch)


def _exchanged(call: Call, batch: list[tuple[str, tuple[str, str, str]]]) -> Reply | None:
    """Let moto write over what is exchanged: it holds a CREATE against what stood before the batch."""
    both = {key for action, key in batch if action == "DELETE" and ("CREATE", key) in batch}
    if not both:
        return None
    changes = [
        {**one, "Action": "UPSERT"} if _key(one["ResourceRecordSet"]) in both else one
        for one in _changes(call)
        if one["Action"] != "DELETE" or _key(one["ResourceRecordSet"]) not in both
    ]
    asked = {**call.params, "ChangeBatch": {**call.params["ChangeBatch"], "Changes": changes}}
    return do(call, "route53", "ChangeResourceRecordSets", **asked)


def _changes(call: Call) -> list[dict[str, Any]]:
    return list(call.params["ChangeBatch"]["Changes"])


def _forget(call: Call, zone: str, key: _Key) -> None:
    """What was deleted may be made again: moto looks for it in its journal, and at all names after it."""
    journal = backend("route53", call.account, "aws").zones[zone].rr_changes
    journal[:] = [one for one in journal if _key(one["ResourceRecordSet"]) != key]


def _has_zone(call: Call, zone: str) -> bool:
    return zone in backend("route53", call.account, "aws").zones


def _check_place(
    record: dict[str, Any], origin: str, there: dict[_Key, Any], batch: list[tuple[str, _Key]]
) -> None:
    """Want a name within the zone, and nothing beside a CNAME (developer guide, ResourceRecordTypes)."""
    name, type_, _ = _key(record)
    if not f".{name}".endswith(f".{origin.rstrip('.')}."):
        raise _invalid(f"RRSet with DNS name {name} is not permitted in zone {origin}")
    going = {key for action, key in batch if action == "DELETE"}
    beside = {other[1] for other in there.keys() - going if other[0] == name and other[1] != type_}
    if beside and "CNAME" in {*beside, type_}:
        conflict = "CNAME" if type_ != "CNAME" else min(beside)
        raise _invalid(
            f"RRSet of type {type_} with DNS name {name} is not permitted because a conflicting RRSet of "
            f"type {conflict} with the same DNS name already exists in zone {origin}"
        )


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidChangeBatch", f"[{message}]")


def _name(record: dict[str, Any]) -> str:
    return str(record["Name"]).lower().rstrip(".") + "."


def _key(record: dict[str, Any]) -> _Key:
    return _name(record), record["Type"], record.get("SetIdentifier", "")


def _values(record: dict[str, Any] | None) -> tuple[Any, ...]:
    record = record or {}
    alias = record.get("AliasTarget", {})
    values = sorted(value["Value"] for value in record.get("ResourceRecords", []))
    return record.get("TTL"), values, alias.get("DNSName", "").rstrip("."), alias.get("HostedZoneId")
