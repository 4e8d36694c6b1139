"""Network interfaces that hold a network's parts: whose they are, GuardDuty's included."""

from __future__ import annotations

from typing import Any

from provisioner.engine.calls.clients import sibling_client
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.blocker import Blocker
from provisioner.names import PROJECT, has_stack_tags
from provisioner.resources.ec2.base import equals_filters
from provisioner.resources.ec2.interface_removal import (
    ENDPOINT_PREFIX,
    NAT_GATEWAY_PREFIX,
    endpoint_or_gateway_of,
    purpose_of,
    removal_command,
)
from provisioner.resources.ecs.foreign_workloads import foreign_tasks
from provisioner.resources.rds.base import databases_using
from provisioner.resources.tags import mapping
from provisioner.resources.vpc_origin import CLOUDFRONT_GROUP_NAME

_GUARDDUTY_GROUP_PREFIX, _GUARDDUTY_SERVICE_SUFFIX, _GUARDDUTY_TAG = (
    "GuardDutyManagedSecurityGroup-",
    ".guardduty-data",
    "GuardDutyManaged",
)


def is_made_by_guardduty(actual: JsonObject) -> bool:
    """Return whether GuardDuty made this endpoint or security group (as AWS describes it)."""
    return (
        str(actual.get("GroupName", "")).startswith(_GUARDDUTY_GROUP_PREFIX)
        or str(actual.get("ServiceName", "")).endswith(_GUARDDUTY_SERVICE_SUFFIX)
        or mapping(actual.get("Tags") or []).get(_GUARDDUTY_TAG) == "true"
    )


# The note to show before somebody deletes them. The tag must come from the settings: an apply removes other
# tags from the cluster.
GUARDDUTY_NOTE = (
    "GuardDuty makes its endpoint and group again with the next task here while Runtime Monitoring is on: "
    "delete the endpoint, then the group, once no task runs. Or leave the cluster out first: "
    f"{_GUARDDUTY_TAG}=false among the setting `tags`, and an apply; or GuardDuty's automated agent for Fargate turned "
    "off, which in an organisation its administrator does"
)


# The EC2 calls of `interfaces`. Its calls to RDS and ECS are also those of the resource types there.
OPERATIONS = "DescribeNatGateways DescribeNetworkInterfaces DescribeVpcEndpoints"
# How descriptions begin of interfaces that AWS's own services make and take away.
_DESCRIPTION_PREFIXES = ("ELB ", "arn:", "RDSNetworkInterface", NAT_GATEWAY_PREFIX, ENDPOINT_PREFIX, "CloudFront")
_ENDING_STATES = frozenset({"deleting", "deleted"})


def interface_blockers(ec2: Any, filters: dict[str, str], suffix: str) -> list[Blocker]:
    """Return the network interfaces that pass the filters, as blockers.

    Args:
        ec2: The EC2 client.
        filters: Value by the name of an EC2 filter.
        suffix: The suffix of the stack.

    """
    found = ec2.describe_network_interfaces(Filters=equals_filters(filters))["NetworkInterfaces"]
    return [_interface_blocker(ec2, one, suffix) for one in found]


def _interface_blocker(ec2: Any, interface: JsonObject, suffix: str) -> Blocker:
    # An interface is a temporary blocker if AWS made it for a resource of this stack and will remove it.
    owner = interface.get("RequesterId") or interface.get("OwnerId", "?")
    purpose = purpose_of(interface)
    # AWS manages the interfaces of a Lambda function too, and keeps them while the function exists. The stack
    # has no function, so they belong to others.
    is_functions = interface.get("InterfaceType") == "lambda" or purpose.startswith("AWS Lambda")
    managed = bool(interface.get("RequesterManaged")) or purpose.startswith(_DESCRIPTION_PREFIXES)
    passing = managed and not is_functions and not _is_for_foreign_resource(ec2, interface, suffix)
    what = f"{interface['NetworkInterfaceId']} ({owner}: {purpose})"
    if passing:
        return Blocker(what, temporary=True)
    note = GUARDDUTY_NOTE if any(map(is_made_by_guardduty, endpoint_or_gateway_of(ec2, purpose))) else ""
    return Blocker(what, temporary=False, remedy=removal_command(interface, ec2.region), note=note)


def _is_in_foreign_groups(interface: JsonObject, suffix: str) -> bool:
    """Return whether the load balancer or database behind an interface is somebody else's.

    The stack's own are in security groups of the stack.
    """
    names = [str(group["GroupName"]) for group in interface.get("Groups", [])]
    ours = (name == CLOUDFRONT_GROUP_NAME or _is_group_of_stack(name, suffix) for name in names)
    # A NAT gateway is in no group; moto says that it is in the VPC's default one.
    return bool(names) and interface.get("InterfaceType") != "nat_gateway" and not any(ours)


def _is_group_of_stack(name: str, suffix: str) -> bool:
    return name.startswith(f"{PROJECT}-sg-") and name.endswith(f"-{suffix}")


def _is_for_foreign_resource(ec2: Any, interface: JsonObject, suffix: str) -> bool:
    """Return whether AWS made an interface for a resource of somebody else that is not being deleted."""
    purpose = purpose_of(interface)
    begin = next((begin for begin in _DESCRIPTION_PREFIXES if purpose.startswith(begin)), "")
    # For an endpoint or a gateway, its own tags and state decide, whatever groups it is in.
    if begin in (ENDPOINT_PREFIX, NAT_GATEWAY_PREFIX):
        return any(_is_foreign_and_lasting(one, suffix) for one in endpoint_or_gateway_of(ec2, purpose))
    if _is_in_foreign_groups(interface, suffix):
        return True
    match begin:
        case "ELB ":
            return _is_for_foreign_load_balancer(purpose)
        case "RDSNetworkInterface":
            return _is_for_foreign_database(ec2, interface, suffix)
        case "arn:":
            return _is_for_foreign_task(ec2, purpose, suffix)
        case "":
            # A transit gateway or Cloud WAN has interfaces in no group; the stack has neither.
            return not interface.get("Groups") and interface.get("InterfaceType") != "nat_gateway"
        case _:
            return False


def _is_foreign_and_lasting(actual: JsonObject, suffix: str) -> bool:
    # Whether an endpoint or gateway is not of this stack and is not being deleted.
    return actual["State"].lower() not in _ENDING_STATES and not has_stack_tags(
        mapping(actual.get("Tags") or []), suffix
    )


def _is_for_foreign_load_balancer(purpose: str) -> bool:
    """Return whether a load balancer is not of this project, by the description of its interface.

    The description is `ELB app/<name>/<id>`, or `ELB <name>` for a classic load balancer.
    """
    name = purpose.removeprefix("ELB ").split("/")
    return not name[min(1, len(name) - 1)].startswith(f"{PROJECT}-")


def _is_for_foreign_database(ec2: Any, interface: JsonObject, suffix: str) -> bool:
    """Return whether a database of others is in the interface's groups: RDS does not say which it is for."""
    groups = {group["GroupId"] for group in interface.get("Groups", [])}

    def is_in(database: JsonObject) -> bool:
        return any(one["VpcSecurityGroupId"] in groups for one in database.get("VpcSecurityGroups", []))

    return any(not one.temporary for one in databases_using(sibling_client(ec2, "rds"), suffix, is_in))


def _is_for_foreign_task(ec2: Any, purpose: str, suffix: str) -> bool:
    """Return whether the interface belongs to a task of somebody else.

    The description is `arn:<partition>:ecs:<region>:<account>:attachment/<id>`, with an id that DescribeTasks
    returns too.
    """
    attachment = purpose.rpartition("/")[2]
    return any(one.has_attachment(attachment) for one in foreign_tasks(sibling_client(ec2, "ecs"), suffix))
