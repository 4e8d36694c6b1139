"""Parts of a VPC, besides network interfaces, that keep it from being deleted, and how to delete each.

AWS's own list: repost.aws/knowledge-center/troubleshoot-dependency-error-delete-vpc. Egress-only internet
gateways: gruntwork-io/cloud-nuke#345. Peering connections: hashicorp/terraform-provider-aws#3118.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from botocore.exceptions import ClientError

from provisioner.aws.responses import UnsupportedOperation
from provisioner.engine.calls.error_categories import ErrorCategory, categorize, is_unsupported_operation
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.blocker import Blocker
from provisioner.engine.types.health_status import in_lower_case
from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.names import has_stack_tags
from provisioner.resources.ec2.base import equals_filters
from provisioner.resources.ec2.network_interfaces import GUARDDUTY_NOTE, is_made_by_guardduty
from provisioner.resources.tags import mapping
from provisioner.resources.vpc_origin import CLOUDFRONT_GROUP_NAME

OPERATIONS = (
    "DescribeCarrierGateways DescribeEgressOnlyInternetGateways DescribeInternetGateways DescribeNetworkAcls"
    " DescribeRouteTables DescribeSecurityGroups DescribeSubnets DescribeTransitGatewayVpcAttachments"
    " DescribeVpcEndpoints DescribeVpcPeeringConnections DescribeVpnGateways"
)
# States of a part that goes by itself, and of one that is gone but still listed (botocore 1.44.5, ec2:
# AttachmentStatus, CarrierGatewayState, State, TransitGatewayAttachmentState,
# VpcPeeringConnectionStateReasonCode).
_ENDING_STATES = in_lower_case("deleting detaching")
_ENDED_STATES = in_lower_case("deleted detached expired failed rejected")


def vpc_blockers(ec2: Any, spec: ResourceSpec) -> list[Blocker]:
    """Return the subnets, groups, route tables, ACLs, endpoints and gateways that block deleting a VPC."""
    return [
        *_subnet_blockers(ec2, spec),
        *_group_blockers(ec2, spec),
        *_acl_blockers(ec2, spec),
        *_endpoint_blockers(ec2, spec),
        *routing_blockers(ec2, spec),
    ]


def routing_blockers(ec2: Any, spec: ResourceSpec) -> list[Blocker]:
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


def _subnet_blockers(ec2: Any, spec: ResourceSpec) -> Iterator[Blocker]:
    for one in ec2.describe_subnets(Filters=_vpc_filters(spec))["Subnets"]:
        yield _blocker(ec2, spec, one, f"subnet {one['SubnetId']}", f"delete-subnet --subnet-id {one['SubnetId']}")


def _group_blockers(ec2: Any, spec: ResourceSpec) -> Iterator[Blocker]:
    for one in ec2.describe_security_groups(Filters=_vpc_filters(spec))["SecurityGroups"]:
        id_, name = one["GroupId"], one["GroupName"]
        if name != "default":
            end = f"delete-security-group --group-id {id_}"
            passing = name == CLOUDFRONT_GROUP_NAME
            yield _blocker(ec2, spec, one, f"security group {id_} {name}", end, passing=passing)


def _route_table_blockers(ec2: Any, spec: ResourceSpec) -> Iterator[Blocker]:
    for one in ec2.describe_route_tables(Filters=_vpc_filters(spec))["RouteTables"]:
        if not any(each.get("Main") for each in one.get("Associations", [])):
            id_ = one["RouteTableId"]
            yield _blocker(ec2, spec, one, f"route table {id_}", f"delete-route-table --route-table-id {id_}")


def _acl_blockers(ec2: Any, spec: ResourceSpec) -> list[Blocker]:
    """Return the ACLs that block the VPC, all but the default one, which is deleted with the VPC.

    EC2 deletes no other ACL while a subnet is in it (API_DeleteNetworkAcl).
    """

    def found() -> Iterator[Blocker]:
        acls = ec2.describe_network_acls(Filters=_vpc_filters(spec))["NetworkAcls"]
        own = next((one["NetworkAclId"] for one in acls if one["IsDefault"]), "")
        for one in acls:
            if not one["IsDefault"]:
                id_ = one["NetworkAclId"]
                ends = [
                    "replace-network-acl-association --association-id "
                    f"{each['NetworkAclAssociationId']} --network-acl-id {own}"
                    for each in one.get("Associations", [])
                ]
                end = (*ends, f"delete-network-acl --network-acl-id {id_}")
                yield _blocker(ec2, spec, one, f"network ACL {id_}", *end)

    return _unless_denied(found, "network ACLs")


def endpoints_in(ec2: Any, spec: ResourceSpec) -> list[JsonObject]:
    """Return the endpoints in a VPC that are not gone (DescribeVpcEndpoints)."""
    listed = ec2.describe_vpc_endpoints(Filters=_vpc_filters(spec))["VpcEndpoints"]
    return [one for one in listed if str(one["State"]).lower() not in _ENDED_STATES]


def _endpoint_blockers(ec2: Any, spec: ResourceSpec) -> Iterator[Blocker]:
    """Yield the endpoints without a network interface: the others are found by their interfaces."""
    for one in endpoints_in(ec2, spec):
        if not one.get("NetworkInterfaceIds"):
            id_ = one["VpcEndpointId"]
            end = f"delete-vpc-endpoints --vpc-endpoint-ids {id_}"
            yield _blocker(ec2, spec, one, f"endpoint {id_} {one['ServiceName']}", end, state=one["State"])


def _internet_gateway_blockers(ec2: Any, spec: ResourceSpec) -> list[Blocker]:
    def found() -> Iterator[Blocker]:
        listed = ec2.describe_internet_gateways(Filters=equals_filters({"attachment.vpc-id": spec.id}))
        for one, state in _attached_gateways(listed["InternetGateways"], "Attachments", spec):
            yield _detachable_blocker(ec2, spec, one, "internet gateway", one["InternetGatewayId"], state)

    return _unless_denied(found, "internet gateways")


def _vpn_gateway_blockers(ec2: Any, spec: ResourceSpec) -> list[Blocker]:
    def found() -> Iterator[Blocker]:
        listed = ec2.describe_vpn_gateways(Filters=equals_filters({"attachment.vpc-id": spec.id}))
        for one, state in _attached_gateways(listed["VpnGateways"], "VpcAttachments", spec):
            yield _detachable_blocker(ec2, spec, one, "VPN gateway", one["VpnGatewayId"], state)

    return _unless_denied(found, "VPN gateways")


def _detachable_blocker(ec2: Any, spec: ResourceSpec, actual: JsonObject, what: str, id_: str, state: str) -> Blocker:
    """Return a gateway, which can exist without the VPC, with the command that detaches it."""
    noun = what.lower().replace(" ", "-")
    end = f"detach-{noun} --{noun}-id {id_} --vpc-id {spec.id}"
    return _blocker(ec2, spec, actual, f"{what} {id_}", end, state=state)


def _egress_only_gateway_blockers(ec2: Any, spec: ResourceSpec) -> list[Blocker]:
    """Return the egress-only internet gateways of the VPC.

    EC2 has no filter for the VPC that they are in (botocore: DescribeEgressOnlyInternetGateways).
    """

    def found() -> Iterator[Blocker]:
        listed = ec2.describe_egress_only_internet_gateways()["EgressOnlyInternetGateways"]
        for one, state in _attached_gateways(listed, "Attachments", spec):
            id_ = one["EgressOnlyInternetGatewayId"]
            end = f"delete-egress-only-internet-gateway --egress-only-internet-gateway-id {id_}"
            yield _blocker(ec2, spec, one, f"egress-only internet gateway {id_}", end, state=state)

    return _unless_denied(found, "egress-only internet gateways")


def _carrier_gateway_blockers(ec2: Any, spec: ResourceSpec) -> list[Blocker]:
    def found() -> Iterator[Blocker]:
        for one in ec2.describe_carrier_gateways(Filters=_vpc_filters(spec))["CarrierGateways"]:
            if one["State"] not in _ENDED_STATES:
                id_ = one["CarrierGatewayId"]
                end = f"delete-carrier-gateway --carrier-gateway-id {id_}"
                yield _blocker(ec2, spec, one, f"carrier gateway {id_}", end, state=one["State"])

    return _unless_denied(found, "carrier gateways")


def _peering_blockers(ec2: Any, spec: ResourceSpec) -> list[Blocker]:
    """Return the peering connections of the VPC, on either side.

    One call lists both sides, and the owner of either may delete it (API_DeleteVpcPeeringConnection).
    """

    def found() -> Iterator[Blocker]:
        for one in ec2.describe_vpc_peering_connections()["VpcPeeringConnections"]:
            sides = (one.get("RequesterVpcInfo") or {}, one.get("AccepterVpcInfo") or {})
            state = str(one["Status"]["Code"])
            if spec.id in [side.get("VpcId") for side in sides] and state not in _ENDED_STATES:
                id_ = one["VpcPeeringConnectionId"]
                other = next((side.get("VpcId", "?") for side in sides if side.get("VpcId") != spec.id), "?")
                end = f"delete-vpc-peering-connection --vpc-peering-connection-id {id_}"
                yield _blocker(ec2, spec, one, f"peering connection {id_} with {other}", end, state=state)

    return _unless_denied(found, "peering connections")


def _transit_gateway_blockers(ec2: Any, spec: ResourceSpec) -> list[Blocker]:
    def found() -> Iterator[Blocker]:
        listed = ec2.describe_transit_gateway_vpc_attachments(Filters=_vpc_filters(spec))
        for one in listed["TransitGatewayVpcAttachments"]:
            if one["State"] not in _ENDED_STATES:
                id_ = one["TransitGatewayAttachmentId"]
                end = f"delete-transit-gateway-vpc-attachment --transit-gateway-attachment-id {id_}"
                what = f"transit gateway attachment {id_} to {one['TransitGatewayId']}"
                yield _blocker(ec2, spec, one, what, end, state=one["State"])

    return _unless_denied(found, "transit gateway attachments")


def _vpc_filters(spec: ResourceSpec) -> list[dict[str, Any]]:
    return equals_filters({"vpc-id": spec.id})


def _attached_gateways(docs: Iterable[JsonObject], key: str, spec: ResourceSpec) -> Iterator[tuple[JsonObject, str]]:
    """Yield each gateway that is attached to the VPC, with the state of its attachment."""
    for one in docs:
        for each in one.get(key, []):
            if each["VpcId"] == spec.id and each["State"] not in _ENDED_STATES:
                yield one, each["State"]


def _blocker(
    ec2: Any, spec: ResourceSpec, actual: JsonObject, what: str, *ends: str, passing: bool = False, state: str = ""
) -> Blocker:
    """Return a blocker with the AWS CLI commands that remove it.

    It is temporary if this run deletes it, that is if it has the stack's tags, or if AWS deletes it.
    """
    goes = passing or state.lower() in _ENDING_STATES or has_stack_tags(mapping(actual.get("Tags") or []), spec.suffix)
    remedy = ", then ".join(f"`aws ec2 {end} --region {ec2.region}`" for end in ends)
    return Blocker(what, goes, remedy, note=GUARDDUTY_NOTE if is_made_by_guardduty(actual) else "")


def _unless_denied(ask: Callable[[], Iterator[Blocker]], what: str) -> list[Blocker]:
    """Return the blockers that are found, or one that says that AWS denied the call.

    Policies that older versions wrote lack these permissions. If an emulator does not know the call, nothing
    is returned.
    """
    try:
        return list(ask())
    except (ClientError, UnsupportedOperation) as error:
        if is_unsupported_operation(error):
            return []
        if categorize(error) is not ErrorCategory.DENIED:
            raise
        denied = getattr(error, "operation_name", "this")
        why = f"{what}, if there are any: AWS denied {denied}"
        return [Blocker(why, temporary=True, remedy="look for them in the VPC console", uncertain=True)]
