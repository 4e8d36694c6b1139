"""Paging as AWS does it: a list is cut into pages of AWS's sizes, so the first page may not hold it all."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from provisioner.emulator import moto_bridge
from provisioner.emulator.errors import AwsError, Reply
from provisioner.emulator.wire import Call, compose_call
from provisioner.pagination import Config, config_of

# The page size if the caller sets no limit (API reference of each operation, at the parameter that limits a
# page; Elastic Load Balancing states none, so moto's size is used).
SIZES: Mapping[tuple[str, str], int] = {
    ("acm", "ListCertificates"): 1000,
    ("application-autoscaling", "DescribeScalableTargets"): 50,
    ("application-autoscaling", "DescribeScalingPolicies"): 10,
    ("application-autoscaling", "DescribeScheduledActions"): 50,
    ("cloudfront", "ListDistributions"): 100,
    ("cloudfront", "ListVpcOrigins"): 100,
    ("cloudwatch", "DescribeAlarms"): 50,
    ("dynamodb", "ListTables"): 100,
    ("ecs", "ListClusters"): 100,
    ("ecs", "ListServices"): 10,
    ("ecs", "ListTaskDefinitionFamilies"): 100,
    ("ecs", "ListTasks"): 100,
    ("elbv2", "DescribeListeners"): 50,
    ("elbv2", "DescribeLoadBalancers"): 50,
    ("elbv2", "DescribeRules"): 50,
    ("elbv2", "DescribeTargetGroups"): 50,
    ("events", "ListRules"): 100,
    ("iam", "ListAttachedRolePolicies"): 100,
    ("iam", "ListEntitiesForPolicy"): 100,
    ("iam", "ListPolicies"): 100,
    ("iam", "ListPolicyVersions"): 100,
    ("iam", "ListRolePolicies"): 100,
    ("iam", "ListRoles"): 100,
    ("kms", "ListAliases"): 50,
    ("kms", "ListKeys"): 100,
    ("kms", "ListResourceTags"): 50,
    ("logs", "DescribeDeliveries"): 50,
    ("logs", "DescribeDeliveryDestinations"): 50,
    ("logs", "DescribeDeliverySources"): 50,
    ("logs", "DescribeLogGroups"): 50,
    ("rds", "DescribeDBClusterParameterGroups"): 100,
    ("rds", "DescribeDBClusters"): 100,
    ("rds", "DescribeDBEngineVersions"): 100,
    ("rds", "DescribeDBInstances"): 100,
    ("rds", "DescribeDBSubnetGroups"): 100,
    ("rds", "DescribeOrderableDBInstanceOptions"): 100,
    ("resourcegroupstaggingapi", "GetResources"): 50,
    ("route53", "ListHostedZones"): 100,
    ("secretsmanager", "ListSecrets"): 100,
    ("sns", "ListSubscriptionsByTopic"): 100,
    ("sns", "ListTopics"): 100,
    ("wafv2", "ListTagsForResource"): 100,
    ("wafv2", "ListWebACLs"): 100,
}
# The least size of an item in a response, in bytes: a shorter response than a page of them is one page.
_LEAST_BYTES = 16
_PREFIX = "page-"


class _Switch:
    """A switch for tests: the largest page size for all operations; None outside of tests."""

    most: int | None = None


switch = _Switch()


@dataclass(frozen=True)
class Page:
    """The page of a list that a call asks for: up to `size` items from index `start` on."""

    config: Config
    start: int
    size: int

    def may_need_cut(self, length: int) -> bool:
        """Return whether a response of `length` bytes may need a cut: it is long, or this is a later page."""
        return bool(self.start) or length > self.size * _LEAST_BYTES

    def cut(self, reply: Reply) -> None:
        """Reduce a reply with the whole list to this page, and add the token of the next page, if any."""
        path = _first_path(self.config["result_key"])
        entries = _value_at(reply, path) or []
        end = self.start + self.size
        around = _parent_of(reply, path)
        if self.start or len(entries) > end:
            around[path[-1]] = entries[self.start : end]
        if "Quantity" in around:
            around["Quantity"] = len(around.get(path[-1]) or [])
        if len(entries) > end:
            _set_value(reply, _first_path(self.config["output_token"]), f"{_PREFIX}{end}")
            if more := self.config.get("more_results"):
                _set_value(reply, more.split("."), True)
            if "IsTruncated" in around:
                around["IsTruncated"] = True


def without_paging(call: Call) -> tuple[Call, Page | None]:
    """Return the call without its paging parameters, and the page it asks for (None if not paged)."""
    size = SIZES.get((call.service, call.operation))
    config = config_of(call.model) if size else None
    if size is None or config is None:
        return call, None
    token, limit = str(_first_path(config["input_token"])[-1]), config.get("limit_key", "")
    requested = call.params.get(limit)
    page = Page(
        config, _start(call.params.get(token)), min(size if requested is None else requested, switch.most or size)
    )
    if token not in call.params and requested is None:
        return call, page
    rest = {key: value for key, value in call.params.items() if key not in (token, limit)}
    return compose_call(call.service, call.operation, call.region, **rest), page


def append_pages(call: Call, reply: Reply, page: Page | None) -> Reply:
    """Append moto's further pages to its first one, and remove the paging token."""
    if page is None:
        return reply
    config = page.config
    path, token_path = _first_path(config["result_key"]), _first_path(config["output_token"])
    token = _first_path(config["input_token"])[-1]
    next_token = _value_at(reply, token_path)
    while next_token:
        following = moto_bridge.ask_moto(call, call.service, call.operation, **{**call.params, token: next_token})
        _parent_of(reply, path)[path[-1]] = [*(_value_at(reply, path) or []), *(_value_at(following, path) or [])]
        next_token = _value_at(following, token_path)
    around = _parent_of(reply, token_path)
    around.pop(token_path[-1], None)
    for flag in ("IsTruncated", "HasMoreResults"):
        if flag in around:
            around[flag] = False
    return reply


def _start(token: Any) -> int:
    """Return the index of a page's first item, from the token of a call.

    Raises:
        AwsError: The token is not one of these pages.

    """
    if token in (None, ""):
        return 0
    number = str(token).removeprefix(_PREFIX)
    if not str(token).startswith(_PREFIX) or not number.isdigit():
        raise AwsError("ValidationException", "The token of the next page is not one that was given out.")
    return int(number)


@functools.cache
def _split(path: str) -> list[str]:
    """Split a path of botocore's paginators, such as "DistributionList.Items"."""
    return path.split(".")


def _first_path(paths: Any) -> list[str]:
    """Return the first of several paths, split."""
    return _split(paths if isinstance(paths, str) else paths[0])


def _value_at(reply: Any, path: list[str]) -> Any:
    """Return the value at a path of a reply; None if it is absent."""
    for name in path:
        reply = (reply or {}).get(name)
    return reply


def _parent_of(reply: Reply, path: list[str]) -> dict[str, Any]:
    """Return the dict that contains the last name of a path; create it if it is absent."""
    for name in path[:-1]:
        reply = reply.setdefault(name, {})
    return reply


def _set_value(reply: Reply, path: list[str], value: Any) -> None:
    """Set the value at a path of a reply."""
    _parent_of(reply, path)[path[-1]] = value
