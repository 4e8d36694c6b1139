"""The resources that a call names, as the ARNs that IAM compares with those of a policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from provisioner.emulator.moto_bridge import backend
from provisioner.iam import reference
from provisioner.iam.evaluator import matches_pattern
from provisioner.iam.required_actions import DEFAULT_RESOURCES, EVALUATED_IF_NAMED, values_at

if TYPE_CHECKING:
    from provisioner.emulator.wire import Call
    from provisioner.iam.reference import Action, ActionTarget

# EC2 user guide, resource IDs: the resource type of an id by its prefix.
_EC2_IDS = {
    "eipalloc": "elastic-ip",
    "fl": "vpc-flow-log",
    "igw": "internet-gateway",
    "nat": "natgateway",
    "rtb": "route-table",
    "sg": "security-group",
    "sgr": "security-group-rule",
    "subnet": "subnet",
    "vpc": "vpc",
    "vpce": "vpc-endpoint",
}
_SCOPES = {"CLOUDFRONT": "global", "REGIONAL": "regional"}


@dataclass(frozen=True)
class NamedResource:
    """A resource that a call concerns, and its type; `target` is None if the action has no resource types."""

    arn: str
    target: ActionTarget | None = None


def resources_of(action: Action, call: Call, *, tagged: bool) -> list[NamedResource]:
    """Return each resource that a call concerns; `tagged` says that the call tags the resource it creates."""
    if not action.targets:
        return [NamedResource("*")]
    wildcards = [NamedResource(_wildcard_arn(action, target, call), target) for target in action.targets]
    resources = [NamedResource(arn, target) for target in action.targets for arn in _arns(action, target, call, tagged)]
    if action.only_reads or action.level == "Tagging":
        # Such an action accepts one of several types: keep the type that the call names.
        named = [resource for resource in resources if resource not in wildcards]
        resources = named or resources[:1]
    return resources or wildcards[:1]


def _arns(action: Action, target: ActionTarget, call: Call, tagged: bool) -> list[str]:
    """Return the ARNs of one type: those that the call names, else a wildcard ARN if the type is required."""
    wildcard = _wildcard_arn(action, target, call)
    names = _log_stream(call) if target.type == "log-stream" else _named_in_params(action, target, call)
    arns = [name if name.startswith("arn:") else _arn_of_name(action, target, call, name) for name in names]
    fitting = [arn for arn in arns if matches_pattern(wildcard, arn)]
    if fitting or (action.name, target.type) in EVALUATED_IF_NAMED:
        return fitting
    if (action.name, target.type) in DEFAULT_RESOURCES:
        return [_arn_of_name(action, target, call, "default")]
    return [wildcard] if target.is_required or (target.supports_request_tag and tagged) else []


def _named_in_params(action: Action, target: ActionTarget, call: Call) -> list[str]:
    """Return the names, ids and ARNs of one resource type in a call's parameters."""
    params = call.params
    match action.prefix:
        case "ec2" if "AssociationId" in params:
            return _associated_ids(call, target.type)
        case "ec2" if action.level == "Tagging":
            ids = params.get("Resources", [])
            return [id_ for id_ in ids if _EC2_IDS.get(id_.partition("-")[0]) == target.type]
        case "application-autoscaling" | "ssm":
            return _of_session(target.type, params) if action.prefix == "ssm" else _scalable_target(call)
        case "wafv2" if "Scope" in params:
            parts = [_SCOPES[params["Scope"]], params.get("Name", "*"), params.get("Id", "*")]
            return ["/".join(parts)] if target.type == "webacl" else []
        case "iam" if params.keys() & {"AWSServiceName", "Url"}:
            return [_name_of_new(params)]
        case "kms" if target.type == "key" and "AliasName" in params:
            return _key_of_alias(call)
    names = _names_at_paths(action, target, params)
    return [_secret_arn(call, name) for name in names] if action.prefix == "secretsmanager" else names


def _log_stream(call: Call) -> list[str]:
    """Return the ARN of the log stream that a call names; group and stream names may contain slashes."""
    group, stream = call.params.get("logGroupName", "*"), call.params.get("logStreamName", "*")
    return [f"arn:aws:logs:{call.region}:{call.account}:log-group:{group}:log-stream:{stream}"]


def _name_of_new(params: Mapping[str, Any]) -> str:
    """Return IAM's name of a new service-linked role, or of an OIDC provider: its URL without the scheme."""
    if "Url" in params:
        return str(params["Url"]).removeprefix("https://")
    return f"aws-service-role/{params['AWSServiceName']}/*"


def _of_session(type_: str, params: Mapping[str, Any]) -> list[str]:
    """Return the task in the target `ecs:cluster_task_runtime` of an SSM session, or its document."""
    cluster, task, *_ = [*str(params.get("Target", "")).removeprefix("ecs:").split("_"), "*", "*"]
    return {"task": [f"{cluster}/{task}"], "document": [params.get("DocumentName", "*")]}.get(type_, [])


def _names_at_paths(action: Action, target: ActionTarget, params: Mapping[str, Any]) -> list[str]:
    """Return the names and ARNs at the paths that IAM's data lists for a resource type."""
    names: list[str] = []
    for path in reference.naming_parameters(action.prefix, target.type):
        *outer_values, last_values = [list(values_at(params, part.split("."))) for part in path.split()]
        outer_names = [str(part[0]).rsplit("/", 1)[-1] for part in outer_values if part]
        if len(outer_names) == len(outer_values):
            names += [_below(outer_names, str(value)) for value in last_values]
    return names


def _below(outer_names: list[str], name: str) -> str:
    """Return a name with those of the resources around it before it; an ARN as it is, of a URL its last part."""
    if name.startswith("arn:"):
        return name
    return "/".join([*outer_names, name.rsplit("/", 1)[-1] if "://" in name else name])


def _wildcard_arn(action: Action, target: ActionTarget, call: Call) -> str:
    """Return the ARN of any resource of a type, with wildcards."""
    return reference.arn(action.prefix, target.type, (), place_of(call))


def _arn_of_name(action: Action, target: ActionTarget, call: Call, name: str) -> str:
    """Return the ARN of a type with this name in it; slashes separate the parts of some names."""
    # An object's key may itself contain slashes.
    most = {"ecs": -1, "wafv2": -1, "s3": 1}.get(action.prefix, 0)
    parts = tuple(name.split("/", most)) if most else (name,)
    return reference.arn(action.prefix, target.type, parts, place_of(call))


def place_of(call: Call) -> dict[str, str]:
    """Return the partition, region and account of a call's resources."""
    return {"Partition": "aws", "Region": call.region, "Account": call.account}


def _associated_ids(call: Call, type_: str) -> list[str]:
    """Return ids of one type: the table or subnet of an association, and the table to replace it with."""
    associations = {
        association_id: {"route-table": table.id, "subnet": subnet}
        for table in backend("ec2", call.account, call.region).route_tables.values()
        for association_id, subnet in table._associations.items()
    }
    current = associations.get(call.params["AssociationId"], {}).get(type_)
    replacement = call.params.get("RouteTableId") if type_ == "route-table" else None
    return [each for each in (current, replacement) if each]


def _scalable_target(call: Call) -> list[str]:
    """Return the ARN of the scalable target that a call names, if it exists."""
    if "ResourceARN" in call.params:
        return [str(call.params["ResourceARN"])]
    targets = backend("applicationautoscaling", call.account, call.region).targets
    target = targets.get(call.params.get("ScalableDimension"), {}).get(call.params.get("ResourceId"))
    return [str(target.arn)] if target else []


def _key_of_alias(call: Call) -> list[str]:
    """Return the key that an alias points to, or that the call points it to."""
    if "TargetKeyId" in call.params:
        return [str(call.params["TargetKeyId"])]
    keys = backend("kms", call.account, call.region).keys.values()
    return [str(key.arn) for key in keys if call.params["AliasName"] in key.aliases]


def _secret_arn(call: Call, name: str) -> str:
    """Return the ARN of a secret, else its name with a wildcard for the six characters that AWS appends."""
    secrets = backend("secretsmanager", call.account, call.region).secrets
    return str(secrets[name].arn) if name in secrets else f"{name}-*"
