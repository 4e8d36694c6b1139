"""Resource Groups Tagging API: GetResources also finds resource types that moto's leaves out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from moto.core.resource_tagging import make_tag_matcher, match_resource_type

from provisioner.emulator.errors import Reply
from provisioner.emulator.hooks import always
from provisioner.emulator.moto_bridge import backend
from provisioner.emulator.patches import scaling
from provisioner.emulator.patches.cloudfront_vpc_origins import origins
from provisioner.emulator.patches.ec2_common import deleted_ids
from provisioner.emulator.wire import Call

# By the prefix of an EC2 id, the type in the resource's ARN; moto knows the other types.
EC2 = {"eipalloc-": "elastic-ip", "vpce-": "vpc-endpoint", "sgr-": "security-group-rule"}
# Resource types by AWS's name, and moto's name.
_MISSPELT = {"logs:log-group": "logs:loggroup"}
Found = Iterator[tuple[str, str, dict[str, str]]]  # resource type, ARN, tags


@always.before("resourcegroupstaggingapi", "GetResources")
def get_resources(call: Call) -> Reply | None:
    """Return all matching resources at once (`paging` cuts pages); return global ones in us-east-1 only."""
    params = call.params
    types, matches = params.get("ResourceTypeFilters"), make_tag_matcher(params.get("TagFilters"))
    index = backend("resourcegroupstaggingapi", call.account, call.region)
    moto_types = [_MISSPELT.get(each, each) for each in types or []]
    indexed = index._get_resources_generator(params.get("TagFilters"), moto_types, None)
    tags_by_arn = {r.arn: r.tags for r in indexed if call.region == "us-east-1" or ":cloudfront:" not in r.arn}
    tags_by_arn |= {
        arn: tags for kind, arn, tags in _others(call) if tags and matches(tags) and match_resource_type(kind, types)
    }
    requested_arns = params.get("ResourceARNList") or list(tags_by_arn)
    mappings = [{"ResourceARN": arn, "Tags": _listed(tags_by_arn[arn])} for arn in tags_by_arn if arn in requested_arns]
    return {"PaginationToken": "", "ResourceTagMappingList": mappings}


def tags_of(call: Call, arn: str) -> dict[str, str]:
    """Return the tags of a resource of any service, empty if the resource does not exist."""
    if not arn.startswith("arn:"):
        return {}
    service, name = arn.split(":")[2], arn.rsplit("/", 1)[-1]
    if service == "ec2":
        return dict(backend("ec2", call.account, call.region).tags.get(name, {}))
    if service == "iam":
        roles = backend("iam", call.account, "aws").roles.values()
        return next(({each["Key"]: each["Value"] for each in role.tags} for role in roles if role.name == name), {})
    if service == "logs":  # moto's index has no deliveries
        return dict(backend("logs", call.account, call.region).tagger.get_tag_dict_for_resource(arn))
    other_tags = {other: tags for _, other, tags in _others(call)}
    index = backend("resourcegroupstaggingapi", call.account, call.region)
    indexed = index._get_resources_generator(None, None, None)
    return other_tags.get(arn) or next((each.tags for each in indexed if each.arn == arn), {})


def _listed(tags: dict[str, str]) -> list[dict[str, str]]:
    """Return tags as a list of keys and values."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _others(call: Call) -> Found:
    """Yield type, ARN and tags of the resources that moto's GetResources leaves out."""
    yield from _ec2(call)
    yield from _elbv2(call)
    yield from _rds(call)
    yield from _wafv2(call)
    yield from _events(call)
    if call.region == "us-east-1":
        yield from (("cloudfront:vpcorigin", origin.arn, origin.tags) for origin in origins(call.account).values())
    for arn, tags in scaling.tagged_targets(call):
        yield "application-autoscaling:scalable-target", arn, tags


def _ec2(call: Call) -> Found:
    """Yield existing Elastic IPs, VPC endpoints and security group rules."""
    ec2 = backend("ec2", call.account, call.region)
    dead = deleted_ids(ec2)
    for name, tags in ec2.tags.items():
        for prefix, kind in EC2.items():
            if name.startswith(prefix) and name not in dead:
                arn = f"arn:aws:ec2:{call.region}:{call.account}:{kind}/{name}"
                yield f"ec2:{kind}", arn, dict(tags)


def _elbv2(call: Call) -> Found:
    """Yield listeners and listener rules."""
    elb = backend("elbv2", call.account, call.region)
    for balancer in elb.load_balancers.values():
        for listener in balancer.listeners.values():
            for resource in (listener, *listener.rules.values()):
                kind = "listener" if resource is listener else "listener-rule"
                tags = elb.tagging_service.get_tag_dict_for_resource(resource.arn)
                yield f"elasticloadbalancing:{kind}", resource.arn, tags


def _rds(call: Call) -> Found:
    """Yield DB subnet groups and DB cluster parameter groups."""
    rds = backend("rds", call.account, call.region)
    groups = [*rds.subnet_groups.values(), *rds.db_cluster_parameter_groups.values()]
    for group in groups:
        yield f"rds:{group.resource_type}", group.arn, {tag["Key"]: tag["Value"] for tag in group.tags}


def _wafv2(call: Call) -> Found:
    """Yield web ACLs: those of the region, and in us-east-1 those of CloudFront."""
    places = [call.region, *(["aws"] if call.region == "us-east-1" else [])]
    for place in places:
        waf: Any = backend("wafv2", call.account, place)
        for arn in waf.wacls:
            yield "wafv2:webacl", arn, waf.tagging_service.get_tag_dict_for_resource(arn)


def _events(call: Call) -> Found:
    """Yield EventBridge rules."""
    events = backend("events", call.account, call.region)
    for bus in events.event_buses.values():
        for rule in bus.rules.values():
            yield "events:rule", rule.arn, events.tagger.get_tag_dict_for_resource(rule.arn)
