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
from provisioner.engine.types.data import codes, declare_operations
from provisioner.engine.types.health_status import StatusClasses, in_lower_case
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.names import PROJECT
from provisioner.resources.ownership.edge import DNS_NAME
from provisioner.resources.record_protections import LIFTED_BY, as_option, in_words, low, protected, refusals
from provisioner.resources.validation_records import is_proof, users

# The record types that resolve a name; records of other types (TXT, MX, CAA) may exist beside them.
_TYPES = ("A", "AAAA", "CNAME")
_TTL = 300
# How many records to read from a name on. Its subdomains, the TXT mark among them, follow it in the list
# (Route 53 API reference, ListResourceRecordSets).
_NEAR = 100


# The zone is still applying an earlier change (Route 53 API reference, ChangeResourceRecordSets). While the
# zone's accelerated recovery is being turned on or off, Route 53 refuses changes for minutes
# (go-to-k/cdkd#1467, #1483 show only the message; botocore 1.44.5, AcceleratedRecoveryStatus). DNSSEC refuses
# no change of records.
_LOCKED = codes("PriorRequestNotComplete", "*: is marked disabled for mutation")


class DnsName(ResourceType):
    """All records that resolve one name in a hosted zone."""

    service, id_paths = "route53", ("HostedZoneId", "Name")
    ownership = DNS_NAME
    lookup_properties = unique_properties = ("HostedZoneId", "Name")
    immutable = frozenset({"HostedZoneId", "Name"})
    write_only = frozenset({"Mark"})
    uses_existing = True
    ready = {"Status": "INSYNC"}
    # botocore route53 ChangeStatus
    status_classes = (StatusClasses("Status", in_lower_case("INSYNC"), in_lower_case("PENDING")),)
    # Somebody has replaced the records: they resolve to another target, and only our TXT mark was deleted.
    expiring = {"Ours": False}
    expiring_reason = "its records are not ours any more"
    not_found_codes = codes("NoSuchHostedZone")
    unprotect_command = LIFTED_BY
    foreign_remedy = (
        "Delete the records of {Name} in the hosted zone {HostedZoneId}, or leave the name out of "
        "`domain.names`; then run the same command again."
    )
    already_exists_codes = codes("InvalidChangeBatch: already exists")
    retryable_codes = dict.fromkeys(("create", "update", "delete"), _LOCKED)
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

    def read(self, route53: Any, spec: ResourceSpec) -> JsonObject | None:
        """Read the name's records and its TXT mark.

        After a change by this run, ask GetChange too: the name is ready once all DNS servers have the change.
        """
        records, mark = _standing(route53, spec)
        if not records and not mark:
            return None
        change = spec.reply.get("Change")
        status = route53.get_change(Id=change)["ChangeInfo"]["Status"] if change else "INSYNC"
        ours = mark is not None and _is_ours(mark, spec)
        tags = dict(spec.tags) if ours else None
        return {**_named(spec), "Records": records, "Tags": tags, "Ours": ours, "Status": status}

    def create(self, route53: Any, spec: ResourceSpec) -> JsonObject:
        """Create the records and the TXT mark; Route 53 refuses the batch if one of them exists."""
        desired = [*_sets(spec.props), _mark(spec)]
        made = _change(route53, spec, [("CREATE", one) for one in desired])
        return {**spec.props, "Change": made["ChangeInfo"]["Id"]}

    def update(self, route53: Any, spec: ResourceSpec, changed: JsonObject) -> JsonObject:
        """Delete the records that differ and create the declared ones, in one batch.

        Route 53 refuses the batch if somebody changed the records since they were read.
        """
        records, _ = _standing(route53, spec)
        # Nothing differs where an earlier attempt succeeded and its reply was lost. Route 53 refuses an empty
        # batch.
        batch = _differing(records, spec.props)
        return {"Change": _change(route53, spec, batch)["ChangeInfo"]["Id"]} if batch else {}

    def declared_retention_reason(self, props: JsonObject) -> str:
        """Return why the records stay if they validate a certificate; "" for other records."""
        if not is_proof(props):
            return ""
        return f"{props['Name']}: certificates of the account, in any region, may be renewed by it; it is free"

    def retention_reason(self, client: Any, spec: ResourceSpec) -> str:
        """Return which certificates still need the record, if it validates one; "" for other records.

        Such a record stays with its TXT mark, so a later `apply` takes it into the stack again.
        """
        return users(client, spec) if is_proof(spec.props) else ""

    def protections(self, route53: Any, spec: ResourceSpec) -> list[str]:
        """Return which of the records and the TXT mark Route 53 protects from changes, as a sentence.

        Return nothing for a record that validates a certificate: it is never deleted.
        """
        found = [] if is_proof(spec.props) else _protected(route53, spec)
        return [in_words(found)] if found else []

    def deletion_protected(self, route53: Any, spec: ResourceSpec, actual: JsonObject) -> JsonObject:
        """Return `actual` with the protections of the records and the TXT mark; {} if there are none."""
        found = [] if is_proof(spec.props) else _protected(route53, spec)
        return {**actual, "Protections": as_option(found)} if found else {}

    def write_protections(self, route53: Any, desired: JsonObject, actual: JsonObject) -> list[Refusal]:
        """Return the protections of the records that change, and of the TXT mark if the name is new."""
        name = desired["Name"]
        types = {one["Type"] for _, one in _differing(actual.get("Records", []), desired)}
        if not types or not is_known(name):
            return []
        names = {name: types} if actual else {name: types, _marked(name): {"TXT"}}
        return refusals(name, desired["HostedZoneId"], protected(route53, desired["HostedZoneId"], names))

    def remove_protection(self, route53: Any, spec: ResourceSpec) -> None:
        """Remove the protection of these records only, with DeleteResourceRecordSetProtections."""
        if found := _protected(route53, spec):
            route53.delete_resource_record_set_protections(HostedZoneId=spec.props["HostedZoneId"], Protections=found)

    def delete(self, route53: Any, spec: ResourceSpec) -> None:
        """Delete the TXT mark, and the records that are still as the stack made them.

        Do not wait until all DNS servers have the deletion: resolvers cache the records for longer than that.
        """
        records, mark = _standing(route53, spec)
        ours = [_line(one) for one in _sets(spec.props)]
        going = [("DELETE", one) for one in records if _line(one) in ours]
        if mark and _is_ours(mark, spec):
            _change(route53, spec, [*going, ("DELETE", mark)])

    def normalize(self, actual: JsonObject) -> JsonObject:
        """Write each record as one line, with its names in lower case and without the final dot."""
        return {**actual, "Records": [_line(one) for one in actual.get("Records", [])]}

    def describe_foreign(self, actual: JsonObject) -> str:
        """Return what the name resolves to."""
        told = [_line(one) for one in actual["Records"]]
        return f"{actual['Name']} is {', '.join(told) or 'marked by another'}"


def _named(spec: ResourceSpec) -> JsonObject:
    return {key: spec.props[key] for key in DnsName.unique_properties}


def _standing(route53: Any, spec: ResourceSpec) -> tuple[list[JsonObject], JsonObject | None]:
    """Return the records that resolve the name, and its TXT mark (None if there is none)."""
    name = spec.props["Name"]
    listed = _from(route53, spec.props["HostedZoneId"], name, _NEAR)
    records = [one for one in listed if _is_at(one, name) and one["Type"] in _TYPES]
    if len(listed) == _NEAR:
        listed += _from(route53, spec.props["HostedZoneId"], _marked(name), 1)
    marks = (one for one in listed if _is_at(one, _marked(name)) and one["Type"] == "TXT")
    return records, next(marks, None)


def _from(route53: Any, zone: str, name: str, most: int) -> list[JsonObject]:
    """Return up to `most` records of the zone, in the zone's order from `name` on."""
    told = route53.list_resource_record_sets(
        HostedZoneId=zone, StartRecordName=name, PaginationConfig={"MaxItems": most, "PageSize": most}
    )
    return list(told["ResourceRecordSets"])


def _protected(route53: Any, spec: ResourceSpec) -> list[JsonObject]:
    """Return the name and type of each of these records that Route 53 protects from changes."""
    name = spec.props["Name"]
    return protected(route53, spec.props["HostedZoneId"], {name: _TYPES, _marked(name): ("TXT",)})


def _change(route53: Any, spec: ResourceSpec, changes: list[tuple[str, JsonObject]]) -> JsonObject:
    """Send CREATE and DELETE changes as one batch."""
    batch = [{"Action": action, "ResourceRecordSet": record} for action, record in changes]
    return dict(
        route53.change_resource_record_sets(HostedZoneId=spec.props["HostedZoneId"], ChangeBatch={"Changes": batch})
    )


def _differing(records: list[JsonObject], props: JsonObject) -> list[tuple[str, JsonObject]]:
    """Return the changes of a batch that turns the actual records into the declared ones."""
    actual, desired = ([_line(one) for one in some] for some in (records, _sets(props)))
    going = [("DELETE", one) for one in records if _line(one) not in desired]
    return going + [("CREATE", one) for one in _sets(props) if _line(one) not in actual]


def _sets(props: JsonObject) -> list[JsonObject]:
    """Return the declared records in Route 53's form; an alias record has no TTL of its own."""
    ttl = [{} if "AliasTarget" in one else {"TTL": _TTL} for one in props["Records"]]
    return [{"Name": props["Name"], **own, **one} for own, one in zip(ttl, props["Records"], strict=True)]


def _marked(name: str) -> str:
    """Return the name of the TXT record that marks `name` as ours."""
    return f"_{PROJECT}.{name}"


def _mark(spec: ResourceSpec) -> JsonObject:
    """Return the TXT record that marks the name as this stack's."""
    told = [{"Value": f'"{spec.props["Mark"]}"'}]
    return {"Name": _marked(spec.props["Name"]), "Type": "TXT", "TTL": _TTL, "ResourceRecords": told}


def _is_ours(mark: JsonObject, spec: ResourceSpec) -> bool:
    return bool(mark["ResourceRecords"] == _mark(spec)["ResourceRecords"])


def _is_at(record: JsonObject, name: str) -> bool:
    return bool(low(record["Name"]) == low(name))


def _line(record: JsonObject) -> str:
    """Return a record as one line for comparison; the TTL is left out, a routing policy is not."""
    target = record.get("AliasTarget") or {}
    values = sorted(low(one["Value"]) for one in record.get("ResourceRecords", []))
    if target:
        values = ["alias of", low(target["DNSName"]).removeprefix("dualstack.")]
        values += ["while it is well"] if target.get("EvaluateTargetHealth") else []
    usual = {"Name", "Type", "TTL", "AliasTarget", "ResourceRecords"}
    policy = [f"{key}={value}" for key, value in sorted(record.items()) if key not in usual]
    return " ".join([record["Type"], *values, *policy])
