"""Who answers which request: a rule per API prefix, and the two error pages."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from provisioner.engine.graph import Handle, Piece
from provisioner.kinds.elbv2.listeners import ListenerRule

PAGES = {
    403: ("/errors/403.html", "403", "This address is not open to you."),
    404: ("/errors/404.html", "404", "There is nothing at this address."),
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
    """Each prefix's own priority: the one it was given before, else its own or the next that is free."""
    wanted = sorted(prefixes)
    places = {prefix: kept[prefix] for prefix in wanted if prefix in kept}
    for prefix in wanted:
        place = priority(prefix)
        while prefix not in places and place in places.values():
            place += 1
        places.setdefault(prefix, place)
    return places


def priority(prefix: str) -> int:
    """From the prefix alone, not its place in the list; a longer prefix comes before a shorter one."""
    band = 49 - min(len(prefix), 48)
    return band * 1000 + int(hashlib.sha256(prefix.encode()).hexdigest(), 16) % 1000
