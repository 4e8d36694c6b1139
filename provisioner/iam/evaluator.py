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

    def seen(self, key: str) -> Values | None:
        """Return the values of a condition key, or None if the request lacks it; key names ignore case."""
        head, _, tag = key.partition("/")
        if head.split(":", 1)[-1] == "ResourceTag":
            value = self.tags().get(tag)
            return None if value is None else (value,)
        folded = key.lower()
        return next((values for name, values in self.context.items() if name.lower() == folded), None)


def verdict(policies: Iterable[Policy], request: Request) -> Verdict:
    """Return the decision of all these policies together on a request."""
    meant = [one for policy in policies for one in statements(policy) if applies(one, request)]
    if any(one["Effect"] == "Deny" for one in meant):
        return Verdict.DENIED
    return Verdict.ALLOWED if meant else Verdict.NOT_ALLOWED


def allows(policies: Iterable[Policy], request: Request, boundary: Policy | None = None) -> bool:
    """Return whether the policies allow a request, and so does the permissions boundary, if there is one."""
    capped = boundary is None or verdict([boundary], request) is Verdict.ALLOWED
    return capped and verdict(policies, request) is Verdict.ALLOWED


def statements(policy: Policy) -> list[Mapping[str, Any]]:
    """Return the statements of a policy; a policy may have a single one without a list."""
    listed = policy["Statement"]
    return [listed] if isinstance(listed, Mapping) else list(listed)


def applies(statement: Mapping[str, Any], request: Request) -> bool:
    """Return whether the action, resource and conditions of a statement match a request."""
    return (
        _named(statement, "Action", request.action, fold=True)
        and _named(statement, "Resource", request.resource)
        and all(
            _meets(operator, key, _listed(wanted), request)
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def _named(statement: Mapping[str, Any], what: str, value: str, *, fold: bool = False) -> bool:
    """Return whether a statement's element `what` ("Action", "Resource"), or its Not form, covers a value."""
    if f"Not{what}" in statement:
        return not any(matches_pattern(one, value, fold=fold) for one in _listed(statement[f"Not{what}"]))
    return any(matches_pattern(one, value, fold=fold) for one in _listed(statement[what]))


def matches_pattern(pattern: str, value: str, *, fold: bool = False) -> bool:
    """Return whether a value matches a pattern with `*` and `?`; `fold` ignores case."""
    return bool(_compiled(pattern, fold).fullmatch(value))


@lru_cache(4096)
def _compiled(pattern: str, fold: bool) -> re.Pattern[str]:
    """Return the regular expression of a pattern with `*` and `?`."""
    text = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.compile(text, re.IGNORECASE | re.DOTALL if fold else re.DOTALL)


def _listed(value: Any) -> list[str]:
    """Return a value, or the items of a list, as a list of strings."""
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def _same(pattern: str, value: str) -> bool:
    return pattern == value


def _folded(pattern: str, value: str) -> bool:
    return pattern.lower() == value.lower()


def _arn_like(pattern: str, value: str) -> bool:
    """Return whether each of the six parts of an ARN matches the same part of the pattern."""
    theirs, ours = pattern.split(":", 5), value.split(":", 5)
    return len(theirs) == len(ours) and all(map(matches_pattern, theirs, ours))


_TESTS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": _same,
    "StringEqualsIgnoreCase": _folded,
    "StringLike": matches_pattern,
    "ArnEquals": _arn_like,
    "ArnLike": _arn_like,
    "Bool": _folded,
}


def _meets(operator: str, key: str, wanted: list[str], request: Request) -> bool:
    """Return whether a request meets one condition of a statement.

    Raises:
        ValueError: The operator is not implemented here.

    """
    quantifier, _, plain = operator.rpartition(":")
    seen = request.seen(key)
    if plain == "Null":
        return (seen is None) == (wanted[0].lower() == "true")
    lenient, plain = plain.endswith("IfExists"), plain.removesuffix("IfExists")
    negated, plain = "Not" in plain, plain.replace("Not", "")
    if plain not in _TESTS:
        raise ValueError(f"the condition operator {operator} is not known here")
    if not seen:
        return lenient or negated or quantifier == "ForAllValues"
    hits = [any(_TESTS[plain](one, value) for one in wanted) != negated for value in seen]
    return any(hits) if quantifier == "ForAnyValue" else all(hits)
