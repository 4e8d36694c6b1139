"""ECS services: refuses settings that cannot run, names still in use, and clusters that are not empty."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from provisioner.emulator.account_store import AccountStore
from provisioner.emulator.behaviours.interfaces import InterfaceOwner, set_owner
from provisioner.emulator.behaviours.lag import Hidden, LagRule
from provisioner.emulator.ecs.model import Task, all_tasks, when_attached
from provisioner.emulator.errors import AwsError, Reply
from provisioner.emulator.hooks import behaviours
from provisioner.emulator.moto_bridge import backend, list_moto
from provisioner.emulator.patches.ecs_clusters import cluster_arn, services_in
from provisioner.emulator.patches.ecs_services import find_service
from provisioner.emulator.wire import Call

# AWS doc, Fargate task sizes: by CPU units, the least and the most memory and the step between, in MiB.
FARGATE = {
    256: (512, 2048, 512),
    512: (1024, 4096, 1024),
    1024: (2048, 8192, 1024),
    2048: (4096, 16384, 1024),
    4096: (8192, 30720, 1024),
    8192: (16384, 61440, 4096),
    16384: (32768, 122880, 8192),
}
FRESH = LagRule("ecs", "CreateService", "service.serviceArn", "DescribeServices", "services", "services", "", "")

_fresh: AccountStore[Hidden] = AccountStore()


def _invalid(message: str) -> AwsError:
    """Return the error InvalidParameterException with a message."""
    return AwsError("InvalidParameterException", message)


@behaviours.before("ecs", "RegisterTaskDefinition")
def task_size(call: Call) -> None:
    """Refuse a task size that Fargate does not offer."""
    params = call.params
    if "FARGATE" not in params.get("requiresCompatibilities", []):
        return
    cpu, memory = params.get("cpu", "0"), params.get("memory", "0")
    first, last, step = FARGATE.get(int(cpu) if cpu.isdigit() else 0, (0, -1, 1))
    # 0.25 vCPU is offered with 0.5, 1 and 2 GB, but not with 1.5 GB
    sizes = set(range(first, last + 1, step)) - {1536}
    if not memory.isdigit() or int(memory) not in sizes:
        message = f"No Fargate configuration exists for given values: {cpu} CPU, {memory} memory."
        raise AwsError("ClientException", f"{message} See the Amazon ECS documentation for the valid values.")


@behaviours.before("ecs", "CreateService")
def may_create(call: Call) -> None:
    """Refuse a new service with invalid parameters, or with the name of one that is still draining."""
    params = call.params
    if params.get("launchType") and params.get("capacityProviderStrategy"):  # botocore ServiceModel
        raise _invalid(
            "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again."
        )
    old = find_service(call, params["serviceName"])
    if old is not None and old.status == "DRAINING":  # spinnaker/spinnaker#5476
        raise _invalid("Unable to Start a service that is still Draining.")
    _check_providers(call)
    _check_network(call)
    _check_target_groups(call)


@behaviours.before("ecs", "UpdateService")
def may_update(call: Call) -> None:
    """Refuse a change of a service to invalid parameters."""
    _check_providers(call)
    _check_network(call)
    _check_target_groups(call)


def _check_providers(call: Call) -> None:
    """Refuse a capacity provider that the cluster lacks: AWS doc, API_CapacityProviderStrategyItem."""
    name = cluster_arn(call).rpartition("/")[2]
    attached = backend("ecs", call.account, call.region).clusters[name].capacity_providers or []
    for item in call.params.get("capacityProviderStrategy", []):
        if item["capacityProvider"] not in attached:
            message = f"The specified capacity provider '{item['capacityProvider']}' was not found."
            raise _invalid(f"{message} Specify a valid name or ARN and try again.")


def _check_network(call: Call) -> None:
    """Refuse subnets and security groups that do not exist."""
    vpc = call.params.get("networkConfiguration", {}).get("awsvpcConfiguration", {})
    ec2 = backend("ec2", call.account, call.region)
    subnet_ids = {name for zone in ec2.subnets.values() for name in zone}
    for subnet in vpc.get("subnets", []):
        if subnet not in subnet_ids:
            raise _invalid(
                f"Error retrieving subnet information for [{subnet}]: The subnet ID '{subnet}' does not exist"
                " (ErrorCode: InvalidSubnetID.NotFound)"
            )
    for group in vpc.get("securityGroups", []):
        if ec2.get_security_group_from_id(group) is None:
            raise _invalid(
                f"Error retrieving security group information for [{group}]: The security group '{group}'"
                " does not exist (ErrorCode: InvalidGroup.NotFound)"
            )


def _check_target_groups(call: Call) -> None:
    """Refuse target groups without a load balancer: terraform-provider-aws ecs/service.go retries on this."""
    elb = backend("elbv2", call.account, call.region)
    for balancer in call.params.get("loadBalancers", []):
        both = (balancer.get("targetGroupArn"), _alternate_group(balancer))
        for arn in filter(None, both):
            if arn not in elb.target_groups:
                raise _invalid(f"The specified target group does not exist: {arn}")
            if arn not in set(_forwarded_to(call, elb)):
                message = f"The target group with targetGroupArn {arn} does not have an associated load balancer."
                raise _invalid(message)


def _alternate_group(balancer: dict[str, Any]) -> str:
    """Return the alternate target group of a service's load balancer; "" without one."""
    return str(balancer.get("advancedConfiguration", {}).get("alternateTargetGroupArn") or "")


def _forwarded_to(call: Call, elb: Any) -> Iterator[str]:
    """Yield the target groups to which listener rules forward."""
    for balancer in elb.load_balancers.values():
        for listener in balancer.listeners.values():
            rules = list_moto(call, "elbv2", "DescribeRules", ListenerArn=listener.arn)["Rules"]
            for action in (action for rule in rules for action in rule["Actions"]):
                yield action.get("TargetGroupArn", "")
                for group in action.get("ForwardConfig", {}).get("TargetGroups", []):
                    yield group["TargetGroupArn"]


@behaviours.after("ecs", "CreateService")
def hide_new_service(call: Call, reply: Reply) -> None:
    """Hide a new service from the first reads: terraform-provider-aws ecs/find.go."""
    arn = reply["service"]["serviceArn"]
    _fresh.of(call).setdefault(arn, Hidden(FRESH, arn))


@behaviours.after("ecs", "DescribeServices")
def remove_hidden(call: Call, reply: Reply) -> None:
    """Remove a hidden service from the reply, and report it there as a failure with the reason MISSING."""
    for service in list(reply["services"]):
        fresh = _fresh.of(call).get(service["serviceArn"])
        if fresh is not None and fresh.hides_from_read():
            reply["services"].remove(service)
            reply["failures"].append({"arn": service["serviceArn"], "reason": "MISSING"})


@behaviours.before("ecs", "DeleteCluster")
def delete_cluster(call: Call) -> None:
    """Refuse to delete a cluster with services or tasks: botocore ServiceModel, errors of DeleteCluster."""
    arn = cluster_arn(call)
    if services_in(call.place, arn):
        message = "The Cluster cannot be deleted while Services are active."
        raise AwsError("ClusterContainsServicesException", message)
    if any(task.cluster == arn and task.status != "STOPPED" for task in all_tasks(call.place)):
        message = "The Cluster cannot be deleted while Tasks are active."
        raise AwsError("ClusterContainsTasksException", message)


def _own_interface(task: Task) -> None:
    """Make ECS the owner of a task's network interface."""
    if behaviours.on:
        vpc = task.spec.get("networkConfiguration", {}).get("awsvpcConfiguration", {})
        public = vpc.get("assignPublicIp") == "ENABLED"
        description = task.arn.replace(":task/", ":attachment/")
        set_owner(task.place, task.interface, InterfaceOwner("amazon-ecs", description, public=public))


when_attached.append(_own_interface)
