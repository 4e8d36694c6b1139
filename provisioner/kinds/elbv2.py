"""Elastic Load Balancing: the balancer, its target groups, listener and rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from provisioner.engine.kind import Item, Kind, codes, minutes
from provisioner.engine.refs import Doc
from provisioner.kinds.tags import mapping, pairs

NO_BALANCER = codes("LoadBalancerNotFound")
NO_GROUP = codes("TargetGroupNotFound")
NO_LISTENER = codes("ListenerNotFound")


class _Elb(Kind):
    """What is tagged by its ARN, and read without its tags."""

    service = "elbv2"
    key: ClassVar[str]

    def retag(self, elbv2: Any, it: Item, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """AddTags, RemoveTags."""
        if put:
            elbv2.add_tags(ResourceArns=[it.id], Tags=pairs(put))
        if gone := list(drop):
            elbv2.remove_tags(ResourceArns=[it.id], TagKeys=gone)

    def with_tags(self, elbv2: Any, doc: Doc) -> Doc:
        """The document and its resource's tags."""
        told = elbv2.describe_tags(ResourceArns=[doc[self.key]])["TagDescriptions"]
        return {**doc, "Tags": mapping(told[0]["Tags"] if told else [])}


class LoadBalancer(_Elb):
    """An application load balancer."""

    key, named, noun = "LoadBalancerArn", "Name", "alb"
    ready = {"State": {"Code": frozenset({"active", "active_impaired"})}}
    fixed = frozenset({"Name", "Scheme", "Type"})
    absent = NO_BALANCER
    duplicate = codes("DuplicateLoadBalancerName")
    transient = {
        "create": codes("SubnetNotFound", "InvalidSubnet"),
        "delete": codes("ResourceInUse"),
    }
    # 90 to 180 s (go-to-k/cdkd); provider ceiling 10 min.
    takes, patience = 135, minutes(20)

    def read(self, elbv2: Any, it: Item) -> Doc | None:
        """DescribeLoadBalancers by name, and its tags."""
        found = elbv2.describe_load_balancers(Names=[it.props["Name"]])["LoadBalancers"]
        return self.with_tags(elbv2, _balancer(found[0])) if found else None

    def create(self, elbv2: Any, it: Item) -> Doc:
        """CreateLoadBalancer."""
        return _balancer(elbv2.create_load_balancer(**it.props, Tags=pairs(it.tags))["LoadBalancers"][0])

    def update(self, elbv2: Any, it: Item, changed: Doc) -> None:
        """SetSubnets, SetSecurityGroups, SetIpAddressType."""
        if "Subnets" in changed:
            elbv2.set_subnets(LoadBalancerArn=it.id, Subnets=changed["Subnets"])
        if "SecurityGroups" in changed:
            elbv2.set_security_groups(LoadBalancerArn=it.id, SecurityGroups=changed["SecurityGroups"])
        if "IpAddressType" in changed:
            elbv2.set_ip_address_type(LoadBalancerArn=it.id, IpAddressType=changed["IpAddressType"])

    def delete(self, elbv2: Any, it: Item) -> None:
        """DeleteLoadBalancer; its interfaces linger, and hold subnets and groups until they are gone."""
        elbv2.delete_load_balancer(LoadBalancerArn=it.id)


class LoadBalancerAttributes(Kind):
    """What is set on a balancer by a call of its own."""

    service, key = "elbv2", "LoadBalancerArn"
    tagged, vanishes = False, True
    within = ("LoadBalancerArn",)
    fixed = frozenset({"LoadBalancerArn"})
    absent = NO_BALANCER

    def read(self, elbv2: Any, it: Item) -> Doc | None:
        """DescribeLoadBalancerAttributes."""
        arn = it.props["LoadBalancerArn"]
        listed = elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
        return {"LoadBalancerArn": arn, "Attributes": mapping(listed)}

    def create(self, elbv2: Any, it: Item) -> Doc:
        """ModifyLoadBalancerAttributes."""
        arn, wanted = it.props["LoadBalancerArn"], it.props["Attributes"]
        elbv2.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=pairs(wanted))
        return dict(it.props)

    def update(self, elbv2: Any, it: Item, changed: Doc) -> None:
        """ModifyLoadBalancerAttributes."""
        self.create(elbv2, it)

    def delete(self, elbv2: Any, it: Item) -> None:
        """It goes with its balancer."""


class TargetGroup(_Elb):
    """Where a balancer sends requests; ECS registers the tasks' addresses."""

    key, named, noun = "TargetGroupArn", "Name", "tg"
    distinct = ("Protocol", "Port", "TargetType", "VpcId")
    fixed = frozenset({"Name", "Protocol", "Port", "TargetType", "VpcId"})
    absent = NO_GROUP
    duplicate = codes("DuplicateTargetGroupName")
    # The link to a deleted balancer can linger (terraform-provider-aws#16889).
    transient = {"delete": codes("ResourceInUse")}

    def read(self, elbv2: Any, it: Item) -> Doc | None:
        """DescribeTargetGroups by name, and its tags."""
        found = elbv2.describe_target_groups(Names=[it.props["Name"]])["TargetGroups"]
        return self.with_tags(elbv2, _group(found[0])) if found else None

    def create(self, elbv2: Any, it: Item) -> Doc:
        """CreateTargetGroup."""
        return _group(elbv2.create_target_group(**it.props, Tags=pairs(it.tags))["TargetGroups"][0])

    def update(self, elbv2: Any, it: Item, changed: Doc) -> None:
        """ModifyTargetGroup: the health check."""
        elbv2.modify_target_group(TargetGroupArn=it.id, **changed)

    def delete(self, elbv2: Any, it: Item) -> None:
        """DeleteTargetGroup."""
        elbv2.delete_target_group(TargetGroupArn=it.id)


class TargetGroupAttributes(Kind):
    """What is set on a target group by a call of its own."""

    service, key = "elbv2", "TargetGroupArn"
    tagged, vanishes = False, True
    within = ("TargetGroupArn",)
    fixed = frozenset({"TargetGroupArn"})
    absent = NO_GROUP

    def read(self, elbv2: Any, it: Item) -> Doc | None:
        """DescribeTargetGroupAttributes."""
        arn = it.props["TargetGroupArn"]
        listed = elbv2.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
        return {"TargetGroupArn": arn, "Attributes": mapping(listed)}

    def create(self, elbv2: Any, it: Item) -> Doc:
        """ModifyTargetGroupAttributes."""
        arn, wanted = it.props["TargetGroupArn"], it.props["Attributes"]
        elbv2.modify_target_group_attributes(TargetGroupArn=arn, Attributes=pairs(wanted))
        return dict(it.props)

    def update(self, elbv2: Any, it: Item, changed: Doc) -> None:
        """ModifyTargetGroupAttributes."""
        self.create(elbv2, it)

    def delete(self, elbv2: Any, it: Item) -> None:
        """It goes with its group."""


class Listener(_Elb):
    """A port of a balancer, and what it does where no rule speaks."""

    key, noun = "ListenerArn", "listener"
    exclusive = True
    within = ("LoadBalancerArn",)
    fixed = frozenset({"LoadBalancerArn"})
    absent = NO_LISTENER | NO_BALANCER
    duplicate = codes("DuplicateListener")
    # A certificate that is seconds old is unknown here (terraform-provider-aws elbv2/listener.go: 5 min).
    transient = {"create": codes("CertificateNotFound"), "delete": codes("ResourceInUse")}

    def read(self, elbv2: Any, it: Item) -> Doc | None:
        """DescribeListeners of its balancer: the one on its port."""
        listed = elbv2.describe_listeners(LoadBalancerArn=it.props["LoadBalancerArn"])["Listeners"]
        mine = next((doc for doc in listed if doc["Port"] == it.props["Port"]), None)
        return self.with_tags(elbv2, mine) if mine else None

    def create(self, elbv2: Any, it: Item) -> Doc:
        """CreateListener."""
        return dict(elbv2.create_listener(**it.props, Tags=pairs(it.tags))["Listeners"][0])

    def update(self, elbv2: Any, it: Item, changed: Doc) -> None:
        """ModifyListener."""
        elbv2.modify_listener(ListenerArn=it.id, **changed)

    def delete(self, elbv2: Any, it: Item) -> None:
        """DeleteListener; its rules go with it."""
        elbv2.delete_listener(ListenerArn=it.id)

    def canonical(self, doc: Doc) -> Doc:
        """Forwards in one form."""
        return {**doc, "DefaultActions": [_action(one) for one in doc.get("DefaultActions", [])]}


class ListenerRule(_Elb):
    """What a listener does with the requests that meet its conditions."""

    key, noun = "RuleArn", "rule"
    distinct = ("Priority",)
    exclusive = True
    within = ("ListenerArn",)
    fixed = frozenset({"ListenerArn", "Priority"})
    absent = codes("RuleNotFound") | NO_LISTENER
    duplicate = codes("PriorityInUse")

    def read(self, elbv2: Any, it: Item) -> Doc | None:
        """DescribeRules of its listener: the one of its priority."""
        listed = elbv2.describe_rules(ListenerArn=it.props["ListenerArn"])["Rules"]
        mine = next((doc for doc in listed if doc["Priority"] == str(it.props["Priority"])), None)
        return self.with_tags(elbv2, {**mine, "ListenerArn": it.props["ListenerArn"]}) if mine else None

    def create(self, elbv2: Any, it: Item) -> Doc:
        """CreateRule."""
        return dict(elbv2.create_rule(**it.props, Tags=pairs(it.tags))["Rules"][0])

    def update(self, elbv2: Any, it: Item, changed: Doc) -> None:
        """ModifyRule."""
        elbv2.modify_rule(RuleArn=it.id, **changed)

    def delete(self, elbv2: Any, it: Item) -> None:
        """DeleteRule."""
        elbv2.delete_rule(RuleArn=it.id)

    def canonical(self, doc: Doc) -> Doc:
        """Priority as text, conditions and forwards in one form."""
        return {
            **doc,
            "Priority": str(doc.get("Priority")),
            "Conditions": [_condition(one) for one in doc.get("Conditions", [])],
            "Actions": [_action(one) for one in doc.get("Actions", [])],
        }


def _balancer(doc: Doc) -> Doc:
    subnets = [zone["SubnetId"] for zone in doc.get("AvailabilityZones", [])]
    return {
        **doc,
        "Name": doc["LoadBalancerName"],
        "Subnets": subnets,
        "FullName": _tail(doc, "LoadBalancerArn"),
    }


def _group(doc: Doc) -> Doc:
    return {**doc, "Name": doc["TargetGroupName"], "FullName": _tail(doc, "TargetGroupArn")}


def _tail(doc: Doc, key: str) -> str:
    """`app/<name>/<id>` or `targetgroup/<name>/<id>`: how CloudWatch and autoscaling call them."""
    return str(doc[key]).split(":", 5)[5].removeprefix("loadbalancer/")


def _action(action: Doc) -> Doc:
    """AWS tells a plain forward twice, by its group and as a list of one."""
    targets = (action.get("ForwardConfig") or {}).get("TargetGroups") or []
    if action["Type"] == "forward" and len(targets) == 1:
        plain = {key: value for key, value in action.items() if key not in ("ForwardConfig", "Order")}
        return {**plain, "TargetGroupArn": targets[0]["TargetGroupArn"]}
    return {key: value for key, value in action.items() if key != "Order"}


def _condition(condition: Doc) -> Doc:
    """AWS tells the values of a condition twice, plainly and in the field's own form."""
    values = condition.get("Values") or []
    for key, inner in condition.items():
        if key.endswith("Config"):
            values = values or inner.get("Values", [])
    return {"Field": condition["Field"], "Values": values}
