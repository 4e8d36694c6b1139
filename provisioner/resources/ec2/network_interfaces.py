"""Network interfaces as blockers of subnets, security groups and VPCs, and whose resources they belong to."""

from __future__ import annotations

from provisioner.engine.calls.clients import sibling_client
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.blocker import Blocker
from provisioner.names import PROJECT, has_stack_tags
from provisioner.resources.ec2.base import MAX_FILTER_VALUES, equals_filters
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
from provisioner.service_clients import EC2, ECS, RDS

# The EC2 calls of `interface_blockers`. The resource types of RDS and ECS declare its calls to those services.
OPERATIONS = "DescribeNatGateways DescribeNetworkInterfaces DescribeVpcEndpoints"
# How the descriptions of interfaces begin that AWS's services create and delete themselves.
_DESCRIPTION_PREFIXES = ("ELB ", "arn:", "RDSNetworkInterface", NAT_GATEWAY_PREFIX, ENDPOINT_PREFIX, "CloudFront")
_ENDING_STATES = frozenset({"deleting", "deleted"})
# The group, endpoint and tag of GuardDuty's Runtime Monitoring: hashicorp/terraform-provider-aws#46747, #46953.
_GUARDDUTY_GROUP_PREFIX, _GUARDDUTY_SERVICE_SUFFIX = "GuardDutyManagedSecurityGroup-", ".guardduty-data"
_GUARDDUTY_TAG = "GuardDutyManaged"
# The note to show before somebody deletes that endpoint or group: neither is deleted with the tasks or the VPC
# (GuardDuty user guide, runtime-monitoring-agent-resource-clean-up). The tag excludes a cluster (ECS developer
# guide, ecs-guard-duty-manage-subset); it must come from the settings, as an apply removes other tags.
GUARDDUTY_NOTE = (
    "GuardDuty makes its endpoint and group again with the next task here while Runtime Monitoring is on: "
    "delete the endpoint, then the group, once no task runs. Or leave the cluster out first: "
    f"{_GUARDDUTY_TAG}=false among the setting `tags`, and an apply; or GuardDuty's automated agent for Fargate turned "
    "off, which in an organisation its administrator does"
)


def is_made_by_guardduty(actual: JsonObject) -> bool:
    """Return whether GuardDuty made this endpoint or security group, by its description from EC2."""
    return (
        str(actual.get("GroupName", "")).startswith(_GUARDDUTY_GROUP_PREFIX)
        or str(actual.get("ServiceName", "")).endswith(_GUARDDUTY_SERVICE_SUFFIX)
        or mapping(actual.get("Tags") or []).get(_GUARDDUTY_TAG) == "true"
    )


def interface_blockers(ec2: EC2, filters: dict[str, str], suffix: str, type_name: str = "") -> list[Blocker]:
    """Return the network interfaces that pass the filters, as blockers.

    Args:
        ec2: The EC2 client.
        filters: Value by the name of an EC2 filter.
        suffix: The suffix of the stack.
        type_name: The resource type whose id the only filter holds, if one call is to serve all that are read together.

    """
    if not type_name:
        interfaces = ec2.describe_network_interfaces(Filters=equals_filters(filters))["NetworkInterfaces"]
        return [_interface_blocker(ec2, interface, suffix) for interface in interfaces]
    [(filter_name, own_id)] = filters.items()
    ids = ec2.batch_scope.batch(own_id, type_name, most=MAX_FILTER_VALUES)
    interfaces = ec2.describe_network_interfaces(Filters=[{"Name": filter_name, "Values": ids}])["NetworkInterfaces"]
    return [
        _interface_blocker(ec2, interface, suffix)
        for interface in interfaces
        if ids == [own_id] or own_id in _containers_of(interface)
    ]


def _containers_of(interface: JsonObject) -> set[str]:
    """Return the ids of the subnet and the security groups that an interface is in."""
    return {interface.get("SubnetId", ""), *(group["GroupId"] for group in interface.get("Groups", []))}


def _interface_blocker(ec2: EC2, interface: JsonObject, suffix: str) -> Blocker:
    """Return an interface as a blocker, which is temporary if AWS made it for a resource of this stack."""
    owner = interface.get("RequesterId") or interface.get("OwnerId", "?")
    purpose = purpose_of(interface)
    # AWS manages the interfaces of a Lambda function too, and keeps them while the function exists. The stack
    # has no function, so they belong to others.
    is_for_function = interface.get("InterfaceType") == "lambda" or purpose.startswith("AWS Lambda")
    is_managed = bool(interface.get("RequesterManaged")) or purpose.startswith(_DESCRIPTION_PREFIXES)
    is_temporary = is_managed and not is_for_function and not _is_for_foreign_resource(ec2, interface, suffix)
    description = f"{interface['NetworkInterfaceId']} ({owner}: {purpose})"
    if is_temporary:
        return Blocker(description, temporary=True)
    note = GUARDDUTY_NOTE if any(map(is_made_by_guardduty, endpoint_or_gateway_of(ec2, purpose))) else ""
    return Blocker(description, temporary=False, remedy=removal_command(interface, ec2.region), note=note)


def _is_in_foreign_groups(interface: JsonObject, suffix: str) -> bool:
    """Return whether an interface is in security groups, but in none of the stack or of CloudFront.

    Then the load balancer or database that it belongs to is somebody else's.
    """
    names = [str(group["GroupName"]) for group in interface.get("Groups", [])]
    is_ours = any(name == CLOUDFRONT_GROUP_NAME or _is_group_of_stack(name, suffix) for name in names)
    # A NAT gateway is in no group; moto says that it is in the VPC's default one.
    return bool(names) and interface.get("InterfaceType") != "nat_gateway" and not is_ours


def _is_group_of_stack(name: str, suffix: str) -> bool:
    """Return whether a security group has a name of this stack: `ml-api-sg-...-<suffix>`."""
    return name.startswith(f"{PROJECT}-sg-") and name.endswith(f"-{suffix}")


def _is_for_foreign_resource(ec2: EC2, interface: JsonObject, suffix: str) -> bool:
    """Return whether AWS made an interface for somebody else's resource that is not being deleted."""
    purpose = purpose_of(interface)
    prefix = next((prefix for prefix in _DESCRIPTION_PREFIXES if purpose.startswith(prefix)), "")
    # For an endpoint or a gateway, its own tags and state decide, whatever groups it is in.
    if prefix in (ENDPOINT_PREFIX, NAT_GATEWAY_PREFIX):
        return any(_is_foreign_and_lasting(resource, suffix) for resource in endpoint_or_gateway_of(ec2, purpose))
    if _is_in_foreign_groups(interface, suffix):
        return True
    match prefix:
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
    """Return whether an endpoint or gateway lacks the stack's tags and is not being deleted."""
    is_ours = has_stack_tags(mapping(actual.get("Tags") or []), suffix)
    return actual["State"].lower() not in _ENDING_STATES and not is_ours


def _is_for_foreign_load_balancer(purpose: str) -> bool:
    """Return whether an interface belongs to a load balancer whose name is none of this project.

    The description (`purpose`) is `ELB app/<name>/<id>`, or `ELB <name>` for a classic load balancer.
    """
    parts = purpose.removeprefix("ELB ").split("/")
    name = parts[1] if len(parts) > 1 else parts[0]
    return not name.startswith(f"{PROJECT}-")


def _is_for_foreign_database(ec2: EC2, interface: JsonObject, suffix: str) -> bool:
    """Return whether somebody else's database is in the interface's groups.

    RDS does not say which database an interface is for.
    """
    groups = {group["GroupId"] for group in interface.get("Groups", [])}

    def is_in(database: JsonObject) -> bool:
        return any(group["VpcSecurityGroupId"] in groups for group in database.get("VpcSecurityGroups", []))

    return any(not blocker.temporary for blocker in databases_using(sibling_client(ec2, RDS), suffix, is_in))


def _is_for_foreign_task(ec2: EC2, purpose: str, suffix: str) -> bool:
    """Return whether an interface belongs to somebody else's task.

    The description (`purpose`) is `arn:<partition>:ecs:<region>:<account>:attachment/<id>`. DescribeTasks
    returns this id too.
    """
    attachment = purpose.rpartition("/")[2]
    return any(task.has_attachment(attachment) for task in foreign_tasks(sibling_client(ec2, ECS), suffix))
