"""Route 53's protections of record sets: it refuses to create, change or delete a protected record.

botocore 1.44.5 route53, CreateResourceRecordSetProtections: also of a name and type that has no record yet.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.blocker import Refusal
from provisioner.service_clients import Route53

# The command that removes protections; `to_cli_option` formats them.
REMOVE_COMMAND = (
    "aws route53 delete-resource-record-set-protections --hosted-zone-id {HostedZoneId} --protections {Protections}"
)


def read_protections(route53: Route53, zone: str, names: Mapping[str, Iterable[str]]) -> list[JsonObject]:
    """Return the protections in a zone that match these names and record types.

    Args:
        route53: The client.
        zone: The hosted zone's id.
        names: Types of records, by name.

    """
    protections = route53.list_resource_record_set_protections(HostedZoneId=zone)
    types_by_name = {normalize_name(name): set(types) for name, types in names.items()}
    return [
        {key: protection[key] for key in ("RecordName", "RecordType")}
        for protection in protections["ResourceRecordSetProtections"]
        if protection["RecordType"] in types_by_name.get(normalize_name(protection["RecordName"]), ())
    ]


def describe_protections(protections: Iterable[JsonObject]) -> str:
    """Say which types of records are protected."""
    types = ", ".join(protection["RecordType"] for protection in protections)
    return f"Route 53 protects its records of type {types}"


def protection_refusals(name: str, zone: str, protections: list[JsonObject]) -> list[Refusal]:
    """Return why Route 53 refuses to change a name, with the command that removes the protections."""
    command = REMOVE_COMMAND.format(HostedZoneId=zone, Protections=to_cli_option(protections))
    reason = f"{name} is to be changed, and {describe_protections(protections)}"
    return [Refusal(reason, f"Take that off: `{command}`.")] if protections else []


def to_cli_option(protections: list[JsonObject]) -> str:
    """Return protections as the AWS CLI takes them in its option `--protections`."""
    return shlex.quote(json.dumps(protections))


def normalize_name(name: str) -> str:
    """Return a DNS name in lower case and without the final dot, as names are compared."""
    return str(name).rstrip(".").lower()
