"""Route 53: the records of a name in an existing hosted zone, and a TXT record that marks them as ours.

Route 53 records have no tags. So each name that the stack makes gets a TXT record `_ml-api.<name>` in the
same batch, and loses it in the same batch. The TXT record shows which records are the stack's even if the
state is lost. Route 53 applies a batch as a whole or not at all. The batches hold only CREATE and DELETE, so
no existing record is overwritten.
"""

from __future__ import annotations

from typing import Any

from provisioner.engine.resource_graph.references import JsonObject, is_known
from provisioner.engine.types.blocker import Refusal
from provisioner.engine.types.charges import FREE
from provisioner.engine.types.data import codes, declare_operations
from provisioner.engine.types.health_status import StatusClasses, in_lower_case
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.names import PROJECT
from provisioner.resources.field_owners.edge import DNS_NAME
from provisioner.resources.record_protections import (
    REMOVE_COMMAND,
    describe_protections,
    normalize_name,
    protection_refusals,
    read_protections,
    to_cli_option,
)
from provisioner.resources.validation_records import describe_dependent_certificates, is_validation_record
from provisioner.service_clients import Route53

# The record types that resolve a name; records of other types (TXT, MX, CAA) may exist beside them.
_ADDRESS_TYPES = ("A", "AAAA", "CNAME")
_TTL = 300
# How many records to read from a name on. Its subdomains, the TXT mark among them, follow it in the list
# (Route 53 API reference, ListResourceRecordSets).
_PAGE_SIZE = 100


# The zone is still applying an earlier change (Route 53 API reference, ChangeResourceRecordSets). While the
# zone's accelerated recovery is being turned on or off, Route 53 refuses changes for minutes
# (go-to-k/cdkd#1467, #1483 show only the message; botocore 1.44.5, AcceleratedRecoveryStatus). DNSSEC refuses
# no change of records.
_ZONE_BUSY = codes("PriorRequestNotComplete", "*: is marked disabled for mutation")


class DnsName(ResourceType):
    """All records that resolve one name in a hosted zone."""

    service, id_paths = "route53", ("HostedZoneId", "Name")
    pricing = FREE
    ownership = DNS_NAME
    lookup_properties = unique_properties = ("HostedZoneId", "Name")
    immutable = frozenset({"HostedZoneId", "Name"})
    write_only = frozenset({"Mark"})
    uses_existing = True
    ready = {"Status": "INSYNC"}
    # botocore route53 ChangeStatus
    status_classes = (StatusClasses("Status", in_lower_case("INSYNC"), in_lower_case("PENDING")),)
    # After a deletion: somebody's other records remain under the name, and only our mark was deleted.
    expiring = {"Ours": False}
    expiring_reason = "its records are no longer the stack's"
    not_found_codes = codes("NoSuchHostedZone")
    unprotect_command = REMOVE_COMMAND
    foreign_remedy = (
        "Delete the records of {Name} in the hosted zone {HostedZoneId}, or leave the name out of "
        "`domain.names`; then run the same command again."
    )
    already_exists_codes = codes("InvalidChangeBatch: already exists")
    retryable_codes = dict.fromkeys(("create", "update", "delete"), _ZONE_BUSY)
    typical_create_seconds = 30
    iam_type, arn_properties = "hostedzone", ("{HostedZoneId}",)
    operations = declare_operations(
        read="ListResourceRecordSets GetChange",
        create="ChangeResourceRecordSets",
        update="ChangeResourceRecordSets ListResourceRecordSets",
        delete="ChangeResourceRecordSets ListResourceRecordSets",
        protections="ListResourceRecordSetProtections",
        deletion_protected="ListResourceRecordSetProtections",
        write_protections="ListResourceRecordSetProtections",
        remove_protection="DeleteResourceRecordSetProtections ListResourceRecordSetProtections",
    )

    def read(self, route53: Route53, spec: ResourceSpec) -> JsonObject | None:
        """Read the name's records and its TXT mark.

        After a change by this run, ask GetChange too: the name is ready once all DNS servers have the change.
        """
        records, mark = _read_records(route53, spec)
        if not records and not mark:
            return None
        change = spec.reply.get("Change")
        status = route53.get_change(Id=change)["ChangeInfo"]["Status"] if change else "INSYNC"
        is_ours = mark is not None and _is_own_mark(mark, spec)
        tags = dict(spec.tags) if is_ours else None
        return {**_zone_and_name(spec), "Records": records, "Tags": tags, "Ours": is_ours, "Status": status}

    def create(self, route53: Route53, spec: ResourceSpec) -> JsonObject:
        """Create the records and the TXT mark; Route 53 refuses the batch if one of them exists."""
        records = [*_to_record_sets(spec.props), _mark_record(spec)]
        reply = _send_changes(route53, spec, [("CREATE", record) for record in records])
        return {**spec.props, "Change": reply["ChangeInfo"]["Id"]}

    def update(self, route53: Route53, spec: ResourceSpec, changed: JsonObject) -> JsonObject:
        """Delete the records that differ and create the declared ones, in one batch.

        Route 53 refuses the batch if somebody changed the records since they were read.
        """
        records, _ = _read_records(route53, spec)
        # Nothing differs where an earlier attempt succeeded and its reply was lost. Route 53 refuses an empty
        # batch.
        batch = _changes_to_desired(records, spec.props)
        return {"Change": _send_changes(route53, spec, batch)["ChangeInfo"]["Id"]} if batch else {}

    def declared_retention_reason(self, props: JsonObject) -> str:
        """Return why the records stay if they validate a certificate; "" for other records."""
        if not is_validation_record(props):
            return ""
        return f"{props['Name']}: certificates of the account, in any region, may be renewed by it; it is free"

    def retention_reason(self, client: Any, spec: ResourceSpec) -> str:
        """Return which certificates still need the record, if it validates one; "" for other records.

        Such a record stays with its TXT mark, so a later `apply` takes it into the stack again.
        """
        return describe_dependent_certificates(client, spec) if is_validation_record(spec.props) else ""

    def protections(self, route53: Route53, spec: ResourceSpec) -> list[str]:
        """Return which of the records and the TXT mark Route 53 protects from changes, as a sentence.

        Return nothing for a record that validates a certificate: it is never deleted.
        """
        protections = [] if is_validation_record(spec.props) else _read_own_protections(route53, spec)
        return [describe_protections(protections)] if protections else []

    def deletion_protected(self, route53: Route53, spec: ResourceSpec, actual: JsonObject) -> JsonObject:
        """Return `actual` with the protections of the records and the TXT mark; {} if there are none."""
        protections = [] if is_validation_record(spec.props) else _read_own_protections(route53, spec)
        return {**actual, "Protections": to_cli_option(protections)} if protections else {}

    def write_protections(self, route53: Route53, desired: JsonObject, actual: JsonObject) -> list[Refusal]:
        """Return the protections of the records that change, and of the TXT mark if the name is new."""
        name = desired["Name"]
        types = {record["Type"] for _, record in _changes_to_desired(actual.get("Records", []), desired)}
        if not types or not is_known(name):
            return []
        names = {name: types} if actual else {name: types, _mark_name(name): {"TXT"}}
        zone = desired["HostedZoneId"]
        return protection_refusals(name, zone, read_protections(route53, zone, names))

    def remove_protection(self, route53: Route53, spec: ResourceSpec) -> None:
        """Remove the protection of these records only, with DeleteResourceRecordSetProtections."""
        if protections := _read_own_protections(route53, spec):
            zone = spec.props["HostedZoneId"]
            route53.delete_resource_record_set_protections(HostedZoneId=zone, Protections=protections)

    def delete(self, route53: Route53, spec: ResourceSpec) -> None:
        """Delete the TXT mark, and the records that are still as the stack made them.

        Do not wait until all DNS servers have the deletion: resolvers cache the records for longer than that.
        """
        records, mark = _read_records(route53, spec)
        declared_lines = [_to_line(record) for record in _to_record_sets(spec.props)]
        deletions = [("DELETE", record) for record in records if _to_line(record) in declared_lines]
        if mark and _is_own_mark(mark, spec):
            _send_changes(route53, spec, [*deletions, ("DELETE", mark)])

    def normalize(self, actual: JsonObject) -> JsonObject:
        """Write each record as one line, with its names in lower case and without the final dot."""
        return {**actual, "Records": [_to_line(record) for record in actual.get("Records", [])]}

    def describe_foreign(self, actual: JsonObject) -> str:
        """Return what the name resolves to."""
        lines = [_to_line(record) for record in actual["Records"]]
        return f"{actual['Name']} is {', '.join(lines) or 'marked by another'}"


def _zone_and_name(spec: ResourceSpec) -> JsonObject:
    """Return the properties that identify the name."""
    return {key: spec.props[key] for key in DnsName.unique_properties}


def _read_records(route53: Route53, spec: ResourceSpec) -> tuple[list[JsonObject], JsonObject | None]:
    """Return the records that resolve the name, and its TXT mark (None if there is none)."""
    name = spec.props["Name"]
    zone_records = _list_records(route53, spec.props["HostedZoneId"], name, _PAGE_SIZE)
    records = [record for record in zone_records if _has_name(record, name) and record["Type"] in _ADDRESS_TYPES]
    if len(zone_records) == _PAGE_SIZE:
        zone_records += _list_records(route53, spec.props["HostedZoneId"], _mark_name(name), 1)
    marks = (record for record in zone_records if _has_name(record, _mark_name(name)) and record["Type"] == "TXT")
    return records, next(marks, None)


def _list_records(route53: Route53, zone_id: str, name: str, max_records: int) -> list[JsonObject]:
    """Return up to `max_records` records of the zone, in the zone's order from `name` on."""
    reply = route53.up_to(max_records).list_resource_record_sets(HostedZoneId=zone_id, StartRecordName=name)
    return list(reply["ResourceRecordSets"])


def _read_own_protections(route53: Route53, spec: ResourceSpec) -> list[JsonObject]:
    """Return the name and type of each of these records that Route 53 protects from changes."""
    name = spec.props["Name"]
    return read_protections(route53, spec.props["HostedZoneId"], {name: _ADDRESS_TYPES, _mark_name(name): ("TXT",)})


def _send_changes(route53: Route53, spec: ResourceSpec, changes: list[tuple[str, JsonObject]]) -> JsonObject:
    """Send CREATE and DELETE changes as one batch."""
    batch: Any = {"Changes": [{"Action": action, "ResourceRecordSet": record} for action, record in changes]}
    return route53.change_resource_record_sets(HostedZoneId=spec.props["HostedZoneId"], ChangeBatch=batch)


def _changes_to_desired(records: list[JsonObject], props: JsonObject) -> list[tuple[str, JsonObject]]:
    """Return the changes of a batch that turns the actual records into the declared ones."""
    desired = _to_record_sets(props)
    actual_lines, desired_lines = [_to_line(record) for record in records], [_to_line(record) for record in desired]
    deletions = [("DELETE", record) for record in records if _to_line(record) not in desired_lines]
    return deletions + [("CREATE", record) for record in desired if _to_line(record) not in actual_lines]


def _to_record_sets(props: JsonObject) -> list[JsonObject]:
    """Return the declared records in Route 53's form; an alias record has no TTL of its own."""
    record_sets: list[JsonObject] = []
    for record in props["Records"]:
        ttl = {} if "AliasTarget" in record else {"TTL": _TTL}
        record_sets.append({"Name": props["Name"], **ttl, **record})
    return record_sets


def _mark_name(name: str) -> str:
    """Return the name of the TXT record that marks `name` as ours."""
    return f"_{PROJECT}.{name}"


def _mark_record(spec: ResourceSpec) -> JsonObject:
    """Return the TXT record that marks the name as this stack's."""
    values = [{"Value": f'"{spec.props["Mark"]}"'}]
    return {"Name": _mark_name(spec.props["Name"]), "Type": "TXT", "TTL": _TTL, "ResourceRecords": values}


def _is_own_mark(mark: JsonObject, spec: ResourceSpec) -> bool:
    """Return whether the TXT record is the mark of this stack."""
    return bool(mark["ResourceRecords"] == _mark_record(spec)["ResourceRecords"])


def _has_name(record: JsonObject, name: str) -> bool:
    return bool(normalize_name(record["Name"]) == normalize_name(name))


def _to_line(record: JsonObject) -> str:
    """Return a record as one line for comparison; the TTL is left out, a routing policy is not."""
    target = record.get("AliasTarget") or {}
    values = sorted(normalize_name(value["Value"]) for value in record.get("ResourceRecords", []))
    if target:
        values = ["alias of", normalize_name(target["DNSName"]).removeprefix("dualstack.")]
        values += ["while it is healthy"] if target.get("EvaluateTargetHealth") else []
    written_keys = {"Name", "Type", "TTL", "AliasTarget", "ResourceRecords"}
    policy = [f"{key}={value}" for key, value in sorted(record.items()) if key not in written_keys]
    return " ".join([record["Type"], *values, *policy])
