"""Which rule of a listener a request matches, decided as the load balancer does."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.path_patterns import matches, unreachable
from provisioner.resources.origin_key import requires_key
from provisioner.service_clients import ELBV2

# The calls of this module, by service: `policy` grants them.
CALLS = {"elbv2": ("DescribeRules",)}


def list_path_rules(elbv2: ELBV2, listeners: Iterable[str]) -> list[JsonObject]:
    """Return the rules of the first of these listeners (ARNs) that routes by path (DescribeRules)."""
    rules_by_listener = (elbv2.describe_rules(ListenerArn=arn)["Rules"] for arn in listeners)
    return next((list(rules) for rules in rules_by_listener if any(path_values(rule) for rule in rules)), [])


def target_groups_of(rule: JsonObject) -> Iterator[str]:
    """Yield the target groups to which a rule gives any weight."""
    for action in rule["Actions"]:
        groups = (action.get("ForwardConfig") or {}).get("TargetGroups") or []
        yield from (group["TargetGroupArn"] for group in groups if group.get("Weight", 1))
        if not groups and action.get("TargetGroupArn"):
            yield action["TargetGroupArn"]


def path_values(rule: JsonObject) -> list[str]:
    """Return the path patterns among a rule's conditions."""
    return [
        value
        for condition in rule["Conditions"]
        if condition["Field"] == "path-pattern"
        for value in _path_patterns(condition)
    ]


def matching_rule(rules: Iterable[JsonObject], path: str) -> JsonObject | None:
    """Return the rule of one listener that a GET for `path` from CloudFront matches.

    The lowest priority whose conditions are all met decides, and the default rule comes last (ELB user guide,
    listener rules). Conditions on a header other than CloudFront's key, on a query or on the source address
    count as not met. A condition on the host counts as met.
    """
    in_order = sorted(rules, key=lambda rule: (rule["IsDefault"], rule["IsDefault"] or int(rule["Priority"])))
    return next((rule for rule in in_order if all(_is_met(condition, path) for condition in rule["Conditions"])), None)


def unreachable_rules(rules: Iterable[JsonObject]) -> Iterator[tuple[JsonObject, list[str]]]:
    """Yield each rule of one listener that gets no request, with the path patterns that match before it.

    Only rules whose conditions are path patterns and CloudFront's key are considered.
    """
    path_rules = [rule for rule in rules if all(_is_path_or_key(condition) for condition in rule["Conditions"])]
    in_order = sorted((rule for rule in path_rules if path_values(rule)), key=lambda rule: int(rule["Priority"]))
    rule_by_pattern = {pattern: rule for rule in reversed(in_order) for pattern in path_values(rule)}
    matched_before = dict(unreachable([pattern for rule in in_order for pattern in path_values(rule)]))
    for rule in in_order:
        patterns = path_values(rule)
        if all(pattern in matched_before or rule_by_pattern[pattern] is not rule for pattern in patterns):
            # A pattern that nothing wider matches is the very pattern of an earlier rule.
            earlier = {match for pattern in patterns for match in matched_before.get(pattern, [pattern])}
            yield rule, sorted(earlier)


def _is_path_or_key(condition: JsonObject) -> bool:
    """Return whether a condition is on the path, without a regular expression, or on CloudFront's key."""
    regexes = (condition.get("PathPatternConfig") or {}).get("RegexValues")
    return requires_key(condition) or (condition["Field"] == "path-pattern" and not regexes)


def _is_met(condition: JsonObject, path: str) -> bool:
    """Return whether a GET for `path` from CloudFront meets a condition."""
    field = condition["Field"]
    if field == "path-pattern":
        regexes = (condition.get("PathPatternConfig") or {}).get("RegexValues") or []
        return any(matches(pattern, path) for pattern in _path_patterns(condition)) or any(
            re.search(pattern, path) for pattern in regexes
        )
    if field == "http-request-method":
        return "GET" in condition["HttpRequestMethodConfig"]["Values"]
    return field == "host-header" or requires_key(condition)


def _path_patterns(condition: JsonObject) -> list[str]:
    """Return the values of a path condition, which AWS returns in one of two places."""
    return list((condition.get("PathPatternConfig") or {}).get("Values") or condition.get("Values") or [])
