"""Path patterns of listener rules: whether they match, their order, and which can never be reached.

`*` stands for any characters or none, `?` for exactly one. Case counts, and a pattern must match the whole
path (ELB user guide, path conditions).
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

_STAR, _QUESTION_MARK = "*", "?"
# After this many states of the search a pattern counts as reachable: no tried set of 97 patterns with five
# wildcards came near it.
_MOST_STATES = 50_000
# Characters that a path may hold (RFC 3986, pchar) and that a probe may use in a wildcard's place.
_FILLER_CHARACTERS = "xzqjkvw0123456789yXZQJKVW$&+,;=:@!"

# The positions in a pattern up to which it may have matched a path.
_Positions = frozenset[int]


@cache
def normalize(pattern: str) -> str:
    """Return the shortest pattern that matches the same paths: `/a**?` becomes `/a?*`."""
    return re.sub(r"[*?]*\*[*?]*", lambda wildcards: "?" * wildcards[0].count("?") + "*", pattern)


def matches(pattern: str, path: str) -> bool:
    """Return whether the pattern matches `path`."""
    positions = _start_positions(pattern)
    for character in path:
        positions = _advance(pattern, positions, character)
    return len(pattern) in positions


def narrowest_first(patterns: Iterable[str]) -> list[str]:
    """Return the patterns sorted so that a narrower one comes before each wider one.

    Let every path that pattern A matches be matched by B too. Then the shortest match of A is at least as
    long as that of B. If both are equally long, A has at least as many plain characters. If these are equal
    too, the two differ only in their `*`, of which A has fewer. So sorting by these three is enough.
    """

    def sort_key(pattern: str) -> tuple[int, int, int, str]:
        stars = normalize(pattern).count(_STAR)
        return -_shortest_length(pattern), -_plain_characters(pattern), stars, pattern

    return sorted(patterns, key=sort_key)


def find_path(pattern: str, earlier: Iterable[str] = ()) -> str | None:
    """Return a short path that matches the pattern and none of `earlier`; None if there is none.

    The search for it is breadth-first. If it reaches its limit of states, the pattern counts as reachable,
    and the path returned is the pattern with its wildcards filled in.
    """
    patterns = (pattern, *earlier)
    filler = _unused_character(patterns)
    # A state of the search: for each pattern, the positions up to which it may have matched the path so far.
    start = tuple(_start_positions(each) for each in patterns)
    seen, queue = {start}, deque([(start, "")])
    while queue and len(seen) < _MOST_STATES:
        state, path = queue.popleft()
        is_matched, *is_matched_earlier = (len(each) in at for each, at in zip(patterns, state, strict=True))
        if is_matched and not any(is_matched_earlier):
            return path
        for character in _next_characters(pattern, state[0], filler):
            after = tuple(_advance(each, at, character) for each, at in zip(patterns, state, strict=True))
            if after not in seen:
                seen.add(after)
                queue.append((after, path + character))
    return pattern.replace(_STAR, "").replace(_QUESTION_MARK, filler) if queue else None


def unreachable(patterns: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield each pattern that never gets a request, and the earlier patterns that take all its requests.

    `patterns` are in the order in which the rules are evaluated. As few earlier patterns are named as are
    needed: without any one of them the pattern would be reached.
    """
    for index, pattern in enumerate(patterns):
        earlier = list(patterns[:index])
        if find_path(pattern, earlier) is None:
            for candidate in list(earlier):
                fewer = [other for other in earlier if other != candidate]
                if find_path(pattern, fewer) is None:
                    earlier = fewer
            yield pattern, earlier


def _unused_character(patterns: Iterable[str]) -> str:
    """Return a character that is in none of the patterns, and so is matched by wildcards alone."""
    used = set("".join(patterns))
    return next((character for character in _FILLER_CHARACTERS if character not in used), "~")


def _shortest_length(pattern: str) -> int:
    """Return the length of the shortest path that the pattern matches."""
    return len(pattern) - pattern.count(_STAR)


def _plain_characters(pattern: str) -> int:
    """Return how many characters of the pattern are no wildcards."""
    return _shortest_length(pattern) - pattern.count(_QUESTION_MARK)


@cache
def _start_positions(pattern: str) -> _Positions:
    """Return the positions before the first character of a path."""
    return _past_stars(pattern, {0})


@cache
def _advance(pattern: str, positions: _Positions, character: str) -> _Positions:
    """Return the positions after one more character of a path."""
    unfinished = [index for index in positions if index < len(pattern)]
    stay = {index for index in unfinished if pattern[index] == _STAR}
    move_on = {index + 1 for index in unfinished if pattern[index] in (_QUESTION_MARK, character)}
    return _past_stars(pattern, stay | move_on)


def _past_stars(pattern: str, positions: Iterable[int]) -> _Positions:
    """Return the positions, and those behind each `*`, which may stand for nothing."""
    reached = set(positions)
    for index, character in enumerate(pattern):
        if character == _STAR and index in reached:
            reached.add(index + 1)
    return frozenset(reached)


def _next_characters(pattern: str, positions: _Positions, filler: str) -> list[str]:
    """Return the characters that advance a match; `filler` stands for all that only a wildcard matches."""
    next_characters = {pattern[index] for index in positions if index < len(pattern)}
    wildcards = next_characters & {_STAR, _QUESTION_MARK}
    return sorted(next_characters - wildcards) + [filler] * bool(wildcards)
