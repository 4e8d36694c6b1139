"""Who answers which request: a rule per API prefix, and the two error pages."""

from __future__ import annotations

import bisect
import hashlib
import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from provisioner.engine.graph import Handle, Piece
from provisioner.kinds.elbv2.listeners import ListenerRule
from provisioner.path_patterns import in_order
from provisioner.settings.api import ERROR_PAGES

PAGES = {
    403: (ERROR_PAGES[403], "403", "This address is not open to you."),
    404: (ERROR_PAGES[404], "404", "There is nothing at this address."),
}
# Behind every prefix: what comes from CloudFront and asks for none of them.
_LAST_PLACE = 50_000


@dataclass(frozen=True)
class Front:
    """The group one service's tasks are in, and what leads there."""

    group: Handle
    rules: list[Handle]


@dataclass(frozen=True)
class Lead:
    """The rules of one listener, as they are declared; each wants what is asked of every request."""

    up: Piece
    listener: Handle
    head: str
    asked: list[dict[str, Any]]
    rules: list[Handle] = field(default_factory=list)

    def pages(self) -> None:
        """The error pages, before all else."""
        for place, (path, title, words) in enumerate(PAGES.values(), start=1):
            self._rule(f"page-{title}", place, _path(path), _page(title, words))

    def rest(self, group: Handle) -> Handle:
        """What asks for no prefix goes to the main service's group."""
        return self._rule("guarded", _LAST_PLACE, [], forward(group)[0])

    def prefix(self, prefix: str, place: int, group: Handle) -> Handle:
        """What asks for a prefix goes to its service's group."""
        return self._rule(slug(prefix), place, _path(prefix), forward(group)[0])

    def _rule(self, tail: str, place: int, path: list[dict[str, Any]], action: dict[str, Any]) -> Handle:
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


def forward(group: Handle) -> list[dict[str, Any]]:
    """Everything goes to one group."""
    return [{"Type": "forward", "TargetGroupArn": group.id}]


def _page(title: str, words: str) -> dict[str, Any]:
    """A page with status 200: CloudFront uses no error page whose own fetch fails."""
    body = f"<!doctype html><title>{title}</title><h1>{title}</h1><p>{words}</p>"
    return {
        "Type": "fixed-response",
        "FixedResponseConfig": {"StatusCode": "200", "ContentType": "text/html", "MessageBody": body},
    }


def slug(prefix: str) -> str:
    """A prefix as the tail of a node's name; eight hex characters keep all but the plainest apart."""
    plain = prefix.removesuffix("/*")
    tail = "-".join(re.findall(r"[a-z0-9]+", prefix.lower()))
    if re.fullmatch(r"/api(/[a-z0-9]+)*", plain) and plain != prefix:
        return tail
    return f"{tail}.{hashlib.sha256(prefix.encode()).hexdigest()[:8]}"


def priorities(prefixes: Iterable[str], kept: Mapping[str, int]) -> dict[str, int]:
    """Return the priority of each prefix's rule; a narrower pattern is always asked before a wider one.

    Args:
        prefixes: The path patterns that are declared.
        kept: The priorities that rules have now, by pattern. As many as possible stay; the others move to
            places that nobody holds, so that each move is one call that AWS can take in any order.

    """
    order = in_order(prefixes)
    fixed = _longest_rising([(one, kept[one]) for one in order if one in kept])
    taken = set(kept.values())
    return _placed(order, fixed, taken) or _placed(order, {}, taken) or _placed(order, {}, set()) or {}


def _longest_rising(places: list[tuple[str, int]]) -> dict[str, int]:
    """The most of them that stand in the right order already."""
    best: list[list[tuple[str, int]]] = [[]]
    for prefix, place in places:
        shorter = [one for one in best if not one or one[-1][1] < place]
        best.append([*max(shorter, key=len), (prefix, place)])
    longest: list[tuple[str, int]] = max(best, key=len)
    return dict(longest)


def _placed(order: list[str], fixed: Mapping[str, int], taken: Set[int]) -> dict[str, int]:
    """The fixed ones where they are, the others between them on free places; {} where one finds none."""
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
            # As many places must be left as there are rules to follow before the next fixed one.
            fitting = free[: len(free) - waiting + 1]
            own = bisect.bisect_left(fitting, priority(prefix))
            last = fitting[min(own, len(fitting) - 1)]
        places[prefix] = last
    return places


def priority(prefix: str) -> int:
    """Return the place that a prefix would have alone: the longer its shortest match, the earlier."""
    band = 49 - min(len(prefix) - prefix.count("*"), 48)
    return band * 1000 + int(hashlib.sha256(prefix.encode()).hexdigest(), 16) % 1000
