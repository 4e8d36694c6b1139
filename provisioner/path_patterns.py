"""Path patterns of listener rules: whether they match, their order, and which can never be reached.

`*` stands for any characters or none, `?` for exactly one. Case counts, and a pattern must match the whole
path (ELB user guide, path conditions).
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

_MANY, _ONE = "*", "?"
# After this many states of the search a pattern counts as reachable: no tried set of 97 patterns with five
# wildcards came near it.
_MOST_STATES = 50_000
# Characters that a path may hold (RFC 3986, pchar) and that a probe may use in a wildcard's place.
_SPARE = "xzqjkvw0123456789yXZQJKVW$&+,;=:@!"

# The positions in a pattern up to which it may have matched a path.
_Places = frozenset[int]


@cache
def normal(pattern: str) -> str:
    """Return the shortest pattern that matches the same paths: `/a**?` becomes `/a?*`."""
    return re.sub(r"[*?]*\*[*?]*", lambda run: "?" * run[0].count("?") + "*", pattern)


def matches(pattern: str, path: str) -> bool:
    """Return whether the pattern matches `path`."""
    places = _start(pattern)
    for letter in path:
        places = _after(pattern, places, letter)
    return len(pattern) in places


def in_order(patterns: Iterable[str]) -> list[str]:
    """Return the patterns sorted so that a narrower one comes before each wider one.

    Let every path that pattern A matches be matched by B too. Then the shortest match of A is at least as
    long as that of B. If both are equally long, A has at least as many plain characters. If these are equal
    too, the two differ only in their `*`, of which A has fewer. So sorting by these three is enough.
    """
    return sorted(patterns, key=lambda one: (-_shortest(one), -_plain(one), normal(one).count(_MANY), one))


def probe(pattern: str, earlier: Iterable[str] = ()) -> str | None:
    """Return a short path that matches the pattern and none of `earlier`; None if there is none.

    The search for it is breadth-first. If it reaches its limit of states, the pattern counts as reachable,
    and the path returned is the pattern with its wildcards filled in.
    """
    others = list(earlier)
    spare = next((one for one in _SPARE if not any(one in each for each in (pattern, *others))), "~")
    start = _start(pattern), tuple(_start(one) for one in others)
    seen, ahead = {start}, deque([(start, "")])
    while ahead and len(seen) < _MOST_STATES:
        (places, taken), path = ahead.popleft()
        if len(pattern) in places and not any(len(o) in p for o, p in zip(others, taken, strict=True)):
            return path
        for letter in _next_letters(pattern, places, spare):
            after = tuple(_after(o, p, letter) for o, p in zip(others, taken, strict=True))
            state = _after(pattern, places, letter), after
            if state not in seen:
                seen.add(state)
                ahead.append((state, path + letter))
    return None if not ahead else "".join(spare if one == _ONE else one for one in pattern if one != _MANY)


def unreachable(patterns: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield each pattern that never gets a request, and the earlier patterns that take all its requests.

    `patterns` are in the order in which the rules are evaluated. As few earlier patterns are named as are
    needed: without any one of them the pattern would be reached.
    """
    for at, pattern in enumerate(patterns):
        before = list(patterns[:at])
        if probe(pattern, before) is None:
            for one in list(before):
                fewer = [each for each in before if each != one]
                before = fewer if probe(pattern, fewer) is None else before
            yield pattern, before


def _shortest(pattern: str) -> int:
    """Return the length of the shortest path that the pattern matches."""
    return len(pattern) - pattern.count(_MANY)


def _plain(pattern: str) -> int:
    """Return how many characters of the pattern are no wildcards."""
    return _shortest(pattern) - pattern.count(_ONE)


@cache
def _start(pattern: str) -> _Places:
    """Return the positions before the first character of a path."""
    return _skipping(pattern, {0})


@cache
def _after(pattern: str, places: _Places, letter: str) -> _Places:
    """Return the positions after one more character of a path."""
    inside = [at for at in places if at < len(pattern)]
    stay = {at for at in inside if pattern[at] == _MANY}
    return _skipping(pattern, stay | {at + 1 for at in inside if pattern[at] in (_ONE, letter)})


def _skipping(pattern: str, places: Iterable[int]) -> _Places:
    """Return the positions, and those behind each `*`, which may stand for nothing."""
    found = set(places)
    for at, sign in enumerate(pattern):
        if sign == _MANY and at in found:
            found.add(at + 1)
    return frozenset(found)


def _next_letters(pattern: str, places: _Places, spare: str) -> list[str]:
    """Return the characters that advance a match; `spare` stands for all that only a wildcard matches."""
    wanted = {pattern[at] for at in places if at < len(pattern)}
    wild = wanted & {_MANY, _ONE}
    return sorted(wanted - wild) + [spare] * bool(wild)
