"""Route 53's protections of record sets: it refuses to create, change or delete a protected record.

botocore 1.44.5 route53, CreateResourceRecordSetProtections: also of a name and type that has no record yet.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.blocker import Refusal

# The command that removes protections; `as_option` formats them.
LIFTED_BY = (
    "aws route53 delete-resource-record-set-protections --hosted-zone-id {HostedZoneId} --protections {Protections}"
)


def protected(route53: Any, zone: str, names: Mapping[str, Iterable[str]]) -> list[JsonObject]:
    """Return the protections in a zone that match these names and record types.

    Args:
        route53: The client.
        zone: The hosted zone's id.
        names: Types of records, by name.

    """
    listed = route53.list_resource_record_set_protections(HostedZoneId=zone)
    desired = {low(name): set(types) for name, types in names.items()}
    return [
        {key: one[key] for key in ("RecordName", "RecordType")}
        for one in listed["ResourceRecordSetProtections"]
        if one["RecordType"] in desired.get(low(one["RecordName"]), ())
    ]


def in_words(found: Iterable[JsonObject]) -> str:
    """Say which types of records are protected."""
    return f"Route 53 protects its records of type {', '.join(one['RecordType'] for one in found)}"


def refusals(name: str, zone: str, found: list[JsonObject]) -> list[Refusal]:
    """Return why Route 53 refuses to change a name, with the command that removes the protections."""
    way = LIFTED_BY.format(HostedZoneId=zone, Protections=as_option(found))
    what = f"{name} is to be changed, and {in_words(found)}"
    return [Refusal(what, f"Take that off: `{way}`.")] if found else []


def as_option(found: list[JsonObject]) -> str:
    """Return protections as the AWS CLI takes them in its option `--protections`."""
    return shlex.quote(json.dumps(found))


def low(name: str) -> str:
    """Return a DNS name in lower case and without the final dot, as names are compared."""
    return str(name).rstrip(".").lower()
