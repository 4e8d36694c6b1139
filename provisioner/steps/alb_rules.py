"""Listener rules and their priorities: a rule per API prefix, and the two error pages."""

from __future__ import annotations

import bisect
import hashlib
import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from provisioner.engine.resource_graph.graph import ResourceHandle, Step
from provisioner.path_patterns import in_order
from provisioner.resources.elbv2.listeners import ListenerRule
from provisioner.settings.api import ERROR_PAGES

PAGES = {
    403: (ERROR_PAGES[403], "403", "This address is not open to you."),
    404: (ERROR_PAGES[404], "404", "There is nothing at this address."),
}
# The priority behind all prefixes, for requests that match none of them.
_LAST_PLACE = 50_000


@dataclass(frozen=True)
class ServiceRouting:
    """The target group of one service, and the rules that forward to it."""

    target_group: ResourceHandle
    rules: list[ResourceHandle]


@dataclass(frozen=True)
class ListenerRules:
    """The rules of one listener, as they are declared; `asked` are the conditions that every rule has."""

    up: Step
    listener: ResourceHandle
    head: str
    asked: list[dict[str, Any]]
    rules: list[ResourceHandle] = field(default_factory=list)

    def pages(self) -> None:
        """Declare the rules of the error pages, before all other rules."""
        for place, (path, title, words) in enumerate(PAGES.values(), start=1):
            self._rule(f"page-{title}", place, _path(path), _page(title, words))

    def rest(self, group: ResourceHandle) -> ResourceHandle:
        """Declare the rule that forwards requests without a known prefix to the main service."""
        return self._rule("guarded", _LAST_PLACE, [], forward_action(group)[0])

    def prefix(self, prefix: str, place: int, group: ResourceHandle) -> ResourceHandle:
        """Declare the rule that forwards a prefix to its service."""
        return self._rule(prefix_slug(prefix), place, _path(prefix), forward_action(group)[0])

    def _rule(self, tail: str, place: int, path: list[dict[str, Any]], action: dict[str, Any]) -> ResourceHandle:
        rule = self.up(
            ListenerRule,
            f"{self.head}-{tail}",
            ListenerArn=self.listener.id,
            Priority=place,
            Conditions=[*path, *self.asked],
            Actions=[action],
        )
        self.rules.append(rule)
        return rule


def _path(prefix: str) -> list[dict[str, Any]]:
    return [{"Field": "path-pattern", "Values": [prefix]}]


def forward_action(group: ResourceHandle) -> list[dict[str, Any]]:
    """Return the actions that forward everything to one target group."""
    return [{"Type": "forward", "TargetGroupArn": group.id}]


def _page(title: str, words: str) -> dict[str, Any]:
    """Return the action that answers with an error page.

    Its status is 200, because CloudFront uses an error page only if fetching it succeeds.
    """
    body = f"<!doctype html><title>{title}</title><h1>{title}</h1><p>{words}</p>"
    return {
        "Type": "fixed-response",
        "FixedResponseConfig": {"StatusCode": "200", "ContentType": "text/html", "MessageBody": body},
    }


def prefix_slug(prefix: str) -> str:
    """Return a prefix as the end of a logical id.

    Eight hex characters of a hash keep apart the prefixes that would look the same; plain ones have none.
    """
    plain = prefix.removesuffix("/*")
    tail = "-".join(re.findall(r"[a-z0-9]+", prefix.lower()))
    if re.fullmatch(r"/api(/[a-z0-9]+)*", plain) and plain != prefix:
        return tail
    return f"{tail}.{hashlib.sha256(prefix.encode()).hexdigest()[:8]}"


def priorities(prefixes: Iterable[str], kept: Mapping[str, int]) -> dict[str, int]:
    """Return the priority of each prefix's rule; a narrower pattern always comes before a wider one.

    Args:
        prefixes: The path patterns that are declared.
        kept: The priorities that rules have now, by pattern. As many as possible stay. The others get
            priorities that no rule has, so that AWS accepts the changes in any order.

    """
    order = in_order(prefixes)
    fixed = _longest_rising([(one, kept[one]) for one in order if one in kept])
    taken = set(kept.values())
    return _placed(order, fixed, taken) or _placed(order, {}, taken) or _placed(order, {}, set()) or {}


def _longest_rising(places: list[tuple[str, int]]) -> dict[str, int]:
    """Return the largest part of the rules whose present priorities are in the right order already.

    `places` are (prefix, priority) in the order that is needed.
    """
    best: list[list[tuple[str, int]]] = [[]]
    for prefix, place in places:
        shorter = [one for one in best if not one or one[-1][1] < place]
        best.append([*max(shorter, key=len), (prefix, place)])
    longest: list[tuple[str, int]] = max(best, key=len)
    return dict(longest)


def _placed(order: list[str], fixed: Mapping[str, int], taken: Set[int]) -> dict[str, int]:
    """Return a priority for each prefix: those in `fixed` keep theirs, the others get free ones between.

    {} if there are not enough free priorities (`taken` are not free) between two fixed ones.
    """
    places: dict[str, int] = {}
    last = len(PAGES)
    for at, prefix in enumerate(order):
        following = ((n, fixed[one]) for n, one in enumerate(order[at:]) if one in fixed)
        waiting, limit = next(following, (len(order) - at, _LAST_PLACE))
        if prefix in fixed:
            last = fixed[prefix]
        else:
            free = [place for place in range(last + 1, limit) if place not in taken]
            if len(free) < waiting:
                return {}
            # As many priorities must stay free as rules follow before the next fixed one.
            fitting = free[: len(free) - waiting + 1]
            own = bisect.bisect_left(fitting, priority(prefix))
            last = fitting[min(own, len(fitting) - 1)]
        places[prefix] = last
    return places


def priority(prefix: str) -> int:
    """Return the priority that a prefix would have alone: the longer its shortest match, the lower."""
    band = 49 - min(len(prefix) - prefix.count("*"), 48)
    return band * 1000 + int(hashlib.sha256(prefix.encode()).hexdigest(), 16) % 1000
