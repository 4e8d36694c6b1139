"""Commands that remove a network interface by deleting the resource that it was made for."""

from __future__ import annotations

import re

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.resources.ec2.base import equals_filters
from provisioner.service_clients import EC2

# How the description of an endpoint's interface begins, and of a NAT gateway's.
ENDPOINT_PREFIX, NAT_GATEWAY_PREFIX = "VPC Endpoint", "Interface for NAT"
_ENDPOINT_ID, _GATEWAY_ID = re.compile(r"vpce-[0-9a-f]+"), re.compile(r"nat-[0-9a-f]+")
# The description that a service gives its interfaces, and the command that deletes the resource behind it:
# from the services' user guides and the sweepers of terraform-provider-aws (ec2/vpc_network_interface.go,
# elbv2/load_balancer.go).
_DELETE_COMMANDS = (
    (re.compile(r"ELB ((?:app|net|gwy)/\S+)"), "elbv2 delete-load-balancer --load-balancer-arn {elb}"),
    (re.compile(r"ELB ([^/\s]+)$"), "elb delete-load-balancer --load-balancer-name {0}"),
    (re.compile(r"arn:\S+:attachment/([^/\s]+)/([^/\s]+)$"), "ecs stop-task --cluster {0} --task {1}"),
    (re.compile(r"EFS mount target for \S+ \((fsmt-\w+)\)"), "efs delete-mount-target --mount-target-id {0}"),
    (
        re.compile(r"AWS Lambda VPC ENI-(.+?)(?:-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})?$"),
        "lambda update-function-configuration --function-name {0} --vpc-config SubnetIds=[],SecurityGroupIds=[]",
    ),
    (
        re.compile(r"Transit Gateway Attachment (tgw-attach-\w+)"),
        "ec2 delete-transit-gateway-vpc-attachment --transit-gateway-attachment-id {0}",
    ),
)


def purpose_of(interface: JsonObject) -> str:
    """Return the description of an interface, which says what AWS made it for."""
    return str(interface.get("Description") or interface.get("InterfaceType", "interface"))


def endpoint_or_gateway_of(ec2: EC2, purpose: str) -> list[JsonObject]:
    """Return the endpoint or NAT gateway that an interface belongs to, in a list.

    The list is empty if the interface belongs to neither, or if the endpoint or gateway is gone. `purpose` is
    the description of the interface.
    """
    if ids := _ENDPOINT_ID.findall(purpose):
        return list(ec2.describe_vpc_endpoints(Filters=equals_filters({"vpc-endpoint-id": ids[0]}))["VpcEndpoints"])
    if ids := _GATEWAY_ID.findall(purpose):
        return list(ec2.describe_nat_gateways(Filters=equals_filters({"nat-gateway-id": ids[0]}))["NatGateways"])
    return []


def removal_command(interface: JsonObject, region: str) -> str:
    """Return the command that deletes the resource that an interface belongs to, or what to delete, in words."""
    purpose = purpose_of(interface)
    if ids := _ENDPOINT_ID.findall(purpose):
        return f"`aws ec2 delete-vpc-endpoints --vpc-endpoint-ids {ids[0]} --region {region}`"
    if ids := _GATEWAY_ID.findall(purpose):
        return f"`aws ec2 delete-nat-gateway --nat-gateway-id {ids[0]} --region {region}`"
    if command := _delete_command(interface, purpose, region):
        return f"`aws {command} --region {region}`"
    return _attachment_remedy(interface, f"--region {region}")


def _delete_command(interface: JsonObject, purpose: str, region: str) -> str:
    """Return the command for the description of an interface; "" if `_DELETE_COMMANDS` has no pattern for it."""
    owner = interface.get("OwnerId", "")
    for pattern, command in _DELETE_COMMANDS:
        if match := pattern.search(purpose):
            elb = f"arn:aws:elasticloadbalancing:{region}:{owner}:loadbalancer/{match[1]}"
            return command.format(*match.groups(), elb=elb)
    return ""


def _attachment_remedy(interface: JsonObject, region: str) -> str:
    """Return how to remove an interface, according to the resource that it is attached to.

    The interface of an instance is deleted with the instance, unless it is kept on termination. An interface
    that is attached to no resource is deleted itself.
    """
    attachment, id_ = interface.get("Attachment") or {}, interface["NetworkInterfaceId"]
    delete = f"`aws ec2 delete-network-interface --network-interface-id {id_} {region}`"
    if instance := attachment.get("InstanceId"):
        terminate = f"`aws ec2 terminate-instances --instance-ids {instance} {region}`"
        return terminate if attachment.get("DeleteOnTermination", True) else f"{terminate}, then {delete}"
    if interface.get("RequesterManaged") or attachment:
        owner = interface.get("RequesterId") or attachment.get("InstanceOwnerId", "a service")
        return f"end what {owner} made it for; it goes with that"
    return delete
