"""The NAT gateway of the private subnets, and its Elastic IP address."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from provisioner.engine.kind import ResourceSpec
from provisioner.engine.refs import Doc
from provisioner.engine.states import States, words
from provisioner.engine.traits import calling, codes, minutes
from provisioner.kinds.ec2.tagged import Ec2, Filters
from provisioner.kinds.members.ec2 import ADDRESS, NAT_GATEWAY


class ElasticIp(Ec2):
    """An Elastic IP address, allocated until it is released."""

    members = ADDRESS
    noun, resource, key, id_filter = "eip", "elastic-ip", "AllocationId", "allocation-id"
    distinct = ("Domain",)
    absent = codes("InvalidAllocationID.NotFound", "InvalidAddress.NotFound")
    # While the NAT gateway with this address is still `deleting`, AWS answers AuthFailure. That is no problem
    # of the credentials.
    transient = {"delete": codes("AuthFailure", "InvalidIPAddress.InUse")}
    patience = minutes(20)
    calls = calling(read="DescribeAddresses", create="AllocateAddress", delete="ReleaseAddress")

    def find(self, ec2: Any, filters: Filters) -> list[Doc]:
        """Return the addresses that pass the filters (DescribeAddresses)."""
        return list(ec2.describe_addresses(Filters=filters)["Addresses"])

    def create(self, ec2: Any, spec: ResourceSpec) -> Doc:
        """Allocate an address (AllocateAddress)."""
        return dict(ec2.allocate_address(**spec.props, TagSpecifications=self.specification(spec)))

    def delete(self, ec2: Any, spec: ResourceSpec) -> None:
        """Release the address (ReleaseAddress)."""
        ec2.release_address(AllocationId=spec.id)


class NatGateway(Ec2):
    """A NAT gateway: private subnets reach the internet through it and cannot be reached."""

    members = NAT_GATEWAY
    noun, resource, key, id_filter = "nat", "natgateway", "NatGatewayId", "nat-gateway-id"
    distinct = ("ConnectivityType",)
    ready, failed = {"State": "available"}, {"State": "failed"}
    # A deleted gateway stays in the lists for about an hour.
    going, gone = {"State": "deleting"}, {"State": "deleted"}
    # botocore ec2 NatGatewayState
    states = (States("State", words("available"), words("pending"), words("failed"), words("deleting deleted")),)
    # A failed gateway can only be replaced. It holds nothing and disappears by itself after an hour, and no
    # call changes that (VPC user guide, troubleshoot NAT gateways; hashicorp/terraform#9147).
    on_failure = "replace"
    lingers, why_lingers = {"State": "failed"}, "it failed and holds nothing; AWS forgets it within an hour"
    absent = codes("NatGatewayNotFound")
    # Typical 1 to 2 min (go-to-k/cdkd); delete about 55 s; 30 min ceiling in terraform-provider-aws.
    takes, takes_to_go, patience = 100, 55, minutes(30)
    calls = calling(read="DescribeNatGateways", create="CreateNatGateway", delete="DeleteNatGateway")

    def find(self, ec2: Any, filters: Filters) -> list[Doc]:
        """Return the gateways that pass the filters (DescribeNatGateways), their address at the top level."""
        found = ec2.describe_nat_gateways(Filter=filters)["NatGateways"]
        return [_flat(doc) for doc in found]

    def lasts(self, doc: Doc) -> str:
        """Return until when AWS lists a deleted one: about an hour (VPC user guide, delete a NAT gateway)."""
        ended = doc.get("DeleteTime")
        return (ended + timedelta(hours=1)).isoformat(timespec="minutes") if ended else ""

    def create(self, ec2: Any, spec: ResourceSpec) -> Doc:
        """Create the gateway with a client token of ours: the SDK's would differ on every attempt."""
        made = ec2.create_nat_gateway(**spec.props, ClientToken=spec.token, TagSpecifications=self.specification(spec))
        return _flat(made["NatGateway"])

    def delete(self, ec2: Any, spec: ResourceSpec) -> None:
        """Delete the gateway (DeleteNatGateway).

        Its Elastic IP address stays allocated, and routes to the gateway become black holes.
        """
        ec2.delete_nat_gateway(NatGatewayId=spec.id)


def _flat(doc: Doc) -> Doc:
    addresses = doc.get("NatGatewayAddresses") or [{}]
    kind = doc.get("ConnectivityType") or "public"
    return {**doc, "AllocationId": addresses[0].get("AllocationId"), "ConnectivityType": kind}
