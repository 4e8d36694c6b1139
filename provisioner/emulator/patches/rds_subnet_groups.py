"""DB subnet groups: taken names are refused, a modified group is not lost, and two zones are required."""

from __future__ import annotations

from typing import Any

from provisioner.emulator.errors import AwsError, Reply
from provisioner.emulator.hooks import always
from provisioner.emulator.moto_bridge import ask_moto, backend
from provisioner.emulator.wire import Call


def _groups(call: Call) -> dict[str, Any]:
    """Return moto's DB subnet groups by name."""
    groups: dict[str, Any] = backend("rds", call.account, call.region).subnet_groups
    return groups


@always.before("rds", "CreateDBSubnetGroup")
def create_subnet_group(call: Call) -> Reply | None:
    """Create a subnet group under its name in lower case; refuse a name that is taken.

    Source: botocore ServiceModel.
    """
    name = call.params["DBSubnetGroupName"].lower()
    if name in _groups(call):
        raise AwsError("DBSubnetGroupAlreadyExists", f"The DB subnet group '{name}' already exists.")
    _check_subnets(call)
    return ask_moto(call, "rds", "CreateDBSubnetGroup", **call.params | {"DBSubnetGroupName": name})


@always.before("rds", "ModifyDBSubnetGroup")
def modify_subnet_group(call: Call) -> Reply | None:
    """Modify a subnet group, and put it back into moto's list, from which moto removes it."""
    name = call.params["DBSubnetGroupName"].lower()
    group = _groups(call).get(name)
    if group is None:
        raise AwsError("DBSubnetGroupNotFoundFault", f"Subnet Group {name} not found.", 404)
    _check_subnets(call)
    _check_instances(call, group)
    reply = ask_moto(call, "rds", "ModifyDBSubnetGroup", **call.params | {"DBSubnetGroupName": name})
    _groups(call)[name] = group
    return reply


@always.before("rds", "DescribeDBSubnetGroups", "DeleteDBSubnetGroup")
def lower_case(call: Call) -> Reply | None:
    """Find a subnet group whatever the case of its name."""
    name = call.params.get("DBSubnetGroupName", "")
    if name == name.lower():
        return None
    return ask_moto(call, "rds", call.operation, **call.params | {"DBSubnetGroupName": name.lower()})


def _check_instances(call: Call, group: Any) -> None:
    """Refuse to leave a zone in which an instance runs (botocore ServiceModel, SubnetAlreadyInUse)."""
    zones_kept = {subnet.availability_zone for subnet in _subnets(call) if subnet.id in call.params["SubnetIds"]}
    zones_left = {subnet["SubnetAvailabilityZone"]["Name"] for subnet in group.subnets} - zones_kept
    rds = backend("rds", call.account, call.region)
    for instance in rds.databases.values():
        cluster = rds.clusters.get(instance.db_cluster_identifier)
        group_name = cluster.db_subnet_group_name if cluster else instance.db_subnet_group_name
        if group_name == group.name and instance.availability_zone in zones_left:
            message = f"The DB subnet is already in use in the Availability Zone {instance.availability_zone}."
            raise AwsError("SubnetAlreadyInUse", message)


def _subnets(call: Call) -> list[Any]:
    """Return all of moto's subnets."""
    ec2 = backend("ec2", call.account, call.region)
    return [subnet for zone in ec2.subnets.values() for subnet in zone.values()]


def _check_subnets(call: Call) -> None:
    """Refuse unknown subnets, and subnets in fewer than two zones.

    Source of the codes: botocore ServiceModel, errors of CreateDBSubnetGroup.
    """
    ec2 = backend("ec2", call.account, call.region)
    subnets = {sub: zone for zone, zone_subnets in ec2.subnets.items() for sub in zone_subnets}
    for subnet in call.params["SubnetIds"]:
        if subnet not in subnets:
            raise AwsError("InvalidSubnet", f"Subnet {subnet} is not valid or does not exist.")
    if len({subnets[subnet] for subnet in call.params["SubnetIds"]}) < 2:  # noqa: PLR2004  # zones
        raise AwsError(
            "DBSubnetGroupDoesNotCoverEnoughAZs",
            "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Current AZ"
            " coverage: 1. Add subnets to cover at least 2 AZs.",
        )
