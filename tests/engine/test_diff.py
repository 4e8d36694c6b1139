from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.engine.planning.diff import Difference, differences, meets_condition, tag_differences
from provisioner.engine.resource_graph.references import JsonObject, Ref, SecretValue, StoredSecret, Unknown
from provisioner.engine.types.coverage import covers
from provisioner.terminal.differences import difference_lines
from tests.support.fake_resources import Thing

SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=4)
DOCS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


@given(DOCS)
def test_a_thing_covers_itself(doc: Any) -> None:
    assert covers(doc, doc)


@given(actual=st.dictionaries(st.text(max_size=3), DOCS), wanted=st.dictionaries(st.text(max_size=3), DOCS))
def test_what_is_laid_over_a_thing_is_covered_by_it(actual: JsonObject, wanted: JsonObject) -> None:
    assert covers({**actual, **wanted}, wanted)


@given(st.lists(DOCS, max_size=4).flatmap(lambda items: st.tuples(st.just(items), st.permutations(items))))
def test_a_list_of_plain_values_has_no_order(lists: tuple[list[Any], list[Any]]) -> None:
    left, right = lists
    plain = [str(item) for item in left]

    assert covers(plain, [str(item) for item in right])


@pytest.mark.parametrize(
    ("actual", "wanted", "is_covered"),
    [
        ({"a": 1, "b": 2}, {"a": 1}, True),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({"a": {"x": 1, "y": 2}}, {"a": {"x": 1}}, True),
        ({"a": None}, {}, True),
        ({}, {"a": None}, False),
        ([1, 2], [2, 1], True),
        ([1, 2], [1], False),
        ([1], [1, 2], False),
        ([1, 1, 2], [1, 2, 2], False),
        ([{"k": 1, "v": 2}], [{"k": 1}], True),
        ("available", frozenset({"available", "attached"}), True),
        ("failed", frozenset({"available", "attached"}), False),
        ("text", {"a": 1}, False),
        (None, {}, False),
        ("ab", ["a", "b"], False),
        (True, "true", False),
    ],
)
def test_covers(actual: Any, wanted: Any, is_covered: bool) -> None:
    assert covers(actual, wanted) is is_covered


def test_the_best_match_does_not_take_the_only_match_of_another() -> None:
    """`{}` fits both; taken greedily it would leave `{"a": 1}` without its own."""
    assert covers([{"a": 1}, {"b": 2}], [{"b": 2}, {"a": 1}])
    assert covers([{"a": 1}, {"b": 2}], [{}, {"a": 1}])


def test_nothing_there_meets_no_condition() -> None:
    assert not meets_condition(None, {})
    assert meets_condition({"State": "up"}, {})
    assert not meets_condition({"State": "up"}, {"State": "down"})


def differing(wanted: JsonObject, seen: JsonObject, confirmed: JsonObject | None = None) -> list[str]:
    return [one.path for one in differences(Thing(), wanted, seen, confirmed)]


@pytest.mark.parametrize(
    ("wanted", "seen", "confirmed", "paths"),
    [
        ({"Colour": "red"}, {"Colour": "red"}, None, []),
        ({"Colour": "red"}, {"Colour": "red", "More": 1}, None, []),
        ({"Colour": "red"}, {"Colour": "blue"}, None, ["Colour"]),
        ({"Colour": "red"}, {}, None, ["Colour"]),
        ({"In": {"Deep": 1, "Other": 2}}, {"In": {"Deep": 9, "Other": 2}}, None, ["In.Deep"]),
        ({"In": {"Deep": 1}}, {"In": None}, None, ["In"]),
        ({}, {"Colour": "red"}, {"Colour": "red"}, ["Colour"]),
        ({}, {"Colour": "grey"}, {"Colour": "red"}, []),
        ({}, {"Colour": "red"}, None, []),
        ({"Count": 2}, {"Count": 7}, {"Count": 2}, []),
        ({"Ending": "soft"}, {}, None, []),
        ({"Ending": "soft"}, {}, {"Ending": "soft"}, []),
        ({"Ending": "soft"}, {}, {"Ending": "hard"}, ["Ending"]),
    ],
    ids=[
        "as wanted",
        "more than wanted",
        "another value",
        "not there",
        "the one inner field",
        "no mapping there",
        "no longer stated: back to the default",
        "no longer stated, at the default already",
        "never stated: none of our business",
        "another owner's",
        "never told, nothing confirmed",
        "never told, confirmed",
        "never told, confirmed otherwise",
    ],
)
def test_differences_are_three_way(
    wanted: JsonObject, seen: JsonObject, confirmed: JsonObject | None, paths: list[str]
) -> None:
    assert differing(wanted, seen, confirmed) == paths


def test_a_list_has_its_order_only_where_the_kind_says_so() -> None:
    class Queue(Thing):
        """Its steps have an order."""

        ordered_lists = frozenset({"Steps"})

    wanted, turned = {"Steps": [1, 2], "Bag": [1, 2]}, {"Steps": [2, 1], "Bag": [2, 1]}

    assert [one.path for one in differences(Queue(), wanted, turned, None)] == ["Steps"]
    assert differences(Queue(), wanted, wanted, None) == []


def test_both_sides_are_brought_to_one_form_first() -> None:
    class Shouting(Thing):
        """AWS writes its names in capitals."""

        def normalize(self, doc: JsonObject) -> JsonObject:
            return {key: str(value).lower() for key, value in doc.items()}

    assert differences(Shouting(), {"Colour": "red"}, {"Colour": "RED"}, None) == []
    assert differences(Shouting(), {"Colour": "red"}, {"Colour": "BLUE"}, None) != []


class Ruled(Thing):
    """What it says is ours whole."""

    exclusive = frozenset({"Says"})


@pytest.mark.parametrize(
    ("beside", "paths"),
    [
        ({}, []),
        ({"Empty": [], "None": None, "Nothing": {}}, []),
        ({"Principal": {"Service": "ecs", "AWS": "*"}}, ["Says"]),
        ({"Condition": {"Bool": {"a": "b"}}}, ["Says"]),
    ],
)
def test_what_stands_beside_what_is_ours_whole_is_a_difference(beside: JsonObject, paths: list[str]) -> None:
    wanted = {"Says": {"Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs"}}]}}
    seen = {"Says": {"Statement": [{**wanted["Says"]["Statement"][0], **beside}]}}

    found = differences(Ruled(), wanted, seen, None)

    assert [one.path for one in found] == paths
    assert differences(Thing(), wanted, seen, None) == []
    assert len(list(difference_lines(found))) == len(paths)


def test_a_value_not_known_yet_is_a_difference() -> None:
    later = Unknown(Ref("other", "id"))

    assert differences(Thing(), {"To": later}, {"To": "o-1"}, None) == [Difference("To", "o-1", later)]


class Hidden(SecretValue):
    """A secret."""

    def reveal(self, *_: Any) -> str:
        raise AssertionError("nobody asked for it")


class Mute(Thing):
    """A thing whose password AWS never tells."""

    write_only = frozenset({"Password"})


def test_a_secret_is_never_compared() -> None:
    assert differing({"Key": Hidden()}, {"Key": "another"}, {"Key": "(secret)"}) == []


KEPT, LATER = "(secret in arn:1)", Unknown(Ref("secret", "id"))


@pytest.mark.parametrize(
    ("keeper", "confirmed", "differs"),
    [
        ("arn:1", KEPT, False),
        ("arn:2", KEPT, True),
        (LATER, KEPT, True),
        # The state of a version that named no keeper, and a resource that the state did not know.
        ("arn:1", "(secret)", False),
        (LATER, "(secret)", True),
        ("arn:1", None, False),
        (LATER, None, True),
        # A run was to make the keeper again, and ended before the secret was set.
        ("arn:2", StoredSecret(Hidden(), LATER).fingerprint, True),
        (LATER, StoredSecret(Hidden(), LATER).fingerprint, True),
    ],
)
def test_a_secret_that_aws_never_tells_differs_once_what_keeps_it_is_made_anew(
    keeper: Any, confirmed: str | None, *, differs: bool
) -> None:
    before = {"Password": confirmed} if confirmed else None

    found = differences(Mute(), {"Password": StoredSecret(Hidden(), keeper)}, {}, before)

    assert [one.path for one in found] == ["Password"] * differs
    assert differences(Thing(), {"Password": StoredSecret(Hidden(), keeper)}, {}, before) == []


def test_tags_are_owned_whole_except_those_of_aws() -> None:
    seen = {"Name": "n", "Stray": "s", "aws:cloudformation:stack-name": "x"}

    assert tag_differences({"Name": "n", "Project": "p"}, seen) == [
        Difference("Tags.Project", None, "p"),
        Difference("Tags.Stray", "s", None),
    ]


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=5)))
def test_tags_as_wanted_differ_in_nothing(tags: dict[str, str]) -> None:
    assert tag_differences(tags, tags) == []


OLD: JsonObject
NEW: JsonObject
OLD, NEW = {"a": {"Block": {}}, "b": {"Count": {}, "Size": 1}}, {"b": {"Count": {}}}


@pytest.mark.parametrize(
    ("wanted", "seen", "confirmed", "paths"),
    [
        pytest.param({"Rules": NEW}, {"Rules": OLD}, {"Rules": OLD}, ["Rules.a", "Rules.b.Size"], id="nested"),
        pytest.param({"Rules": NEW}, {"Rules": OLD}, {"Rules": NEW}, [], id="never ours"),
        pytest.param({"Rules": NEW}, {"Rules": OLD}, None, [], id="nothing confirmed"),
        pytest.param({"Rules": NEW}, {"Rules": NEW}, {"Rules": OLD}, [], id="gone already"),
        pytest.param({"Rules": NEW}, {"Rules": NEW | {"a": {"Count": {}}}}, {"Rules": OLD}, [], id="another"),
        pytest.param({}, {"Rules": OLD}, {"Rules": OLD}, ["Rules"], id="whole"),
        pytest.param({}, {"Rules": {}}, {"Rules": {}}, [], id="empty"),
        pytest.param({"Rules": [NEW]}, {"Rules": [OLD]}, {"Rules": [OLD]}, ["Rules"], id="in a list"),
        pytest.param({"Rules": [NEW]}, {"Rules": [NEW]}, {"Rules": [OLD]}, [], id="gone from a list"),
        pytest.param({"Rules": [NEW]}, {"Rules": [OLD]}, {"Rules": [NEW]}, [], id="never ours in a list"),
        pytest.param({}, {"Ending": "x"}, {"Ending": "x"}, [], id="never told"),
    ],
)
def test_what_is_no_longer_stated_goes_wherever_it_lies(
    wanted: JsonObject, seen: JsonObject, confirmed: JsonObject | None, paths: list[str]
) -> None:
    assert [one.path for one in differences(Thing(), wanted, seen, confirmed)] == paths
