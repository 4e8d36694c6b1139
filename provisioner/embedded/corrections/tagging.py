"""The Resource Groups Tagging API: also of what moto's does not look at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from moto.core.resource_tagging import make_tag_matcher, match_resource_type

from provisioner.embedded.answers import Reply
from provisioner.embedded.corrections import scaling
from provisioner.embedded.corrections.cloudfront_vpc_origins import origins
from provisioner.embedded.corrections.ec2_tags import gone
from provisioner.embedded.hooks import always
from provisioner.embedded.inner import backend
from provisioner.embedded.wire import Call

# By the beginning of an EC2 id, what its ARN calls it; the others moto knows.
EC2 = {"eipalloc-": "elastic-ip", "vpce-": "vpc-endpoint", "sgr-": "security-group-rule"}
# Types by the words of their ARNs, and what moto calls them.
_MISSPELT = {"logs:log-group": "logs:loggroup"}
Found = Iterator[tuple[str, str, dict[str, str]]]


@always.before("resourcegroupstaggingapi", "GetResources")
def get_resources(call: Call) -> Reply | None:
    """Answer for every service, all at once (`paging` cuts); what is global is told in us-east-1 only."""
    params = call.params
    types, matches = params.get("ResourceTypeFilters"), make_tag_matcher(params.get("TagFilters"))
    index = backend("resourcegroupstaggingapi", call.account, call.region)
    asked = [_MISSPELT.get(one, one) for one in types or []]
    theirs = index._get_resources_generator(params.get("TagFilters"), asked, None)
    found = {r.arn: r.tags for r in theirs if call.region == "us-east-1" or ":cloudfront:" not in r.arn}
    found |= {
        arn: tags
        for kind, arn, tags in _others(call)
        if tags and matches(tags) and match_resource_type(kind, types)
    }
    wanted = params.get("ResourceARNList") or list(found)
    told = [{"ResourceARN": arn, "Tags": _listed(found[arn])} for arn in found if arn in wanted]
    return {"PaginationToken": "", "ResourceTagMappingList": told}


def tags_of(call: Call, arn: str) -> dict[str, str]:
    """The tags of one resource, whatever service it is of; none where it is not there."""
    if not arn.startswith("arn:"):
        return {}
    service, name = arn.split(":")[2], arn.rsplit("/", 1)[-1]
    if service == "ec2":
        return dict(backend("ec2", call.account, call.region).tags.get(name, {}))
    if service == "iam":
        roles = backend("iam", call.account, "aws").roles.values()
        return next(
            ({one["Key"]: one["Value"] for one in role.tags} for role in roles if role.name == name), {}
        )
    if service == "logs":  # deliveries are in no index
        return dict(backend("logs", call.account, call.region).tagger.get_tag_dict_for_resource(arn))
    told = {other: tags for _, other, tags in _others(call)}
    index = backend("resourcegroupstaggingapi", call.account, call.region)
    theirs = index._get_resources_generator(None, None, None)
    return told.get(arn) or next((one.tags for one in theirs if one.arn == arn), {})


def _listed(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _others(call: Call) -> Found:
    yield from _ec2(call)
    yield from _elbv2(call)
    yield from _rds(call)
    yield from _wafv2(call)
    yield from _events(call)
    if call.region == "us-east-1":
        yield from (("cloudfront:vpcorigin", one.arn, one.tags) for one in origins(call.account).values())
    for arn, tags in scaling.tagged(call):
        yield "application-autoscaling:scalable-target", arn, tags


def _ec2(call: Call) -> Found:
    ec2 = backend("ec2", call.account, call.region)
    dead = gone(ec2)
    for name, tags in ec2.tags.items():
        for prefix, kind in EC2.items():
            if name.startswith(prefix) and name not in dead:
                arn = f"arn:aws:ec2:{call.region}:{call.account}:{kind}/{name}"
                yield f"ec2:{kind}", arn, dict(tags)


def _elbv2(call: Call) -> Found:
    elb = backend("elbv2", call.account, call.region)
    for balancer in elb.load_balancers.values():
        for listener in balancer.listeners.values():
            for thing in (listener, *listener.rules.values()):
                kind = "listener" if thing is listener else "listener-rule"
                tags = elb.tagging_service.get_tag_dict_for_resource(thing.arn)
                yield f"elasticloadbalancing:{kind}", thing.arn, tags


def _rds(call: Call) -> Found:
    rds = backend("rds", call.account, call.region)
    groups = [*rds.subnet_groups.values(), *rds.db_cluster_parameter_groups.values()]
    for group in groups:
        yield f"rds:{group.resource_type}", group.arn, {tag["Key"]: tag["Value"] for tag in group.tags}


def _wafv2(call: Call) -> Found:
    places = [call.region, *(["aws"] if call.region == "us-east-1" else [])]
    for place in places:
        waf: Any = backend("wafv2", call.account, place)
        for arn in waf.wacls:
            yield "wafv2:webacl", arn, waf.tagging_service.get_tag_dict_for_resource(arn)


def _events(call: Call) -> Found:
    events = backend("events", call.account, call.region)
    for bus in events.event_buses.values():
        for rule in bus.rules.values():
            yield "events:rule", rule.arn, events.tagger.get_tag_dict_for_resource(rule.arn)
