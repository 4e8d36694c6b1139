"""Route 53: unique caller references, CREATE of missing records only, and DELETE of exact records only."""

from __future__ import annotations

from typing import Any

from provisioner.emulator.errors import AwsError
from provisioner.emulator.hooks import always
from provisioner.emulator.moto_bridge import backend, list_moto
from provisioner.emulator.wire import Call

_Key = tuple[str, str, str]


@always.before("route53", "CreateHostedZone")
def create_zone(call: Call) -> None:
    """Refuse a caller reference that is taken (botocore ServiceModel, HostedZoneAlreadyExists, 409)."""
    reference = call.params["CallerReference"]
    zones = backend("route53", call.account, "aws").zones.values()
    if any(zone.caller_reference == reference for zone in zones):
        raise AwsError(
            "HostedZoneAlreadyExists",
            f"A hosted zone has already been created with the specified caller reference: {reference}",
            409,
        )


@always.before("route53", "ChangeResourceRecordSets")
def change_records(call: Call) -> None:
    """Refuse a whole batch if one change is impossible once the changes before it are made.

    AWS doc, API_ChangeResourceRecordSets: a DELETE and a CREATE of one record replace the record.
    """
    zone = call.params["HostedZoneId"].split("/")[-1]
    origin = backend("route53", call.account, "aws").zones.get(zone)
    listed = list_moto(call, "route53", "ListResourceRecordSets", HostedZoneId=zone)["ResourceRecordSets"]
    records = {_key(record): record for record in listed}
    for change in call.params["ChangeBatch"]["Changes"]:
        record = change["ResourceRecordSet"]
        existing, name = records.get(_key(record)), f"[name='{_name(record)}', type='{record['Type']}']"
        if change["Action"] == "CREATE":
            if existing:
                raise _invalid(f"Tried to create resource record set {name} but it already exists")
            _check_place(record, origin.name, records)
            _forget(origin, record)
            records[_key(record)] = record
        if change["Action"] == "DELETE":
            if not existing:
                raise _invalid(f"Tried to delete resource record set {name} but it was not found")
            if _values(existing) != _values(record):
                message = f"Tried to delete resource record set {name} but the values provided do not match"
                raise _invalid(f"{message} the current values")
            del records[_key(record)]


def _forget(zone: Any, record: dict[str, Any]) -> None:
    """Remove a record from moto's journal of changes, so that moto lets it be created again.

    Moto checks whether a record of the journal exists, and takes the next record of the zone for it.
    """
    others = [change for change in zone.rr_changes if _comparable(change["ResourceRecordSet"]) != _comparable(record)]
    del zone.rr_changes[:]
    zone.rr_changes.extend(others)


def _comparable(record: dict[str, Any]) -> tuple[Any, ...]:
    """Return a record's key and values, to be compared."""
    return _key(record), _values(record)


def _check_place(record: dict[str, Any], origin: str, records: dict[_Key, Any]) -> None:
    """Require a name within the zone, and no other record beside a CNAME.

    Source: developer guide, ResourceRecordTypes.
    """
    name, type_, _ = _key(record)
    if not f".{name}".endswith(f".{origin.rstrip('.')}."):
        raise _invalid(f"RRSet with DNS name {name} is not permitted in zone {origin}")
    other_types = {other[1] for other in records if other[0] == name and other[1] != type_}
    if other_types and "CNAME" in {*other_types, type_}:
        conflict = "CNAME" if type_ != "CNAME" else min(other_types)
        raise _invalid(
            f"RRSet of type {type_} with DNS name {name} is not permitted because a conflicting RRSet of "
            f"type {conflict} with the same DNS name already exists in zone {origin}"
        )


def _invalid(message: str) -> AwsError:
    """Return AWS's error for an impossible change."""
    return AwsError("InvalidChangeBatch", f"[{message}]")


def _name(record: dict[str, Any]) -> str:
    """Return a record's name in lower case, with a dot at the end."""
    return str(record["Name"]).lower().rstrip(".") + "."


def _key(record: dict[str, Any]) -> _Key:
    """Return the name, type and set identifier of a record."""
    return _name(record), record["Type"], record.get("SetIdentifier", "")


def _values(record: dict[str, Any] | None) -> tuple[Any, ...]:
    """Return what a DELETE has to repeat of a record: its TTL, values and alias target."""
    record = record or {}
    alias = record.get("AliasTarget", {})
    values = sorted(value["Value"] for value in record.get("ResourceRecords", []))
    return record.get("TTL"), values, alias.get("DNSName", "").rstrip("."), alias.get("HostedZoneId")
