"""How IAM decides: an explicit deny wins, else one statement must allow; nothing is allowed by itself.

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
    """What policies say of a request."""

    ALLOWED = "allowed"
    NOT_ALLOWED = "not allowed"
    DENIED = "denied"


@dataclass(frozen=True)
class Request:
    """One action on one resource, and what IAM knows of the request."""

    action: str
    resource: str
    context: Mapping[str, Values] = field(default_factory=dict)
    # The tags of the resource, looked up where a condition asks for them.
    tags: Callable[[], Mapping[str, str]] = dict

    def seen(self, key: str) -> Values | None:
        """The values of a condition key, None where the request has none; the names of keys know no case."""
        head, _, tag = key.partition("/")
        if head.split(":", 1)[-1] == "ResourceTag":
            value = self.tags().get(tag)
            return None if value is None else (value,)
        folded = key.lower()
        return next((values for name, values in self.context.items() if name.lower() == folded), None)


def verdict(policies: Iterable[Policy], request: Request) -> Verdict:
    """What these policies, taken together, say of a request."""
    meant = [one for policy in policies for one in statements(policy) if applies(one, request)]
    if any(one["Effect"] == "Deny" for one in meant):
        return Verdict.DENIED
    return Verdict.ALLOWED if meant else Verdict.NOT_ALLOWED


def allows(policies: Iterable[Policy], request: Request, boundary: Policy | None = None) -> bool:
    """Whether policies allow it, and the boundary does too where there is one."""
    capped = boundary is None or verdict([boundary], request) is Verdict.ALLOWED
    return capped and verdict(policies, request) is Verdict.ALLOWED


def statements(policy: Policy) -> list[Mapping[str, Any]]:
    """The statements of a policy; one alone may stand without a list."""
    listed = policy["Statement"]
    return [listed] if isinstance(listed, Mapping) else list(listed)


def applies(statement: Mapping[str, Any], request: Request) -> bool:
    """Whether a statement speaks of a request."""
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
    if f"Not{what}" in statement:
        return not any(like(one, value, fold=fold) for one in _listed(statement[f"Not{what}"]))
    return any(like(one, value, fold=fold) for one in _listed(statement[what]))


def like(pattern: str, value: str, *, fold: bool = False) -> bool:
    """Whether a value is meant by a pattern of `*` and `?`."""
    return bool(_compiled(pattern, fold).fullmatch(value))


@lru_cache(4096)
def _compiled(pattern: str, fold: bool) -> re.Pattern[str]:
    text = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.compile(text, re.IGNORECASE | re.DOTALL if fold else re.DOTALL)


def _listed(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def _same(pattern: str, value: str) -> bool:
    return pattern == value


def _folded(pattern: str, value: str) -> bool:
    return pattern.lower() == value.lower()


def _arn_like(pattern: str, value: str) -> bool:
    """Each of the six parts of an ARN by itself."""
    theirs, ours = pattern.split(":", 5), value.split(":", 5)
    return len(theirs) == len(ours) and all(map(like, theirs, ours))


_TESTS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": _same,
    "StringEqualsIgnoreCase": _folded,
    "StringLike": like,
    "ArnEquals": _arn_like,
    "ArnLike": _arn_like,
    "Bool": _folded,
}


def _meets(operator: str, key: str, wanted: list[str], request: Request) -> bool:
    """Whether one condition is met; ValueError for an operator that is not known here."""
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
