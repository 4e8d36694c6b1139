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
from provisioner.emulator.named_resources import NamedResource, resources_of
from provisioner.emulator.patches.tagging import tags_of
from provisioner.iam import reference
from provisioner.iam.evaluator import Policy, Request, Verdict, statements, verdict
from provisioner.iam.reference import REQUEST_TAG, Action
from provisioner.iam.required_actions import (
    ALSO_REQUIRED,
    RECORD_ACTIONS_KEY,
    RECORD_NAMES_KEY,
    normalized_record_name,
    values_at,
)

if TYPE_CHECKING:
    from provisioner.emulator.wire import Call

# Allowed for every caller (IAM user guide, actions that need no permission).
_NEED_NO_PERMISSION = {("sts", "GetCallerIdentity"), ("sts", "GetSessionToken")}
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

    `decided_requests` keeps every IAM request that was decided, in order.
    """

    def __init__(self, policies: Iterable[Policy]) -> None:
        self.policies = list(policies)
        self.decided_requests: list[Request] = []
        for policy in self.policies:
            for statement in statements(policy):
                if statement["Effect"] not in ("Allow", "Deny"):
                    raise ValueError(f"the effect {statement['Effect']} is neither Allow nor Deny")

    def check(self, call: Call) -> None:
        """Refuse the call unless the policies allow every IAM request that it needs.

        Raises:
            AwsError: The access denied error of the call's service.

        """
        if not call.operation or (call.service, call.operation) in _NEED_NO_PERMISSION:
            return
        for request in requests(call):
            self.decided_requests.append(request)
            decision = verdict(self.policies, request)
            if decision is not Verdict.ALLOWED:
                explicit = decision is Verdict.DENIED
                raise access_denied(call, request.action, request.resource, explicit=explicit)


def requests(call: Call) -> Iterator[Request]:
    """Yield every IAM request that a call needs, in the order in which AWS evaluates them."""
    name = reference.action_of(call.service, call.operation)
    action = reference.find_action(name) or Action(name, "Write", (), frozenset())
    tags = _tags(call.params)
    resources = resources_of(action, call, tagged=bool(tags))
    for resource in resources:
        for action_name in (name, *_actions_on_same_resource(name, call)):
            arn = reference.evaluated_arn(action_name, resource.arn)
            yield Request(action_name, arn, _context(action, resource, call, tags), _lookup(call, resource.arn))
    for implied in implied_actions(name, call):
        context = {"aws:RequestedRegion": (call.region,), **implied.context}
        yield Request(implied.action, implied.resource, context, _lookup(call, implied.resource))
    if tags and action.level != "Tagging":
        yield from _tagging_requests(action, resources, call, tags)


def _actions_on_same_resource(action: str, call: Call) -> tuple[str, ...]:
    """Return the further actions that a call needs on the same resources, such as s3:DeleteObjectVersion."""
    required = ALSO_REQUIRED.get(action)
    if required is None or not any(values_at(call.params, required.path.split("."))):
        return ()
    return required.actions


def _tagging_requests(
    action: Action, resources: list[NamedResource], call: Call, tags: Mapping[str, str]
) -> Iterator[Request]:
    """Yield the request for the separate tagging action that IAM requires on create."""
    name = reference.tagging_action(action.name)
    if not name:
        return
    create = {f"{action.prefix}:CreateAction": (action.name.split(":", 1)[1],)}
    taggable = [resource for resource in resources if resource.target and resource.target.supports_request_tag]
    required = [resource for resource in resources if resource.target and resource.target.is_required]
    for resource in taggable or required[:1] or resources:
        yield Request(name, _tagged_arn(action, resource, call), {**_request_tags(tags), **create})


def _tagged_arn(action: Action, resource: NamedResource, call: Call) -> str:
    """Return the ARN that IAM evaluates for the tagging of a new resource.

    A new listener or rule has no ARN yet: IAM evaluates a pattern with the name of its load balancer.
    """
    patterns = {"CreateListener": "listener/app", "CreateRule": "listener-rule/app"}
    type_ = patterns.get(call.operation) if action.prefix == "elasticloadbalancing" else None
    if type_:
        balancer = resource.arn.split("/")[2]
        location = {"Partition": "aws", "Region": call.region, "Account": call.account}
        return reference.arn(action.prefix, type_, (balancer,), location)
    if action.name == "kms:CreateKey":  # KMS developer guide, "Controlling access to tags"
        return f"arn:aws:kms:{call.region}:{call.account}:key/*"
    edge = {"CreateDistribution": "distribution", "CreateVpcOrigin": "vpcorigin"}
    if action.prefix == "cloudfront" and (kind := edge.get(action.name.split(":", 1)[1])):
        return f"arn:aws:cloudfront::{call.account}:{kind}/*"
    if action.name == "acm:RequestCertificate":
        return f"arn:aws:acm:{call.region}:{call.account}:certificate/*"
    return resource.arn


def _context(action: Action, resource: NamedResource, call: Call, tags: Mapping[str, str]) -> _Context:
    """Return the condition keys and values of a request, limited to the keys that the action supports."""
    context: _Context = {"aws:RequestedRegion": (call.region,)}
    if tags and action.supports(REQUEST_TAG, resource.target):
        context |= _request_tags(tags)
    if "iam:PermissionsBoundary" in action.keys and (boundary := _boundary(call)):
        context["iam:PermissionsBoundary"] = (boundary,)
    for key, parameter in (("iam:PolicyARN", "PolicyArn"), ("iam:AWSServiceName", "AWSServiceName")):
        if key in action.keys and parameter in call.params:
            context[key] = (str(call.params[parameter]),)
    if RECORD_NAMES_KEY in action.keys:
        changes = list(values_at(call.params, ["ChangeBatch", "Changes", "*"]))
        context[RECORD_NAMES_KEY] = tuple(
            normalized_record_name(change["ResourceRecordSet"]["Name"]) for change in changes
        )
        context[RECORD_ACTIONS_KEY] = tuple(change["Action"] for change in changes)
    return context


def _request_tags(tags: Mapping[str, str]) -> _Context:
    """Return the condition keys aws:RequestTag/KEY and aws:TagKeys of these tags."""
    values: _Context = {f"{REQUEST_TAG}/{key}": (value,) for key, value in tags.items()}
    return {**values, "aws:TagKeys": tuple(tags)}


def _boundary(call: Call) -> str:
    """Return the permissions boundary that the call sets, else that of the role it names; "" without one."""
    if sent := call.params.get("PermissionsBoundary"):
        return str(sent)
    roles = backend("iam", call.account, "aws").roles.values()
    role = next((each for each in roles if each.name == call.params.get("RoleName")), None)
    return str(role.permissions_boundary_arn or "") if role and call.operation != "CreateRole" else ""


def _lookup(call: Call, arn: str) -> Any:
    """Return a cached function that looks up the tags of a resource when a condition needs them."""
    return functools.cache(lambda: tags_of(call, arn))


def _tags(params: Mapping[str, Any]) -> dict[str, str]:
    """Return the tags in a call's parameters, whichever format the service uses for them."""
    tags: dict[str, str] = {}
    for path in _TAGS:
        for sent in values_at(params, path.split(".")):
            if isinstance(sent, list):
                # KMS calls the fields TagKey and TagValue.
                pairs = [{field.lower().removeprefix("tag"): value for field, value in tag.items()} for tag in sent]
                tags |= {pair["key"]: pair.get("value", "") for pair in pairs if "key" in pair}
            elif isinstance(sent, Mapping) and "Items" not in sent:
                tags |= sent
    return tags
