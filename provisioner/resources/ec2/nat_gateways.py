"""The NAT gateway of the private subnets, and its Elastic IP address."""

from __future__ import annotations

from datetime import timedelta

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.charges import Pricing
from provisioner.engine.types.data import codes, declare_operations, minutes
from provisioner.engine.types.health_status import StatusClasses, in_lower_case
from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.resources.ec2.base import Ec2ResourceType, Filters
from provisioner.resources.field_owners.ec2 import ADDRESS, NAT_GATEWAY
from provisioner.service_clients import EC2


class ElasticIp(Ec2ResourceType):
    """An Elastic IP address, allocated until it is released."""

    deleted_at_reply = True
    ownership = ADDRESS
    pricing = Pricing.hourly("public addresses", "ipv4_hour")
    noun, iam_type, id_paths, id_filter = "eip", "elastic-ip", "AllocationId", "allocation-id"
    discriminators = ("Domain",)
    not_found_codes = codes("InvalidAllocationID.NotFound", "InvalidAddress.NotFound")
    # While the NAT gateway with this address is still `deleting`, AWS answers AuthFailure. That is no problem
    # of the credentials.
    retryable_codes = {"delete": codes("AuthFailure", "InvalidIPAddress.InUse")}
    timeout = minutes(20)
    operations = declare_operations(read="DescribeAddresses", create="AllocateAddress", delete="ReleaseAddress")

    def find(self, ec2: EC2, filters: Filters) -> list[JsonObject]:
        """Return the addresses that pass the filters (DescribeAddresses)."""
        return list(ec2.describe_addresses(Filters=filters)["Addresses"])

    def create(self, ec2: EC2, spec: ResourceSpec) -> JsonObject:
        """Allocate an address (AllocateAddress)."""
        return dict(ec2.allocate_address(**spec.props, TagSpecifications=self.tag_specifications(spec)))

    def delete(self, ec2: EC2, spec: ResourceSpec) -> None:
        """Release the address (ReleaseAddress)."""
        ec2.release_address(AllocationId=spec.id)


class NatGateway(Ec2ResourceType):
    """A NAT gateway, by which private subnets reach the internet but cannot be reached from it."""

    ownership = NAT_GATEWAY
    pricing = Pricing.hourly("NAT gateway", "nat_hour", by_use="gigabytes through NAT")
    noun, iam_type, id_paths, id_filter = "nat", "natgateway", "NatGatewayId", "nat-gateway-id"
    discriminators = ("ConnectivityType",)
    ready, failed = {"State": "available"}, {"State": "failed"}
    # A deleted gateway stays in the lists for about an hour.
    deleting, deleted = {"State": "deleting"}, {"State": "deleted"}
    # botocore ec2 NatGatewayState
    status_classes = (
        StatusClasses(
            "State",
            in_lower_case("available"),
            in_lower_case("pending"),
            in_lower_case("failed"),
            in_lower_case("deleting deleted"),
        ),
    )
    # A failed gateway can only be replaced. It holds nothing and disappears by itself after an hour, and no
    # call changes that (VPC user guide, troubleshoot NAT gateways; hashicorp/terraform#9147).
    on_failure = "replace"
    expiring, expiring_reason = {"State": "failed"}, "it failed and holds nothing; AWS forgets it within an hour"
    not_found_codes = codes("NatGatewayNotFound")
    # Typical 1 to 2 min (go-to-k/cdkd); delete about 55 s; 30 min ceiling in terraform-provider-aws.
    typical_create_seconds, typical_delete_seconds, timeout = 100, 55, minutes(30)
    operations = declare_operations(read="DescribeNatGateways", create="CreateNatGateway", delete="DeleteNatGateway")

    def find(self, ec2: EC2, filters: Filters) -> list[JsonObject]:
        """Return the gateways that pass the filters (DescribeNatGateways), their address at the top level."""
        gateways = ec2.describe_nat_gateways(Filters=filters)["NatGateways"]
        return [_in_declared_form(actual) for actual in gateways]

    def visible_until(self, actual: JsonObject) -> str:
        """Return until when AWS lists a deleted gateway: about an hour (VPC user guide, delete a NAT gateway)."""
        ended = actual.get("DeleteTime")
        return (ended + timedelta(hours=1)).isoformat(timespec="minutes") if ended else ""

    def create(self, ec2: EC2, spec: ResourceSpec) -> JsonObject:
        """Create the gateway with a client token of ours: the SDK's would differ on every attempt."""
        reply = ec2.create_nat_gateway(
            **spec.props, ClientToken=spec.token, TagSpecifications=self.tag_specifications(spec)
        )
        return _in_declared_form(reply["NatGateway"])

    def delete(self, ec2: EC2, spec: ResourceSpec) -> None:
        """Delete the gateway (DeleteNatGateway).

        Its Elastic IP address stays allocated, and routes to the gateway become black holes.
        """
        ec2.delete_nat_gateway(NatGatewayId=spec.id)


def _in_declared_form(actual: JsonObject) -> JsonObject:
    """Return a gateway with the allocation id of its first address at the top level, as it is declared."""
    addresses = actual.get("NatGatewayAddresses") or [{}]
    type_name = actual.get("ConnectivityType") or "public"
    return {**actual, "AllocationId": addresses[0].get("AllocationId"), "ConnectivityType": type_name}
