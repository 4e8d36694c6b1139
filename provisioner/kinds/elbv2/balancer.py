"""The application load balancer and its attributes."""

from __future__ import annotations

from typing import Any

from provisioner.answers import made_in
from provisioner.engine.extras import Extra, Inside
from provisioner.engine.kind import ResourceSpec
from provisioner.engine.refs import Doc
from provisioner.engine.states import States, words
from provisioner.engine.traits import calling, codes, minutes
from provisioner.kinds.elbv2.tagged import MOST, NO_BALANCER, Elb, full_name
from provisioner.kinds.members.elbv2 import BALANCER, BALANCER_ATTRIBUTES
from provisioner.kinds.setting import Setting
from provisioner.kinds.tags import mapping, pairs
from provisioner.kinds.together import asked


class LoadBalancer(Elb):
    """An application load balancer."""

    key, named, noun = "LoadBalancerArn", "Name", "alb"
    members = BALANCER
    ready = {"State": {"Code": frozenset({"active", "active_impaired"})}}
    # botocore elbv2 LoadBalancerStateEnum; an impaired one routes, but lacks what it needs to scale.
    states = (States("State.Code", words("active"), words("provisioning"), words("active_impaired failed")),)
    fixed = frozenset({"Name", "Scheme", "Type"})
    # A replacement cannot stand beside it, as both need the name and the target groups. So there would be
    # minutes without a load balancer.
    ways_out = {
        "Scheme": "for minutes nobody would answer; bring up a second stack with it, lead the clients there, "
        "and take this one down"
    }
    # CloudFront knows an origin by name only: the load balancer may go while a distribution is being
    # disabled.
    goes_beside = frozenset({"Distribution"})
    absent = NO_BALANCER
    duplicate = codes("DuplicateLoadBalancerName")
    transient = {
        "create": codes("SubnetNotFound", "InvalidSubnet"),
        "delete": codes("ResourceInUse"),
    }
    # 90 to 180 s (go-to-k/cdkd); provider ceiling 10 min.
    takes, patience = 135, minutes(20)
    resource, fills = "loadbalancer/app/", ("{Name}",)
    unprotected_by = (
        "aws elbv2 modify-load-balancer-attributes --load-balancer-arn {LoadBalancerArn} "
        "--attributes Key=deletion_protection.enabled,Value=false"
    )
    calls = calling(
        deletion_protected="DescribeLoadBalancerAttributes",
        extras="DescribeListeners",
        read="DescribeLoadBalancers DescribeTags",
        create="CreateLoadBalancer",
        update="SetIpAddressType SetSecurityGroups SetSubnets",
        delete="DeleteLoadBalancer",
    )

    def read(self, elbv2: Any, spec: ResourceSpec) -> Doc | None:
        """Return the load balancer of this name with its tags (DescribeLoadBalancers, DescribeTags)."""
        own = spec.props["Name"]

        def ask(names: list[str]) -> list[Doc]:
            return list(elbv2.describe_load_balancers(Names=names)["LoadBalancers"])

        listed = asked(elbv2.peers.together(own, "LoadBalancer", by="name", most=MOST), own, ask, NO_BALANCER)
        mine = next((doc for doc in listed if doc["LoadBalancerName"] == own), None)
        return self.with_tags(elbv2, _balancer(mine)) if mine else None

    def create(self, elbv2: Any, spec: ResourceSpec) -> Doc:
        """Create the load balancer (CreateLoadBalancer)."""
        return _balancer(made_in(elbv2.create_load_balancer(**spec.props, Tags=pairs(spec.tags)), "LoadBalancers"))

    def update(self, elbv2: Any, spec: ResourceSpec, changed: Doc) -> None:
        """Change subnets, groups and address type (SetSubnets, SetSecurityGroups, SetIpAddressType)."""
        if "Subnets" in changed:
            elbv2.set_subnets(LoadBalancerArn=spec.id, Subnets=changed["Subnets"])
        if "SecurityGroups" in changed:
            elbv2.set_security_groups(LoadBalancerArn=spec.id, SecurityGroups=changed["SecurityGroups"])
        if "IpAddressType" in changed:
            elbv2.set_ip_address_type(LoadBalancerArn=spec.id, IpAddressType=changed["IpAddressType"])

    def extras(self, elbv2: Any, spec: ResourceSpec, doc: Doc, inside: Inside) -> list[Extra]:
        """Return the listeners on ports that nobody declared (DescribeListeners)."""
        ports = inside.values("Port")
        listed = elbv2.describe_listeners(LoadBalancerArn=spec.id)["Listeners"]
        others = (one for one in listed if str(one["Port"]) not in ports)
        stays = "it takes no port of ours, and goes with the balancer"
        return [Extra(f"listener {one['Protocol']} {one['Port']}", one, stays) for one in others]

    def deletion_protected(self, elbv2: Any, spec: ResourceSpec, doc: Doc) -> Doc:
        """Return `doc` if deletion protection is on (DescribeLoadBalancerAttributes)."""
        told = elbv2.describe_load_balancer_attributes(LoadBalancerArn=spec.id)["Attributes"]
        return doc if mapping(told).get("deletion_protection.enabled") == "true" else {}

    def delete(self, elbv2: Any, spec: ResourceSpec) -> None:
        """Delete the load balancer (DeleteLoadBalancer).

        Its network interfaces remain for a while, and keep subnets and security groups from being deleted.
        """
        elbv2.delete_load_balancer(LoadBalancerArn=spec.id)


class LoadBalancerAttributes(Setting):
    """The attributes of a load balancer, such as deletion protection. A call of its own sets them."""

    service, key = "elbv2", "LoadBalancerArn"
    members = BALANCER_ATTRIBUTES
    absent = NO_BALANCER
    unprotected = {"Attributes": {"deletion_protection.enabled": "false"}}
    resource, fills = "loadbalancer/app/", ("{LoadBalancerArn}",)
    calls = calling(
        read="DescribeLoadBalancerAttributes",
        create="ModifyLoadBalancerAttributes",
        update="ModifyLoadBalancerAttributes",
    )

    def read(self, elbv2: Any, spec: ResourceSpec) -> Doc | None:
        """Return the attributes by name (DescribeLoadBalancerAttributes)."""
        arn = spec.props["LoadBalancerArn"]
        listed = elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
        return {"LoadBalancerArn": arn, "Attributes": mapping(listed)}

    def put(self, elbv2: Any, props: Doc) -> None:
        """Set the attributes (ModifyLoadBalancerAttributes)."""
        wanted = pairs(props["Attributes"])
        elbv2.modify_load_balancer_attributes(LoadBalancerArn=props["LoadBalancerArn"], Attributes=wanted)


def _balancer(doc: Doc) -> Doc:
    # Bring a load balancer from AWS into the form of the declared properties.
    subnets = [zone["SubnetId"] for zone in doc.get("AvailabilityZones", [])]
    return {
        **doc,
        "Name": doc["LoadBalancerName"],
        "Subnets": subnets,
        "FullName": full_name(doc, "LoadBalancerArn"),
    }
