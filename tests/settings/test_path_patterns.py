"""Path patterns: what they match, their order, and which one is never reached, against a matcher by `re`."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.path_patterns import find_path, matches, narrowest_first, normalize, unreachable

# All paths of up to five characters behind the slash: `x` stands for what no pattern spells.
PATHS = ["/" + "".join(rest) for length in range(6) for rest in itertools.product("abx", repeat=length)]
PATTERNS = st.text("ab*?", max_size=4).map("/{}".format)
SETS = st.lists(PATTERNS, min_size=2, max_size=5, unique_by=normalize)


def taken(pattern: str) -> frozenset[str]:
    """The paths that a pattern matches, as `re` decides it."""
    spelt = {"*": ".*", "?": "."}
    rule = re.compile("".join(spelt.get(sign, re.escape(sign)) for sign in pattern))
    return frozenset(path for path in PATHS if rule.fullmatch(path))


@given(PATTERNS)
def test_a_pattern_matches_what_re_matches(pattern: str) -> None:
    assert {path for path in PATHS if matches(pattern, path)} == taken(pattern) == taken(normalize(pattern))


@given(SETS)
def test_a_narrower_pattern_is_asked_before_a_wider_one(patterns: list[str]) -> None:
    order = narrowest_first(patterns)

    assert sorted(order) == sorted(patterns)
    for first, then in itertools.combinations(order, 2):
        assert not taken(then) < taken(first)


@given(SETS)
def test_a_pattern_is_reached_unless_those_before_it_take_all(patterns: list[str]) -> None:
    order = narrowest_first(patterns)
    lost = dict(unreachable(order))

    for at, pattern in enumerate(order):
        before = frozenset().union(*map(taken, order[:at]))
        path = find_path(pattern, order[:at])
        assert (pattern in lost) == (path is None) == (not taken(pattern) - before)
        if path is not None:
            assert matches(pattern, path)
            assert not any(matches(one, path) for one in order[:at])


@given(SETS)
def test_those_that_take_all_are_as_few_as_are_needed(patterns: list[str]) -> None:
    for pattern, takers in unreachable(narrowest_first(patterns)):
        assert takers
        assert find_path(pattern, takers) is None
        assert all(find_path(pattern, [one for one in takers if one != left]) for left in takers)


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("/predict", "/predict*"),
        (f"/{'a' * 60}/b/*", f"/{'a' * 60}/*"),
        (f"/{'a' * 60}/b", f"/{'a' * 60}/?"),
        ("/v?/x", "/v*x"),
        ("/a/?*", "/a/*"),
        ("/a*b", "/*a*b"),
    ],
)
def test_the_narrow_one_goes_first_whatever_the_length(first: str, then: str) -> None:
    assert narrowest_first([then, first]) == narrowest_first([first, then]) == [first, then]
