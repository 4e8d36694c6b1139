"""Eventual consistency: reads may miss a new resource, and calls that use it may not find it.

It is hidden from at most MISSES reads and one use, and never for longer than `window(pace)`.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from provisioner.emulator.account_store import AccountStore, on_reset
from provisioner.emulator.clock import clock
from provisioner.emulator.errors import AwsError, Reply
from provisioner.emulator.hooks import behaviours
from provisioner.emulator.local import consistency_window
from provisioner.emulator.wire import Call

MISSES, USES = 2, 1
SECONDS = 2.0  # of AWS's time, for which it is hidden from all reads
SEED = 3  # with it, the first few random numbers already differ


@dataclass(frozen=True)
class LagRule:
    """How a type of resource is created, read and reported as not found."""

    service: str
    create: str
    created_path: str  # path of the id in the reply, or "=" and the parameter with the name
    read: str
    listed: str  # path of the list in the reply of the read
    asked_param: str  # parameter of the read with the ids; "" if it only lists
    code: str
    message: str
    status: int = 400
    used: str = ""  # the code for a call that uses it, if that differs

    @property
    def member(self) -> str:
        """The field that holds the id in a list."""
        return self.created_path.rpartition(".")[2].removeprefix("=")

    def not_found(self, name: str) -> AwsError:
        """Return the error for a read of a resource that does not exist."""
        return AwsError(self.code, self.message.format(name), self.status)

    def not_usable(self, name: str) -> AwsError:
        """Return the error for a call that uses a resource that does not exist."""
        return AwsError(self.used or self.code, self.message.format(name), self.status)


# Codes: terraform-provider-aws ec2/errors.go and botocore ServiceModel.
LAG_RULES = [
    LagRule("ec2", "CreateVpc", "Vpc.VpcId", "DescribeVpcs", "Vpcs", "VpcIds",
         "InvalidVpcID.NotFound", "The vpc ID '{}' does not exist"),
    LagRule("ec2", "CreateSubnet", "Subnet.SubnetId", "DescribeSubnets", "Subnets", "SubnetIds",
         "InvalidSubnetID.NotFound", "The subnet ID '{}' does not exist"),
    LagRule("ec2", "CreateInternetGateway", "InternetGateway.InternetGatewayId", "DescribeInternetGateways",
         "InternetGateways", "InternetGatewayIds", "InvalidInternetGatewayID.NotFound",
         "The internetGateway ID '{}' does not exist"),
    LagRule("ec2", "AllocateAddress", "AllocationId", "DescribeAddresses", "Addresses", "AllocationIds",
         "InvalidAllocationID.NotFound", "The allocation ID '{}' does not exist"),
    LagRule("ec2", "CreateNatGateway", "NatGateway.NatGatewayId", "DescribeNatGateways", "NatGateways",
         "NatGatewayIds", "NatGatewayNotFound", "NAT gateway {} was not found",
         used="InvalidNatGatewayID.NotFound"),
    LagRule("ec2", "CreateRouteTable", "RouteTable.RouteTableId", "DescribeRouteTables", "RouteTables",
         "RouteTableIds", "InvalidRouteTableID.NotFound", "The routeTable ID '{}' does not exist"),
    LagRule("ec2", "CreateSecurityGroup", "GroupId", "DescribeSecurityGroups", "SecurityGroups", "GroupIds",
         "InvalidGroup.NotFound", "The security group '{}' does not exist"),
    LagRule("ec2", "CreateVpcEndpoint", "VpcEndpoint.VpcEndpointId", "DescribeVpcEndpoints", "VpcEndpoints",
         "VpcEndpointIds", "InvalidVpcEndpointId.NotFound", "The Vpc Endpoint Id '{}' does not exist"),
    LagRule("elbv2", "CreateLoadBalancer", "LoadBalancers.0.LoadBalancerArn", "DescribeLoadBalancers",
         "LoadBalancers", "LoadBalancerArns", "LoadBalancerNotFound", "One or more load balancers not found"),
    LagRule("elbv2", "CreateTargetGroup", "TargetGroups.0.TargetGroupArn", "DescribeTargetGroups",
         "TargetGroups", "TargetGroupArns", "TargetGroupNotFound", "One or more target groups not found"),
    LagRule("elbv2", "CreateListener", "Listeners.0.ListenerArn", "DescribeListeners", "Listeners",
         "ListenerArns", "ListenerNotFound", "One or more listeners not found"),
    LagRule("iam", "CreateRole", "Role.RoleName", "GetRole", "", "RoleName", "NoSuchEntity",
         "The role with name {} cannot be found.", 404),
    LagRule("dynamodb", "CreateTable", "=TableName", "DescribeTable", "", "TableName",
         "ResourceNotFoundException", "Requested resource not found: Table: {} not found"),
    LagRule("logs", "CreateLogGroup", "=logGroupName", "DescribeLogGroups", "logGroups", "",
         "ResourceNotFoundException", "The specified log group does not exist."),
    # KMS developer guide, "eventual consistency".
    LagRule("kms", "CreateKey", "KeyMetadata.Arn", "DescribeKey", "", "KeyId",
         "NotFoundException", "Key '{}' does not exist"),
]  # fmt: skip


_dice = random.Random(SEED)  # noqa: S311  # tests need the same numbers after every reset
on_reset(lambda: _dice.seed(SEED))


def random_misses() -> int:
    """Return how many reads will miss a new resource, at random."""
    return _dice.randint(0, MISSES)


@dataclass
class Hidden:
    """A new resource, and how many reads and uses still miss it."""

    rule: LagRule
    name: str
    created_at: float = field(default_factory=clock.now)
    reads: int = field(default_factory=random_misses)
    uses: int = field(default_factory=lambda: _dice.randint(0, USES))

    def __post_init__(self) -> None:
        self.until = self.created_at + clock.scaled(SECONDS if self.reads else 0)

    @property
    def is_hiding(self) -> bool:
        """Whether a read would miss it."""
        return not self._is_old() and (self.reads > 0 or clock.now() < self.until)

    def hides_from_read(self) -> bool:
        """Return whether a read misses it, and count the miss."""
        hides = self.is_hiding
        self.reads -= hides
        return hides

    def hides_from_use(self) -> bool:
        """Return whether a call that uses it does not find it, and count that."""
        hides = not self._is_old() and self.uses > 0
        self.uses -= hides
        return hides

    def _is_old(self) -> bool:
        return clock.now() > self.created_at + consistency_window(clock.speed)


# By id; by name where AWS has no other id.
hidden_resources: AccountStore[Hidden] = AccountStore()


def _hidden_at(call: Call) -> dict[str, Hidden]:
    """Return the hidden resources of a call's account and region, by id."""
    return hidden_resources.at(call.account, "" if call.service == "iam" else call.region)


def _value_at(reply: Any, path: str) -> Any:
    """Return the value at a dotted path of a reply; a number in the path is an index of a list."""
    for step in path.split("."):
        reply = reply[int(step)] if step.isdigit() else reply[step]
    return reply


def _hide_new_resource(call: Call, reply: Reply) -> None:
    """Hide a newly created resource; a repeated create call that returns the same id does not count."""
    rule = next(k for k in LAG_RULES if (k.service, k.create) == (call.service, call.operation))
    is_named = rule.created_path.startswith("=")
    name = str(call.params[rule.created_path[1:]] if is_named else _value_at(reply, rule.created_path))
    if is_named or name not in _hidden_at(call):  # an id returned again is the same resource, a name may be a new one
        _hidden_at(call)[name] = Hidden(rule, name)


def _refuse_read_by_id(call: Call) -> None:
    """Refuse a read by id of a hidden resource."""
    for rule in _rules_of_read(call):
        names = call.params.get(rule.asked_param, []) if rule.asked_param else []
        for name in [names] if isinstance(names, str) else names:
            hidden = _hidden_at(call).get(name)
            if hidden is not None and hidden.rule is rule and hidden.hides_from_read():
                raise rule.not_found(name)


def _rules_of_read(call: Call) -> Iterator[LagRule]:
    """Return the rules of the resources that a call reads."""
    return (rule for rule in LAG_RULES if (rule.service, rule.read) == (call.service, call.operation))


def _may_hide(call: Call) -> bool:
    """Return whether a hidden resource could be in a list; if not, the reply need not be parsed."""
    rules = list(_rules_of_read(call))
    return any(hidden.rule in rules and hidden.is_hiding for hidden in _hidden_at(call).values())


def _remove_from_list(call: Call, reply: Reply) -> None:
    """Remove hidden resources from a list; reads by id have been handled before."""
    for rule in _rules_of_read(call):
        if not rule.listed or (rule.asked_param and call.params.get(rule.asked_param)):
            continue
        items = reply.get(rule.listed, [])
        visible = [item for item in items if not _is_hidden(call, item[rule.member])]
        if items and not visible and "Names" in call.params:
            raise rule.not_found(call.params["Names"][0])
        reply[rule.listed] = visible


def _is_hidden(call: Call, name: str) -> bool:
    """Return whether a list misses a resource, and count the miss."""
    hidden = _hidden_at(call).get(name)
    return hidden is not None and hidden.hides_from_read()


def _refuse_use(call: Call) -> None:
    """Refuse, once, a call that uses a new resource; deletions always find it, for safe cleaning up."""
    if not call.mutating or call.operation.startswith(("Delete", "Release", "Detach", "Disassociate")):
        return
    hidden_at_call = _hidden_at(call)
    for word in _strings_in(call.params):
        resource = hidden_at_call.get(word)
        created = resource is not None and call.operation == resource.rule.create
        is_of_service = resource is not None and resource.rule.service == call.service and not created
        if resource is not None and is_of_service and resource.hides_from_use():
            raise resource.rule.not_usable(word)


def hides_from_use(call: Call, name: str) -> bool:
    """Return whether another service does not find a resource, and count that."""
    hidden = _hidden_at(call).get(name)
    return hidden is not None and hidden.hides_from_use()


# Calls in which another service looks up a subnet: terraform-provider-aws and botocore ServiceModel.
SUBNET_LOOKUPS = {
    ("elbv2", "CreateLoadBalancer"): ("SubnetNotFound", "The subnet ID '{}' is not valid"),
    ("rds", "CreateDBSubnetGroup"): ("InvalidSubnet", "Subnet {} is not valid or does not exist."),
}


def _refuse_use_elsewhere(call: Call) -> None:
    """Refuse, once, a subnet that only EC2 knows yet."""
    code, message = SUBNET_LOOKUPS[call.service, call.operation]
    for name in call.params.get("Subnets") or call.params.get("SubnetIds") or []:
        hidden = _hidden_at(call).get(name)
        if hidden is not None and hidden.hides_from_use():
            raise AwsError(code, message.format(name))


def _strings_in(value: Any) -> Iterator[str]:
    """Yield all strings in nested parameters."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for member in value.values():
            yield from _strings_in(member)
    elif isinstance(value, list):
        for member in value:
            yield from _strings_in(member)


for _kind in LAG_RULES:
    behaviours.after(_kind.service, _kind.create)(_hide_new_resource)
for _service, _operation in {(kind.service, kind.read) for kind in LAG_RULES}:
    behaviours.before(_service, _operation)(_refuse_read_by_id)
    behaviours.after(_service, _operation, when=_may_hide)(_remove_from_list)
for _service, _operation in SUBNET_LOOKUPS:
    behaviours.before(_service, _operation)(_refuse_use_elsewhere)
for _service in {kind.service for kind in LAG_RULES}:
    behaviours.before(_service, "*")(_refuse_use)
