"""The application load balancer and its attributes."""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.aws.responses import created_resource
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.charges import HOURS_PER_MONTH, Doc, MonthlyCharge, PricedResources, Pricing
from provisioner.engine.types.data import codes, declare_operations, minutes
from provisioner.engine.types.health_status import StatusClasses, in_lower_case
from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.engine.types.unmanaged import KnownChildren, Unmanaged
from provisioner.resources.elbv2.base import LOAD_BALANCER_NOT_FOUND, MAX_PER_CALL, ElbResourceType, full_name
from provisioner.resources.field_owners.elbv2 import BALANCER, BALANCER_ATTRIBUTES
from provisioner.resources.subresource import SubresourceType
from provisioner.resources.tags import mapping, pairs, read_batch
from provisioner.service_clients import ELBV2


def _charges(props: Doc, _resources: PricedResources) -> Iterator[MonthlyCharge]:
    """Yield the charges of a load balancer and, if it faces the internet, of its public addresses."""
    yield MonthlyCharge.flat("load balancer", "balancer_hour", HOURS_PER_MONTH)
    if props.get("Scheme") == "internet-facing":
        yield MonthlyCharge.flat("public addresses", "ipv4_hour", HOURS_PER_MONTH * len(props.get("Subnets") or []))


class LoadBalancer(ElbResourceType):
    """An application load balancer."""

    id_paths, name_property, noun = "LoadBalancerArn", "Name", "alb"
    max_name_length = 32
    pricing = Pricing(_charges, by_use="load balancer capacity units")
    ownership = BALANCER
    ready = {"State": {"Code": frozenset({"active", "active_impaired"})}}
    # botocore elbv2 LoadBalancerStateEnum; an impaired one routes, but lacks what it needs to scale.
    status_classes = (
        StatusClasses(
            "State.Code",
            in_lower_case("active"),
            in_lower_case("provisioning"),
            in_lower_case("active_impaired failed"),
        ),
    )
    immutable = frozenset({"Name", "Scheme", "Type"})
    # A replacement cannot exist beside it, as both need the name and the target groups. So there would be
    # minutes without a load balancer.
    change_remedies = {
        "Scheme": "for minutes nobody would answer; bring up a second stack with it, lead the clients there, "
        "and take this one down"
    }
    # CloudFront knows an origin by name only: the load balancer may go while a distribution is being
    # disabled.
    deleted_alongside = frozenset({"Distribution"})
    not_found_codes = LOAD_BALANCER_NOT_FOUND
    already_exists_codes = codes("DuplicateLoadBalancerName")
    retryable_codes = {
        "create": codes("SubnetNotFound", "InvalidSubnet"),
        "delete": codes("ResourceInUse"),
    }
    # 90 to 180 s (go-to-k/cdkd); provider ceiling 10 min.
    typical_create_seconds, timeout = 135, minutes(20)
    iam_type, arn_properties = "loadbalancer/app/", ("{Name}",)
    unprotect_command = (
        "aws elbv2 modify-load-balancer-attributes --load-balancer-arn {LoadBalancerArn} "
        "--attributes Key=deletion_protection.enabled,Value=false"
    )
    operations = declare_operations(
        deletion_protected="DescribeLoadBalancerAttributes",
        unmanaged="DescribeListeners",
        read="DescribeLoadBalancers DescribeTags",
        create="CreateLoadBalancer",
        update="SetIpAddressType SetSecurityGroups SetSubnets",
        delete="DeleteLoadBalancer",
    )

    def read(self, elbv2: ELBV2, spec: ResourceSpec) -> JsonObject | None:
        """Return the load balancer of this name with its tags (DescribeLoadBalancers, DescribeTags)."""
        own_name = spec.props["Name"]

        def describe(names: list[str]) -> list[JsonObject]:
            return list(elbv2.describe_load_balancers(Names=names)["LoadBalancers"])

        listed = read_batch(
            elbv2.batch_scope.batch(own_name, "LoadBalancer", by="name", most=MAX_PER_CALL),
            own_name,
            describe,
            LOAD_BALANCER_NOT_FOUND,
        )
        balancer = next((each for each in listed if each["LoadBalancerName"] == own_name), None)
        return self.with_tags(elbv2, _in_declared_form(balancer)) if balancer else None

    def create(self, elbv2: ELBV2, spec: ResourceSpec) -> JsonObject:
        """Create the load balancer (CreateLoadBalancer)."""
        reply = elbv2.create_load_balancer(**spec.props, Tags=pairs(spec.tags))
        return _in_declared_form(created_resource(reply, "LoadBalancers"))

    def update(self, elbv2: ELBV2, spec: ResourceSpec, changed: JsonObject) -> None:
        """Change subnets, groups and address type (SetSubnets, SetSecurityGroups, SetIpAddressType)."""
        if "Subnets" in changed:
            elbv2.set_subnets(LoadBalancerArn=spec.id, Subnets=changed["Subnets"])
        if "SecurityGroups" in changed:
            elbv2.set_security_groups(LoadBalancerArn=spec.id, SecurityGroups=changed["SecurityGroups"])
        if "IpAddressType" in changed:
            elbv2.set_ip_address_type(LoadBalancerArn=spec.id, IpAddressType=changed["IpAddressType"])

    def unmanaged(
        self, elbv2: ELBV2, spec: ResourceSpec, actual: JsonObject, children: KnownChildren
    ) -> list[Unmanaged]:
        """Return the listeners on ports that nobody declared (DescribeListeners)."""
        ports = children.values("Port")
        listeners = elbv2.describe_listeners(LoadBalancerArn=spec.id)["Listeners"]
        undeclared = (listener for listener in listeners if str(listener["Port"]) not in ports)
        hint = "it takes no port of ours, and goes with the balancer"
        return [Unmanaged(f"listener {each['Protocol']} {each['Port']}", each, hint) for each in undeclared]

    def deletion_protected(self, elbv2: ELBV2, spec: ResourceSpec, actual: JsonObject) -> JsonObject:
        """Return `actual` if deletion protection is on (DescribeLoadBalancerAttributes)."""
        attributes = elbv2.describe_load_balancer_attributes(LoadBalancerArn=spec.id)["Attributes"]
        return actual if mapping(attributes).get("deletion_protection.enabled") == "true" else {}

    def delete(self, elbv2: ELBV2, spec: ResourceSpec) -> None:
        """Delete the load balancer (DeleteLoadBalancer).

        Its network interfaces remain for a while, and keep subnets and security groups from being deleted.
        """
        elbv2.delete_load_balancer(LoadBalancerArn=spec.id)


class LoadBalancerAttributes(SubresourceType):
    """The attributes of a load balancer, such as deletion protection. A call of its own sets them."""

    service, id_paths = "elbv2", "LoadBalancerArn"
    ownership = BALANCER_ATTRIBUTES
    not_found_codes = LOAD_BALANCER_NOT_FOUND
    unprotected = {"Attributes": {"deletion_protection.enabled": "false"}}
    iam_type, arn_properties = "loadbalancer/app/", ("{LoadBalancerArn}",)
    operations = declare_operations(
        read="DescribeLoadBalancerAttributes",
        create="ModifyLoadBalancerAttributes",
        update="ModifyLoadBalancerAttributes",
    )

    def read(self, elbv2: ELBV2, spec: ResourceSpec) -> JsonObject | None:
        """Return the attributes by name (DescribeLoadBalancerAttributes)."""
        arn = spec.props["LoadBalancerArn"]
        listed = elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
        return {"LoadBalancerArn": arn, "Attributes": mapping(listed)}

    def apply(self, elbv2: ELBV2, props: JsonObject) -> None:
        """Set the attributes (ModifyLoadBalancerAttributes)."""
        desired = pairs(props["Attributes"])
        elbv2.modify_load_balancer_attributes(LoadBalancerArn=props["LoadBalancerArn"], Attributes=desired)


def _in_declared_form(actual: JsonObject) -> JsonObject:
    """Return a described load balancer in the form of the declared properties."""
    subnets = [zone["SubnetId"] for zone in actual.get("AvailabilityZones", [])]
    return {
        **actual,
        "Name": actual["LoadBalancerName"],
        "Subnets": subnets,
        "FullName": full_name(actual, "LoadBalancerArn"),
    }
