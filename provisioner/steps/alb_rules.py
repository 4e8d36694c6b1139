"""Listener rules and their priorities: a rule per API prefix, and the two error pages."""

from __future__ import annotations

import bisect
import hashlib
import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from provisioner.engine.resource_graph.graph import ResourceHandle, Step
from provisioner.path_patterns import narrowest_first
from provisioner.resources.elbv2.listener_rules import ListenerRule
from provisioner.settings.api import ERROR_PAGES

PAGES = {
    403: (ERROR_PAGES[403], "403", "This address is not open to you."),
    404: (ERROR_PAGES[404], "404", "There is nothing at this address."),
}
# The priority behind all prefixes, for requests that match none of them.
_LAST_PRIORITY = 50_000


@dataclass(frozen=True)
class ServiceRouting:
    """The target group of one service, and the rules that forward to it."""

    target_group: ResourceHandle
    rules: list[ResourceHandle]


@dataclass(frozen=True)
class ListenerRules:
    """The rules of one listener; `declare_*` add to them. `key_conditions` are conditions that every rule has."""

    step: Step
    listener: ResourceHandle
    id_prefix: str
    key_conditions: list[dict[str, Any]]
    rules: list[ResourceHandle] = field(default_factory=list)

    def declare_error_pages(self) -> None:
        """Declare the rules of the error pages, before all other rules."""
        for priority, (path, title, text) in enumerate(PAGES.values(), start=1):
            self._declare_rule(f"page-{title}", priority, _path_condition(path), _page_action(title, text))

    def declare_default_rule(self, group: ResourceHandle) -> ResourceHandle:
        """Declare the rule that forwards requests without a known prefix to the main service."""
        return self._declare_rule("guarded", _LAST_PRIORITY, [], forward_actions(group)[0])

    def declare_prefix_rules(
        self, prefixes: Iterable[str], priorities: Mapping[str, int], group: ResourceHandle
    ) -> list[ResourceHandle]:
        """Declare the rules that forward the prefixes of a service to it; `priorities` are by prefix."""
        action = forward_actions(group)[0]
        return [
            self._declare_rule(prefix_slug(prefix), priorities[prefix], _path_condition(prefix), action)
            for prefix in prefixes
        ]

    def _declare_rule(
        self, id_suffix: str, priority: int, path: list[dict[str, Any]], action: dict[str, Any]
    ) -> ResourceHandle:
        """Declare a rule with the key conditions, and add it to `rules`."""
        rule = self.step(
            ListenerRule,
            f"{self.id_prefix}-{id_suffix}",
            ListenerArn=self.listener.id,
            Priority=priority,
            Conditions=[*path, *self.key_conditions],
            Actions=[action],
        )
        self.rules.append(rule)
        return rule


def _path_condition(prefix: str) -> list[dict[str, Any]]:
    """Return the condition that matches a path pattern."""
    return [{"Field": "path-pattern", "Values": [prefix]}]


def forward_actions(group: ResourceHandle) -> list[dict[str, Any]]:
    """Return the actions that forward everything to one target group."""
    return [{"Type": "forward", "TargetGroupArn": group.id}]


def _page_action(title: str, text: str) -> dict[str, Any]:
    """Return the action that answers with an error page.

    Its status is 200, because CloudFront uses an error page only if fetching it succeeds.
    """
    body = f"<!doctype html><title>{title}</title><h1>{title}</h1><p>{text}</p>"
    return {
        "Type": "fixed-response",
        "FixedResponseConfig": {"StatusCode": "200", "ContentType": "text/html", "MessageBody": body},
    }


def prefix_slug(prefix: str) -> str:
    """Return a prefix as the end of a logical id.

    Eight hex characters of a hash keep apart the prefixes that would look the same; plain ones have none.
    """
    without_wildcard = prefix.removesuffix("/*")
    slug = "-".join(re.findall(r"[a-z0-9]+", prefix.lower()))
    if re.fullmatch(r"/api(/[a-z0-9]+)*", without_wildcard) and without_wildcard != prefix:
        return slug
    return f"{slug}.{hashlib.sha256(prefix.encode()).hexdigest()[:8]}"


def assign_priorities(prefixes: Iterable[str], current: Mapping[str, int]) -> dict[str, int]:
    """Return the priority of each prefix's rule; a narrower pattern always comes before a wider one.

    Args:
        prefixes: The path patterns that are declared.
        current: The priorities that rules have now, by pattern. As many as possible stay. The others get
            priorities that no rule has, so that AWS accepts the changes in any order.

    """
    order = narrowest_first(prefixes)
    fixed = _longest_rising([(prefix, current[prefix]) for prefix in order if prefix in current])
    taken = set(current.values())
    return _fill_gaps(order, fixed, taken) or _fill_gaps(order, {}, taken) or _fill_gaps(order, {}, set()) or {}


def _longest_rising(pairs: list[tuple[str, int]]) -> dict[str, int]:
    """Return the largest part of the rules whose present priorities are in the right order already.

    `pairs` are (prefix, priority) in the order that is needed.
    """
    sequences: list[list[tuple[str, int]]] = [[]]
    for prefix, priority in pairs:
        extendable = [sequence for sequence in sequences if not sequence or sequence[-1][1] < priority]
        sequences.append([*max(extendable, key=len), (prefix, priority)])
    longest: list[tuple[str, int]] = max(sequences, key=len)
    return dict(longest)


def _fill_gaps(order: list[str], fixed: Mapping[str, int], taken: Set[int]) -> dict[str, int]:
    """Return a priority for each prefix: those in `fixed` keep theirs, the others get free ones between.

    Return {} if there are not enough priorities outside of `taken` between two fixed ones.
    """
    priorities: dict[str, int] = {}
    previous = len(PAGES)
    for index, prefix in enumerate(order):
        if prefix in fixed:
            previous = fixed[prefix]
        else:
            # How many prefixes come before the next fixed one, this one included, and its priority.
            next_fixed = ((count, fixed[later]) for count, later in enumerate(order[index:]) if later in fixed)
            count, limit = next(next_fixed, (len(order) - index, _LAST_PRIORITY))
            free = [priority for priority in range(previous + 1, limit) if priority not in taken]
            if len(free) < count:
                return {}
            # As many priorities must stay free as prefixes follow before the next fixed one.
            usable = free[: len(free) - count + 1]
            position = bisect.bisect_left(usable, preferred_priority(prefix))
            previous = usable[min(position, len(usable) - 1)]
        priorities[prefix] = previous
    return priorities


def preferred_priority(prefix: str) -> int:
    """Return the priority that a prefix would have alone: the longer its shortest match, the lower."""
    band = 49 - min(len(prefix) - prefix.count("*"), 48)
    return band * 1000 + int(hashlib.sha256(prefix.encode()).hexdigest(), 16) % 1000
