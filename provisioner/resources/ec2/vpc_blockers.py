"""Parts of a VPC, besides network interfaces, that keep it from being deleted, and how to delete each.

AWS's own list: repost.aws/knowledge-center/troubleshoot-dependency-error-delete-vpc. Egress-only internet
gateways: gruntwork-io/cloud-nuke#345. Peering connections: hashicorp/terraform-provider-aws#3118.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from botocore.exceptions import ClientError

from provisioner.aws.responses import UnsupportedOperation
from provisioner.engine.calls.error_categories import ErrorCategory, categorize, is_unsupported_operation
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.blocker import Blocker
from provisioner.engine.types.health_status import in_lower_case
from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.names import has_stack_tags
from provisioner.resources.ec2.base import Filters, equals_filters
from provisioner.resources.ec2.network_interfaces import GUARDDUTY_NOTE, is_made_by_guardduty
from provisioner.resources.tags import mapping
from provisioner.resources.vpc_origin import CLOUDFRONT_GROUP_NAME
from provisioner.service_clients import EC2

OPERATIONS = (
    "DescribeCarrierGateways DescribeEgressOnlyInternetGateways DescribeInternetGateways DescribeNetworkAcls"
    " DescribeRouteTables DescribeSecurityGroups DescribeSubnets DescribeTransitGatewayVpcAttachments"
    " DescribeVpcEndpoints DescribeVpcPeeringConnections DescribeVpnGateways"
)
# States of a part that AWS is deleting, and of a part that is gone but still listed (botocore 1.44.5, ec2:
# AttachmentStatus, CarrierGatewayState, State, TransitGatewayAttachmentState,
# VpcPeeringConnectionStateReasonCode).
_ENDING_STATES = in_lower_case("deleting detaching")
_ENDED_STATES = in_lower_case("deleted detached expired failed rejected")


def vpc_blockers(ec2: EC2, spec: ResourceSpec) -> list[Blocker]:
    """Return the subnets, groups, route tables, ACLs, endpoints and gateways that block deleting a VPC."""
    return [
        *_subnet_blockers(ec2, spec),
        *_group_blockers(ec2, spec),
        *_acl_blockers(ec2, spec),
        *_endpoint_blockers(ec2, spec),
        *routing_blockers(ec2, spec),
    ]


def routing_blockers(ec2: EC2, spec: ResourceSpec) -> list[Blocker]:
    """Return the route tables, gateways and connections by which requests leave a VPC, as blockers."""
    return [
        *_route_table_blockers(ec2, spec),
        *_internet_gateway_blockers(ec2, spec),
        *_vpn_gateway_blockers(ec2, spec),
        *_egress_only_gateway_blockers(ec2, spec),
        *_carrier_gateway_blockers(ec2, spec),
        *_peering_blockers(ec2, spec),
        *_transit_gateway_blockers(ec2, spec),
    ]


def _subnet_blockers(ec2: EC2, spec: ResourceSpec) -> Iterator[Blocker]:
    """Yield the subnets of the VPC (DescribeSubnets)."""
    for subnet in ec2.describe_subnets(Filters=_vpc_filters(spec))["Subnets"]:
        yield _blocker(
            ec2, spec, subnet, f"subnet {subnet['SubnetId']}", f"delete-subnet --subnet-id {subnet['SubnetId']}"
        )


def _group_blockers(ec2: EC2, spec: ResourceSpec) -> Iterator[Blocker]:
    """Yield the security groups of the VPC, except the default one (DescribeSecurityGroups)."""
    for group in ec2.describe_security_groups(Filters=_vpc_filters(spec))["SecurityGroups"]:
        id_, name = group["GroupId"], group["GroupName"]
        if name != "default":
            command = f"delete-security-group --group-id {id_}"
            aws_deletes = name == CLOUDFRONT_GROUP_NAME
            yield _blocker(ec2, spec, group, f"security group {id_} {name}", command, aws_deletes=aws_deletes)


def _route_table_blockers(ec2: EC2, spec: ResourceSpec) -> Iterator[Blocker]:
    """Yield the route tables of the VPC, except the main one (DescribeRouteTables)."""
    for table in ec2.describe_route_tables(Filters=_vpc_filters(spec))["RouteTables"]:
        if not any(association.get("Main") for association in table.get("Associations", [])):
            id_ = table["RouteTableId"]
            yield _blocker(ec2, spec, table, f"route table {id_}", f"delete-route-table --route-table-id {id_}")


def _acl_blockers(ec2: EC2, spec: ResourceSpec) -> list[Blocker]:
    """Return the network ACLs of the VPC, except the default one, which is deleted with the VPC.

    EC2 deletes an ACL only after its subnets have been moved to another one (API_DeleteNetworkAcl).
    """

    def read() -> Iterator[Blocker]:
        acls = ec2.describe_network_acls(Filters=_vpc_filters(spec))["NetworkAcls"]
        default_id = next((acl["NetworkAclId"] for acl in acls if acl["IsDefault"]), "")
        for acl in acls:
            if not acl["IsDefault"]:
                id_ = acl["NetworkAclId"]
                moves = [
                    "replace-network-acl-association --association-id "
                    f"{association['NetworkAclAssociationId']} --network-acl-id {default_id}"
                    for association in acl.get("Associations", [])
                ]
                commands = (*moves, f"delete-network-acl --network-acl-id {id_}")
                yield _blocker(ec2, spec, acl, f"network ACL {id_}", *commands)

    return _unless_denied(read, "network ACLs")


def endpoints_in(ec2: EC2, spec: ResourceSpec) -> list[JsonObject]:
    """Return the endpoints in a VPC that are not gone (DescribeVpcEndpoints)."""
    endpoints = ec2.describe_vpc_endpoints(Filters=_vpc_filters(spec))["VpcEndpoints"]
    return [endpoint for endpoint in endpoints if str(endpoint["State"]).lower() not in _ENDED_STATES]


def _endpoint_blockers(ec2: EC2, spec: ResourceSpec) -> Iterator[Blocker]:
    """Yield the endpoints without a network interface: the others are found by their interfaces."""
    for endpoint in endpoints_in(ec2, spec):
        if not endpoint.get("NetworkInterfaceIds"):
            id_ = endpoint["VpcEndpointId"]
            command = f"delete-vpc-endpoints --vpc-endpoint-ids {id_}"
            yield _blocker(
                ec2, spec, endpoint, f"endpoint {id_} {endpoint['ServiceName']}", command, state=endpoint["State"]
            )


def _internet_gateway_blockers(ec2: EC2, spec: ResourceSpec) -> list[Blocker]:
    """Return the internet gateways that are attached to the VPC (DescribeInternetGateways)."""

    def read() -> Iterator[Blocker]:
        listed = ec2.describe_internet_gateways(Filters=equals_filters({"attachment.vpc-id": spec.id}))
        for gateway, state in _attached_gateways(listed["InternetGateways"], "Attachments", spec):
            yield _detachable_blocker(ec2, spec, gateway, "internet gateway", gateway["InternetGatewayId"], state)

    return _unless_denied(read, "internet gateways")


def _vpn_gateway_blockers(ec2: EC2, spec: ResourceSpec) -> list[Blocker]:
    """Return the VPN gateways that are attached to the VPC (DescribeVpnGateways)."""

    def read() -> Iterator[Blocker]:
        listed = ec2.describe_vpn_gateways(Filters=equals_filters({"attachment.vpc-id": spec.id}))
        for gateway, state in _attached_gateways(listed["VpnGateways"], "VpcAttachments", spec):
            yield _detachable_blocker(ec2, spec, gateway, "VPN gateway", gateway["VpnGatewayId"], state)

    return _unless_denied(read, "VPN gateways")


def _detachable_blocker(ec2: EC2, spec: ResourceSpec, actual: JsonObject, noun: str, id_: str, state: str) -> Blocker:
    """Return a gateway as a blocker, with the command that detaches it: it can exist without the VPC."""
    cli_noun = noun.lower().replace(" ", "-")
    command = f"detach-{cli_noun} --{cli_noun}-id {id_} --vpc-id {spec.id}"
    return _blocker(ec2, spec, actual, f"{noun} {id_}", command, state=state)


def _egress_only_gateway_blockers(ec2: EC2, spec: ResourceSpec) -> list[Blocker]:
    """Return the egress-only internet gateways of the VPC.

    EC2 has no filter for the VPC that they are in (botocore: DescribeEgressOnlyInternetGateways).
    """

    def read() -> Iterator[Blocker]:
        listed = ec2.describe_egress_only_internet_gateways()["EgressOnlyInternetGateways"]
        for gateway, state in _attached_gateways(listed, "Attachments", spec):
            id_ = gateway["EgressOnlyInternetGatewayId"]
            command = f"delete-egress-only-internet-gateway --egress-only-internet-gateway-id {id_}"
            yield _blocker(ec2, spec, gateway, f"egress-only internet gateway {id_}", command, state=state)

    return _unless_denied(read, "egress-only internet gateways")


def _carrier_gateway_blockers(ec2: EC2, spec: ResourceSpec) -> list[Blocker]:
    """Return the carrier gateways of the VPC (DescribeCarrierGateways)."""

    def read() -> Iterator[Blocker]:
        for gateway in ec2.describe_carrier_gateways(Filters=_vpc_filters(spec))["CarrierGateways"]:
            if gateway["State"] not in _ENDED_STATES:
                id_ = gateway["CarrierGatewayId"]
                command = f"delete-carrier-gateway --carrier-gateway-id {id_}"
                yield _blocker(ec2, spec, gateway, f"carrier gateway {id_}", command, state=gateway["State"])

    return _unless_denied(read, "carrier gateways")


def _peering_blockers(ec2: EC2, spec: ResourceSpec) -> list[Blocker]:
    """Return the peering connections of the VPC, on either side.

    One call lists both sides, and the owner of either may delete it (API_DeleteVpcPeeringConnection).
    """

    def read() -> Iterator[Blocker]:
        for peering in ec2.describe_vpc_peering_connections()["VpcPeeringConnections"]:
            sides = (peering.get("RequesterVpcInfo") or {}, peering.get("AccepterVpcInfo") or {})
            state = str(peering["Status"]["Code"])
            if spec.id in [side.get("VpcId") for side in sides] and state not in _ENDED_STATES:
                id_ = peering["VpcPeeringConnectionId"]
                other = next((side.get("VpcId", "?") for side in sides if side.get("VpcId") != spec.id), "?")
                command = f"delete-vpc-peering-connection --vpc-peering-connection-id {id_}"
                yield _blocker(ec2, spec, peering, f"peering connection {id_} with {other}", command, state=state)

    return _unless_denied(read, "peering connections")


def _transit_gateway_blockers(ec2: EC2, spec: ResourceSpec) -> list[Blocker]:
    """Return the attachments of transit gateways to the VPC (DescribeTransitGatewayVpcAttachments)."""

    def read() -> Iterator[Blocker]:
        listed = ec2.describe_transit_gateway_vpc_attachments(Filters=_vpc_filters(spec))
        for attachment in listed["TransitGatewayVpcAttachments"]:
            if attachment["State"] not in _ENDED_STATES:
                id_ = attachment["TransitGatewayAttachmentId"]
                command = f"delete-transit-gateway-vpc-attachment --transit-gateway-attachment-id {id_}"
                description = f"transit gateway attachment {id_} to {attachment['TransitGatewayId']}"
                yield _blocker(ec2, spec, attachment, description, command, state=attachment["State"])

    return _unless_denied(read, "transit gateway attachments")


def _vpc_filters(spec: ResourceSpec) -> Filters:
    """Return the filters for the parts of the VPC."""
    return equals_filters({"vpc-id": spec.id})


def _attached_gateways(
    gateways: Iterable[JsonObject], key: str, spec: ResourceSpec
) -> Iterator[tuple[JsonObject, str]]:
    """Yield each gateway that is attached to the VPC, with the state of its attachment."""
    for gateway in gateways:
        for attachment in gateway.get(key, []):
            if attachment["VpcId"] == spec.id and attachment["State"] not in _ENDED_STATES:
                yield gateway, attachment["State"]


def _blocker(
    ec2: EC2,
    spec: ResourceSpec,
    actual: JsonObject,
    description: str,
    *commands: str,
    aws_deletes: bool = False,
    state: str = "",
) -> Blocker:
    """Return a part of the VPC as a blocker, with the AWS CLI commands that remove it.

    It is temporary if it has the stack's tags, as this run deletes it then, or if AWS itself deletes it.
    """
    is_ours = has_stack_tags(mapping(actual.get("Tags") or []), spec.suffix)
    is_temporary = aws_deletes or is_ours or state.lower() in _ENDING_STATES
    remedy = ", then ".join(f"`aws ec2 {command} --region {ec2.region}`" for command in commands)
    return Blocker(description, is_temporary, remedy, note=GUARDDUTY_NOTE if is_made_by_guardduty(actual) else "")


def _unless_denied(find_blockers: Callable[[], Iterator[Blocker]], noun: str) -> list[Blocker]:
    """Return the blockers from a call; if AWS denies the call, a single uncertain blocker that says so.

    A policy from an older version of this tool lacks these permissions. If an emulator does not know the call,
    the list is empty. `noun` names the resources that the call reads.
    """
    try:
        return list(find_blockers())
    except (ClientError, UnsupportedOperation) as error:
        if is_unsupported_operation(error):
            return []
        if categorize(error) is not ErrorCategory.DENIED:
            raise
        operation = getattr(error, "operation_name", "this")
        description = f"{noun}, if there are any: AWS denied {operation}"
        return [Blocker(description, temporary=True, remedy="look for them in the VPC console", uncertain=True)]
