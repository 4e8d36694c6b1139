"""IAM authorization of calls to the emulator: by action, resource, condition and explicit deny, as in AWS.

moto's own enforcement compares neither resources nor conditions. This module works out which permissions a
call needs: its own action on each resource it names, the tagging of resources it creates, and passing roles.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from provisioner.emulator.errors import access_denied
from provisioner.emulator.implied_actions import implied_actions
from provisioner.emulator.moto_bridge import backend
from provisioner.emulator.named_resources import NamedResource, resources
from provisioner.emulator.patches.tagging import tags_of
from provisioner.iam import reference
from provisioner.iam.evaluator import Policy, Request, Verdict, statements, verdict
from provisioner.iam.reference import REQUEST_TAG, Action
from provisioner.iam.required_actions import (
    ALSO_REQUIRED,
    RECORD_ACTIONS_KEY,
    RECORD_NAMES_KEY,
    normalized_record_name,
    tagging_action,
    values_at,
)

if TYPE_CHECKING:
    from provisioner.emulator.wire import Call

# Allowed for every caller (IAM user guide, actions that need no permission).
_FREE = {("sts", "GetCallerIdentity"), ("sts", "GetSessionToken")}
# The paths at which the services expect tags in a call's parameters (botocore, input shapes).
_TAGS = (
    "Tags",
    "tags",
    "TagList",
    "TagSpecifications.*.Tags",
    "DistributionConfigWithTags.Tags.Items",
    "Tags.Items",
    "CreateBucketConfiguration.Tags",
)
_Context = dict[str, tuple[str, ...]]


class Authorizer:
    """The permissions of one caller, given as policies.

    `asked` keeps every IAM request that was decided, in order.
    """

    def __init__(self, policies: Iterable[Policy]) -> None:
        self.policies = list(policies)
        self.asked: list[Request] = []
        for policy in self.policies:
            for statement in statements(policy):
                if statement["Effect"] not in ("Allow", "Deny"):
                    raise ValueError(f"the effect {statement['Effect']} is neither Allow nor Deny")

    def check(self, call: Call) -> None:
        """Refuse the call unless the policies allow every IAM request that it needs.

        Raises:
            AwsError: The access denied error of the call's service.

        """
        if not call.operation or (call.service, call.operation) in _FREE:
            return
        for request in requests(call):
            self.asked.append(request)
            said = verdict(self.policies, request)
            if said is not Verdict.ALLOWED:
                explicit = said is Verdict.DENIED
                raise access_denied(call, request.action, request.resource, explicit=explicit)


def requests(call: Call) -> Iterator[Request]:
    """Yield every IAM request that a call needs, in the order in which AWS evaluates them."""
    name = reference.action_of(call.service, call.operation)
    known = reference.find_action(name) or Action(name, "Write", (), frozenset())
    tags = _tags(call.params)
    concerned = resources(known, call, tagged=bool(tags))
    for one in concerned:
        for action in (known.name, *_too(known.name, call)):
            arn = reference.evaluated_arn(action, one.arn)
            yield Request(action, arn, _context(known, one, call, tags), _lookup(call, one.arn))
    for need in implied_actions(name, call):
        region = {"aws:RequestedRegion": (call.region,)}
        yield Request(need.action, need.resource, {**region, **need.context}, _lookup(call, need.resource))
    if tags and known.level != "Tagging":
        yield from _tagging(known, concerned, call, tags)


def _too(action: str, call: Call) -> tuple[str, ...]:
    """Return the further actions that a call needs on the same resources, such as s3:DeleteObjectVersion."""
    too = ALSO_REQUIRED.get(action)
    return too.actions if too and any(values_at(call.params, too.path.split("."))) else ()


def _tagging(known: Action, concerned: list[NamedResource], call: Call, tags: Mapping[str, str]) -> Iterator[Request]:
    """Yield the request for the separate tagging action that IAM requires on create."""
    name = tagging_action(known.name)
    if not name:
        return
    create = {f"{known.prefix}:CreateAction": (known.name.split(":", 1)[1],)}
    made = [one for one in concerned if one.on and one.on.supports_request_tag]
    always = [one for one in concerned if one.on and one.on.is_required]
    for one in made or always[:1] or concerned:
        yield Request(name, _made(known, one, call), {**_request_tags(tags), **create})


def _made(known: Action, one: NamedResource, call: Call) -> str:
    """Return the ARN that IAM evaluates for the tagging of a new resource.

    A new listener or rule has no ARN yet: IAM evaluates a pattern with the name of its load balancer.
    """
    new = {"CreateListener": "listener/app", "CreateRule": "listener-rule/app"}
    type_ = new.get(call.operation) if known.prefix == "elasticloadbalancing" else None
    if type_:
        balancer = one.arn.split("/")[2]
        where = {"Partition": "aws", "Region": call.region, "Account": call.account}
        return reference.arn(known.prefix, type_, (balancer,), where)
    if known.name == "kms:CreateKey":  # KMS developer guide, "Controlling access to tags"
        return f"arn:aws:kms:{call.region}:{call.account}:key/*"
    edge = {"CreateDistribution": "distribution", "CreateVpcOrigin": "vpcorigin"}
    if known.prefix == "cloudfront" and (kind := edge.get(known.name.split(":", 1)[1])):
        return f"arn:aws:cloudfront::{call.account}:{kind}/*"
    if known.name == "acm:RequestCertificate":
        return f"arn:aws:acm:{call.region}:{call.account}:certificate/*"
    return one.arn


def _context(known: Action, one: NamedResource, call: Call, tags: Mapping[str, str]) -> _Context:
    """Return the condition keys and values of a request, limited to the keys that the action supports."""
    context: _Context = {"aws:RequestedRegion": (call.region,)}
    if tags and known.supports(REQUEST_TAG, one.on):
        context |= _request_tags(tags)
    if "iam:PermissionsBoundary" in known.keys and (boundary := _boundary(call)):
        context["iam:PermissionsBoundary"] = (boundary,)
    for key, parameter in (("iam:PolicyARN", "PolicyArn"), ("iam:AWSServiceName", "AWSServiceName")):
        if key in known.keys and parameter in call.params:
            context[key] = (str(call.params[parameter]),)
    if RECORD_NAMES_KEY in known.keys:
        changes = list(values_at(call.params, ["ChangeBatch", "Changes", "*"]))
        context[RECORD_NAMES_KEY] = tuple(normalized_record_name(one["ResourceRecordSet"]["Name"]) for one in changes)
        context[RECORD_ACTIONS_KEY] = tuple(one["Action"] for one in changes)
    return context


def _request_tags(tags: Mapping[str, str]) -> _Context:
    """Return the condition keys aws:RequestTag/KEY and aws:TagKeys of these tags."""
    named: _Context = {f"{REQUEST_TAG}/{key}": (value,) for key, value in tags.items()}
    return {**named, "aws:TagKeys": tuple(tags)}


def _boundary(call: Call) -> str:
    """Return the permissions boundary that the call sets, else that of the role it names; "" without one."""
    if asked := call.params.get("PermissionsBoundary"):
        return str(asked)
    roles = backend("iam", call.account, "aws").roles.values()
    role = next((one for one in roles if one.name == call.params.get("RoleName")), None)
    return str(role.permissions_boundary_arn or "") if role and call.operation != "CreateRole" else ""


def _lookup(call: Call, arn: str) -> Any:
    """Return a cached function that looks up the tags of a resource when a condition needs them."""
    return functools.cache(lambda: tags_of(call, arn))


def _tags(params: Mapping[str, Any]) -> dict[str, str]:
    """Return the tags in a call's parameters, whichever format the service uses for them."""
    found: dict[str, str] = {}
    for path in _TAGS:
        for given in values_at(params, path.split(".")):
            if isinstance(given, list):
                # KMS calls the fields TagKey and TagValue.
                pairs = [{key.lower().removeprefix("tag"): value for key, value in one.items()} for one in given]
                found |= {one["key"]: one.get("value", "") for one in pairs if "key" in one}
            elif isinstance(given, Mapping) and "Items" not in given:
                found |= given
    return found
