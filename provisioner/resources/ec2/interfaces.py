"""Network interfaces that hold a network's parts: whose they are, GuardDuty's included."""

from __future__ import annotations

from typing import Any

from provisioner.engine.calls.clients import sibling_client
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.blocker import Blocker
from provisioner.names import PROJECT, has_stack_tags
from provisioner.resources.ec2.base import where
from provisioner.resources.ec2.remedies import ENDPOINT, GATEWAY, made_for, purpose_of, remedy
from provisioner.resources.ecs.foreign_workloads import foreign_tasks
from provisioner.resources.rds.base import databases_using
from provisioner.resources.tags import mapping
from provisioner.resources.vpc_origin import CLOUDFRONT_GROUP_NAME

_GROUP, _SERVICE, _TAG = "GuardDutyManagedSecurityGroup-", ".guardduty-data", "GuardDutyManaged"


def is_guard_dutys(actual: JsonObject) -> bool:
    """Return whether GuardDuty made this endpoint or security group (as AWS describes it)."""
    return (
        str(actual.get("GroupName", "")).startswith(_GROUP)
        or str(actual.get("ServiceName", "")).endswith(_SERVICE)
        or mapping(actual.get("Tags") or []).get(_TAG) == "true"
    )


# The note to show before somebody deletes them. The tag must come from the settings: an apply removes other
# tags from the cluster.
COMES_AGAIN = (
    "GuardDuty makes its endpoint and group again with the next task here while Runtime Monitoring is on: "
    "delete the endpoint, then the group, once no task runs. Or leave the cluster out first: "
    f"{_TAG}=false among the setting `tags`, and an apply; or GuardDuty's automated agent for Fargate turned "
    "off, which in an organisation its administrator does"
)


# The EC2 calls of `interfaces`. Its calls to RDS and ECS are also those of the resource types there.
ASKED = "DescribeNatGateways DescribeNetworkInterfaces DescribeVpcEndpoints"
# How descriptions begin of interfaces that AWS's own services make and take away.
_SERVICES = ("ELB ", "arn:", "RDSNetworkInterface", GATEWAY, ENDPOINT, "CloudFront")
_ENDING = frozenset({"deleting", "deleted"})


def interfaces(ec2: Any, filters: dict[str, str], suffix: str) -> list[Blocker]:
    """Return the network interfaces that pass the filters, as blockers.

    Args:
        ec2: The EC2 client.
        filters: Value by the name of an EC2 filter.
        suffix: The suffix of the stack.

    """
    found = ec2.describe_network_interfaces(Filters=where(filters))["NetworkInterfaces"]
    return [_holder(ec2, one, suffix) for one in found]


def _holder(ec2: Any, interface: JsonObject, suffix: str) -> Blocker:
    # An interface is a temporary blocker if AWS made it for a resource of this stack and will remove it.
    owner = interface.get("RequesterId") or interface.get("OwnerId", "?")
    purpose = purpose_of(interface)
    # AWS manages the interfaces of a Lambda function too, and keeps them while the function exists. The stack
    # has no function, so they belong to others.
    is_functions = interface.get("InterfaceType") == "lambda" or purpose.startswith("AWS Lambda")
    managed = bool(interface.get("RequesterManaged")) or purpose.startswith(_SERVICES)
    passing = managed and not is_functions and not _serves_others(ec2, interface, suffix)
    what = f"{interface['NetworkInterfaceId']} ({owner}: {purpose})"
    if passing:
        return Blocker(what, temporary=True)
    note = COMES_AGAIN if any(map(is_guard_dutys, made_for(ec2, purpose))) else ""
    return Blocker(what, temporary=False, remedy=remedy(interface, ec2.region), note=note)


def _is_in_others_groups(interface: JsonObject, suffix: str) -> bool:
    """Return whether the load balancer or database behind an interface is somebody else's.

    The stack's own are in security groups of the stack.
    """
    names = [str(group["GroupName"]) for group in interface.get("Groups", [])]
    ours = (name == CLOUDFRONT_GROUP_NAME or _is_our_group(name, suffix) for name in names)
    # A NAT gateway is in no group; moto says that it is in the VPC's default one.
    return bool(names) and interface.get("InterfaceType") != "nat_gateway" and not any(ours)


def _is_our_group(name: str, suffix: str) -> bool:
    return name.startswith(f"{PROJECT}-sg-") and name.endswith(f"-{suffix}")


def _serves_others(ec2: Any, interface: JsonObject, suffix: str) -> bool:
    """Return whether AWS made an interface for a resource of somebody else that is not being deleted."""
    purpose = purpose_of(interface)
    begin = next((begin for begin in _SERVICES if purpose.startswith(begin)), "")
    # For an endpoint or a gateway, its own tags and state decide, whatever groups it is in.
    if begin in (ENDPOINT, GATEWAY):
        return any(_stays(one, suffix) for one in made_for(ec2, purpose))
    if _is_in_others_groups(interface, suffix):
        return True
    match begin:
        case "ELB ":
            return _is_others_balancer(purpose)
        case "RDSNetworkInterface":
            return _databases(ec2, interface, suffix)
        case "arn:":
            return _tasks(ec2, purpose, suffix)
        case "":
            # A transit gateway or Cloud WAN has interfaces in no group; the stack has neither.
            return not interface.get("Groups") and interface.get("InterfaceType") != "nat_gateway"
        case _:
            return False


def _stays(actual: JsonObject, suffix: str) -> bool:
    # Whether an endpoint or gateway is not of this stack and is not being deleted.
    return actual["State"].lower() not in _ENDING and not has_stack_tags(mapping(actual.get("Tags") or []), suffix)


def _is_others_balancer(purpose: str) -> bool:
    """Return whether a load balancer is not of this project, by the description of its interface.

    The description is `ELB app/<name>/<id>`, or `ELB <name>` for a classic load balancer.
    """
    name = purpose.removeprefix("ELB ").split("/")
    return not name[min(1, len(name) - 1)].startswith(f"{PROJECT}-")


def _databases(ec2: Any, interface: JsonObject, suffix: str) -> bool:
    """Return whether a database of others is in the interface's groups: RDS does not say which it is for."""
    groups = {group["GroupId"] for group in interface.get("Groups", [])}

    def is_in(database: JsonObject) -> bool:
        return any(one["VpcSecurityGroupId"] in groups for one in database.get("VpcSecurityGroups", []))

    return any(not one.temporary for one in databases_using(sibling_client(ec2, "rds"), suffix, is_in))


def _tasks(ec2: Any, purpose: str, suffix: str) -> bool:
    """Return whether the interface belongs to a task of somebody else.

    The description is `arn:<partition>:ecs:<region>:<account>:attachment/<id>`, with an id that DescribeTasks
    returns too.
    """
    attachment = purpose.rpartition("/")[2]
    return any(one.holds(attachment) for one in foreign_tasks(sibling_client(ec2, "ecs"), suffix))
