from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from provisioner.engine.resource_graph.references import (
    Lookup,
    Ref,
    SecretValue,
    Unknown,
    interpolate,
    is_known,
    redact,
    refs_in,
    resolve,
    reveal_secrets,
    value_at,
)

VPC, ZONE = Ref("vpc", "id"), Ref("subnet", "Zones.0")
VALUES = {VPC: "vpc-1", ZONE: "a"}


@dataclass(frozen=True, repr=False)
class Password(SecretValue):
    """A secret that is found through a ref."""

    where: Ref

    def refs(self) -> Iterator[Ref]:
        yield self.where

    def reveal(self, _aws: Any, lookup: Lookup) -> str:
        return f"hunter2 of {lookup(self.where)}"


def known(ref: Ref) -> Any:
    return VALUES.get(ref, Unknown(ref))


@pytest.mark.parametrize(
    "value",
    [
        VPC,
        [VPC],
        (VPC,),
        {"deep": [{"deeper": VPC}]},
        interpolate("arn:{}", VPC),
        interpolate("{}", interpolate("{}", VPC)),
        Password(VPC),
        {"secret": [Password(VPC)]},
    ],
)
def test_a_ref_is_found_wherever_it_stands(value: Any) -> None:
    assert list(refs_in(value)) == [VPC]


@pytest.mark.parametrize("value", ["vpc.id", 1, None, True, {}, [], {"a": ["b"]}])
def test_a_value_without_refs_has_none(value: Any) -> None:
    assert list(refs_in(value)) == []


def test_resolving_puts_values_in_the_place_of_refs() -> None:
    value = {"VpcId": VPC, "Tags": [{"Value": interpolate("{}-{}", VPC, ZONE)}], "Port": 80, "Open": None}

    assert resolve(value, known) == {
        "VpcId": "vpc-1",
        "Tags": [{"Value": "vpc-1-a"}],
        "Port": 80,
        "Open": None,
    }


def test_a_text_with_one_unknown_part_is_unknown_as_a_whole() -> None:
    resolved = resolve(interpolate("{}/{}", VPC, Ref("later", "id")), known)

    assert resolved == Unknown(Ref("later", "id"))
    assert str(resolved) == "(known after apply)"


def test_refs_in_braces_are_not_read_as_a_form() -> None:
    assert resolve(interpolate("{}", Ref("x", "id")), lambda _ref: "{0}{boom}") == "{0}{boom}"


def test_a_ref_reads_as_node_and_path() -> None:
    assert str(ZONE) == "subnet.Zones.0"


@pytest.mark.parametrize(
    ("value", "is_all_known"),
    [
        ({"a": [1, "b", None]}, True),
        ({"a": [Unknown(VPC)]}, False),
        ((Unknown(VPC),), False),
        ({}, True),
    ],
)
def test_one_unknown_anywhere_makes_it_unknown(value: Any, is_all_known: bool) -> None:
    assert is_known(value) is is_all_known


def test_a_secret_never_shows_in_any_text() -> None:
    secret = Password(VPC)

    for shown in (str(secret), repr(secret), f"{secret}", str({"p": secret}), str(redact([secret]))):
        assert "hunter2" not in shown
        assert "(secret)" in shown


def test_a_secret_is_in_the_clear_only_where_it_is_asked_for() -> None:
    assert reveal_secrets({"Password": Password(VPC), "Name": "n"}, None, known) == {
        "Password": "hunter2 of vpc-1",
        "Name": "n",
    }
    assert reveal_secrets([Password(VPC)], None, known) == ["hunter2 of vpc-1"]


def test_what_is_written_down_holds_only_plain_values() -> None:
    value = {"p": Password(VPC), "u": Unknown(VPC), "r": VPC, "l": (1, "x")}

    assert redact(value) == {
        "p": "(secret)",
        "u": "(known after apply)",
        "r": "vpc.id",
        "l": [1, "x"],
    }


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("a.b", 1),
        ("list.1.c", 2),
        ("list.2", None),
        ("a.b.c", None),
        ("missing", None),
        ("list.x", None),
    ],
)
def test_a_path_leads_through_mappings_and_lists(path: str, value: Any) -> None:
    assert value_at({"a": {"b": 1}, "list": [0, {"c": 2}]}, path) == value
