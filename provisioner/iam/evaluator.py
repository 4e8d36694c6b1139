"""IAM policy evaluation: an explicit deny wins, else one statement must allow; the default is to deny.

Source: IAM user guide, policy evaluation logic and IAM JSON policy elements.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import Any

Values = tuple[str, ...]
Policy = Mapping[str, Any]


class Verdict(Enum):
    """The decision of policies on a request: allowed, not allowed by any statement, or explicitly denied."""

    ALLOWED = "allowed"
    NOT_ALLOWED = "not allowed"
    DENIED = "denied"


@dataclass(frozen=True)
class Request:
    """An IAM request: one action on one resource, with its condition keys."""

    action: str
    resource: str
    context: Mapping[str, Values] = field(default_factory=dict)
    # Looks up the tags of the resource; called only if a condition needs them.
    tags: Callable[[], Mapping[str, str]] = dict

    def values_of(self, key: str) -> Values | None:
        """Return the values of a condition key, or None if the request lacks it; key names ignore case."""
        head, _, tag = key.partition("/")
        if head.split(":", 1)[-1] == "ResourceTag":
            value = self.tags().get(tag)
            return None if value is None else (value,)
        folded = key.lower()
        return next((values for name, values in self.context.items() if name.lower() == folded), None)


def verdict(policies: Iterable[Policy], request: Request) -> Verdict:
    """Return the decision of all these policies together on a request."""
    all_statements = (statement for policy in policies for statement in statements(policy))
    matching = [statement for statement in all_statements if applies(statement, request)]
    if any(statement["Effect"] == "Deny" for statement in matching):
        return Verdict.DENIED
    return Verdict.ALLOWED if matching else Verdict.NOT_ALLOWED


def allows(policies: Iterable[Policy], request: Request, boundary: Policy | None = None) -> bool:
    """Return whether the policies allow a request, and so does the permissions boundary, if there is one."""
    is_within_boundary = boundary is None or verdict([boundary], request) is Verdict.ALLOWED
    return is_within_boundary and verdict(policies, request) is Verdict.ALLOWED


def statements(policy: Policy) -> list[Mapping[str, Any]]:
    """Return the statements of a policy; a policy may have a single one without a list."""
    element = policy["Statement"]
    return [element] if isinstance(element, Mapping) else list(element)


def applies(statement: Mapping[str, Any], request: Request) -> bool:
    """Return whether the action, resource and conditions of a statement match a request."""
    return (
        _covers(statement, "Action", request.action, ignore_case=True)
        and _covers(statement, "Resource", request.resource)
        and all(
            _meets_condition(operator, key, _as_list(expected), request)
            for operator, keys in statement.get("Condition", {}).items()
            for key, expected in keys.items()
        )
    )


def _covers(statement: Mapping[str, Any], element: str, value: str, *, ignore_case: bool = False) -> bool:
    """Return whether a statement's element ("Action" or "Resource"), or its Not form, covers a value."""
    is_negated = f"Not{element}" in statement
    patterns = _as_list(statement[f"Not{element}" if is_negated else element])
    matches = any(matches_pattern(pattern, value, ignore_case=ignore_case) for pattern in patterns)
    return matches != is_negated


def matches_pattern(pattern: str, value: str, *, ignore_case: bool = False) -> bool:
    """Return whether a value matches a pattern with `*` and `?`."""
    return bool(_compiled(pattern, ignore_case).fullmatch(value))


@lru_cache(4096)
def _compiled(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    """Return the regular expression of a pattern with `*` and `?`."""
    text = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.compile(text, re.IGNORECASE | re.DOTALL if ignore_case else re.DOTALL)


def _as_list(value: Any) -> list[str]:
    """Return a value, or the items of a list, as a list of strings."""
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def _equal(pattern: str, value: str) -> bool:
    return pattern == value


def _equal_ignoring_case(pattern: str, value: str) -> bool:
    return pattern.lower() == value.lower()


def _arn_like(pattern: str, value: str) -> bool:
    """Return whether each of the six parts of an ARN matches the same part of the pattern."""
    pattern_parts, value_parts = pattern.split(":", 5), value.split(":", 5)
    return len(pattern_parts) == len(value_parts) and all(map(matches_pattern, pattern_parts, value_parts))


_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": _equal,
    "StringEqualsIgnoreCase": _equal_ignoring_case,
    "StringLike": matches_pattern,
    "ArnEquals": _arn_like,
    "ArnLike": _arn_like,
    "Bool": _equal_ignoring_case,
}


def _meets_condition(operator: str, key: str, expected: list[str], request: Request) -> bool:
    """Return whether a request meets one condition of a statement.

    Raises:
        ValueError: The operator is not implemented here.

    """
    quantifier, _, name = operator.rpartition(":")
    values = request.values_of(key)
    if name == "Null":
        return (values is None) == (expected[0].lower() == "true")
    is_optional, name = name.endswith("IfExists"), name.removesuffix("IfExists")
    is_negated, name = "Not" in name, name.replace("Not", "")
    compare = _OPERATORS.get(name)
    if compare is None:
        raise ValueError(f"the condition operator {operator} is not known here")
    if not values:
        return is_optional or is_negated or quantifier == "ForAllValues"
    matches = [any(compare(pattern, value) for pattern in expected) != is_negated for value in values]
    return any(matches) if quantifier == "ForAnyValue" else all(matches)
