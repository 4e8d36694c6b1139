"""Which rule of a listener a request matches, decided as the load balancer does."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.path_patterns import matches, unreachable
from provisioner.resources.origin_key import requires_key

# The calls of this module, by service: `policy` grants them.
CALLS = {"elbv2": ("DescribeRules",)}


def list_path_rules(elbv2: Any, listeners: Iterable[str]) -> list[JsonObject]:
    """Return the rules of the first of these listeners (ARNs) that routes by path (DescribeRules)."""
    every = (elbv2.describe_rules(ListenerArn=arn)["Rules"] for arn in listeners)
    return next((list(rules) for rules in every if any(path_values(rule) for rule in rules)), [])


def target_groups_of(rule: JsonObject) -> Iterator[str]:
    """Yield the target groups that a rule sends some requests to."""
    for action in rule["Actions"]:
        groups = (action.get("ForwardConfig") or {}).get("TargetGroups") or []
        yield from (one["TargetGroupArn"] for one in groups if one.get("Weight", 1))
        if not groups and action.get("TargetGroupArn"):
            yield action["TargetGroupArn"]


def path_values(rule: JsonObject) -> list[str]:
    """Return the path patterns among a rule's conditions."""
    return [value for one in rule["Conditions"] if one["Field"] == "path-pattern" for value in _path_patterns(one)]


def matching_rule(rules: Iterable[JsonObject], path: str) -> JsonObject | None:
    """Return the rule of one listener that a GET for `path` from CloudFront matches.

    The lowest priority whose conditions are all met decides, and the default rule comes last (ELB user guide,
    listener rules). Conditions on a header other than CloudFront's key, on a query or on the source address
    count as not met. A condition on the host counts as met.
    """
    asked = sorted(rules, key=lambda one: (one["IsDefault"], one["IsDefault"] or int(one["Priority"])))
    return next((one for one in asked if all(_is_met(each, path) for each in one["Conditions"])), None)


def unreachable_rules(rules: Iterable[JsonObject]) -> Iterator[tuple[JsonObject, list[str]]]:
    """Yield each rule of one listener that gets no request, with the path patterns that match before it.

    Only rules whose conditions are path patterns and CloudFront's key are considered.
    """
    plain = [one for one in rules if all(_is_path_or_key(each) for each in one["Conditions"])]
    asked = sorted((one for one in plain if path_values(one)), key=lambda one: int(one["Priority"]))
    of_pattern = {pattern: rule for rule in reversed(asked) for pattern in path_values(rule)}
    lost = dict(unreachable([pattern for rule in asked for pattern in path_values(rule)]))
    for rule in asked:
        if all(pattern in lost or of_pattern[pattern] is not rule for pattern in path_values(rule)):
            yield rule, sorted({one for pattern in path_values(rule) for one in lost.get(pattern, [pattern])})


def _is_path_or_key(condition: JsonObject) -> bool:
    # A path pattern that is no regular expression, or CloudFront's key.
    spelt = (condition.get("PathPatternConfig") or {}).get("RegexValues")
    return requires_key(condition) or (condition["Field"] == "path-pattern" and not spelt)


def _is_met(condition: JsonObject, path: str) -> bool:
    field = condition["Field"]
    if field == "path-pattern":
        spelt = (condition.get("PathPatternConfig") or {}).get("RegexValues") or []
        return any(matches(one, path) for one in _path_patterns(condition)) or any(
            re.search(one, path) for one in spelt
        )
    if field == "http-request-method":
        return "GET" in condition["HttpRequestMethodConfig"]["Values"]
    return field == "host-header" or requires_key(condition)


def _path_patterns(condition: JsonObject) -> list[str]:
    return list((condition.get("PathPatternConfig") or {}).get("Values") or condition.get("Values") or [])
