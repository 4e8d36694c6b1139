"""GuardDuty's Runtime Monitoring: it creates a VPC endpoint and a security group where a Fargate task runs.

It creates both again with the next task if they were deleted, and does not delete them with the tasks
(hashicorp/terraform-provider-aws#46747; GuardDuty user guide, runtime-monitoring-agent-resource-clean-up). A
cluster with the tag GuardDutyManaged=false is left out (ECS developer guide, ecs-guard-duty-manage-subset).
AWS does not document which subnets it chooses: here they are the subnets of the tasks.
"""

from __future__ import annotations

from typing import Any

from provisioner.emulator.behaviours.interfaces import InterfaceOwner, create_interface, set_owner
from provisioner.emulator.ecs.model import Task, when_attached
from provisioner.emulator.hooks import strict
from provisioner.emulator.moto_bridge import ask_moto, backend
from provisioner.emulator.wire import AccountRegion

GROUP, TAG = "GuardDutyManagedSecurityGroup-", "GuardDutyManaged"


def watch_task(task: Task) -> None:
    """Create the endpoint in a new task's VPC, or extend it to the task's subnet, in a strict account."""
    if not strict.on or _is_left_out(task):
        return
    vpc = _ec2(task.place).get_subnet(task.subnet).vpc_id
    endpoint = _endpoint(task.place, vpc)
    if endpoint is None:
        _create_endpoint(task.place, vpc, task.subnet)
    elif task.subnet not in endpoint.subnet_ids:
        endpoint.subnet_ids.append(task.subnet)
        holder = _owner(endpoint.id)
        interface = create_interface(task.place, task.subnet, endpoint.security_group_ids, holder)
        endpoint.network_interface_ids.append(interface)


def _is_left_out(task: Task) -> bool:
    """Return whether the task's cluster has the tag that excludes it."""
    clusters = ask_moto(task.place, "ecs", "DescribeClusters", clusters=[task.cluster], include=["TAGS"])["clusters"]
    return {"key": TAG, "value": "false"} in [tag for cluster in clusters for tag in cluster.get("tags", [])]


def _endpoint(place: AccountRegion, vpc: str) -> Any:
    """Return GuardDuty's endpoint in a VPC, or None; one that is being deleted does not count."""
    endpoints = (
        endpoint
        for endpoint in _ec2(place).vpc_end_points.values()
        if (endpoint.vpc_id, endpoint.service_name) == (vpc, _service(place)) and endpoint.state != "deleting"
    )
    return next(endpoints, None)


def _create_endpoint(place: AccountRegion, vpc: str, subnet: str) -> None:
    """Create the endpoint, and mark its interfaces as owned by AWS."""
    description = ask_moto(
        place,
        "ec2",
        "CreateVpcEndpoint",
        VpcEndpointType="Interface",
        VpcId=vpc,
        ServiceName=_service(place),
        SubnetIds=[subnet],
        SecurityGroupIds=[_group(place, vpc)],
        PrivateDnsEnabled=True,
        TagSpecifications=_tag_specifications("vpc-endpoint"),
    )["VpcEndpoint"]
    ec2 = _ec2(place)
    endpoint = ec2.vpc_end_points[description["VpcEndpointId"]]
    groups = [ec2.get_security_group_from_id(group) for group in endpoint.security_group_ids]
    for interface in endpoint.network_interface_ids:
        ec2.enis[interface]._group_set[:] = groups
        set_owner(place, interface, _owner(endpoint.id))


def _group(place: AccountRegion, vpc: str) -> str:
    """Return the id of the endpoint's security group; create it, if needed, open to the VPC on port 443.

    GuardDuty user guide, creating-vpc-endpoint-ec2-agent-manually: that port, from the VPC.
    """
    request = {"GroupName": f"{GROUP}{vpc}", "VpcId": vpc, "TagSpecifications": _tag_specifications("security-group")}
    existing = _ec2(place).get_security_group_from_name(request["GroupName"], vpc)
    if existing:
        return str(existing.id)
    group = ask_moto(place, "ec2", "CreateSecurityGroup", Description="Associated with GuardDuty's endpoint", **request)
    permission = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
    permission["IpRanges"] = [{"CidrIp": _ec2(place).get_vpc(vpc).cidr_block}]
    ask_moto(place, "ec2", "AuthorizeSecurityGroupIngress", GroupId=group["GroupId"], IpPermissions=[permission])
    return str(group["GroupId"])


def _tag_specifications(resource_type: str) -> list[dict[str, Any]]:
    """Return the TagSpecifications for a resource of the type `resource_type`."""
    return [{"ResourceType": resource_type, "Tags": [{"Key": TAG, "Value": "true"}]}]


def _owner(name: str) -> InterfaceOwner:
    """Return the owner of the interfaces of an endpoint."""
    return InterfaceOwner("amazon-aws", f"VPC Endpoint Interface {name}", "vpc_endpoint")


def _service(place: AccountRegion) -> str:
    """Return the service name of GuardDuty's endpoint."""
    return f"com.amazonaws.{place.region}.guardduty-data"


def _ec2(place: AccountRegion) -> Any:
    """Return moto's EC2 backend."""
    return backend("ec2", place.account, place.region)


when_attached.append(watch_task)
