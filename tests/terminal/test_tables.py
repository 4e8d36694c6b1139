"""Tables fit the terminal: what gives way is said for each, and what people copy stays whole."""

from __future__ import annotations

import pytest

from provisioner.terminal.tables import Narrowing, table_lines
from tests.terminal.test_fitting import ARN

RUN = "20260101T000000.000Z"


def test_a_table_that_fits_is_aligned_and_not_touched() -> None:
    rows = [("alb", "LoadBalancer", ARN), ("vpc", "Vpc", "vpc-1")]

    for width in (None, 200):
        assert table_lines(rows, ("node", "kind", "id"), width, Narrowing(left_out=("id",), shortened={"id": 9})) == [
            "node  kind          id",
            f"alb   LoadBalancer  {ARN}",
            "vpc   Vpc           vpc-1",
        ]


def test_an_id_loses_its_middle_and_no_more_of_it_than_it_must() -> None:
    lines = table_lines([("alb", ARN), ("vpc", "vpc-1")], ("node", "id"), 40, Narrowing(shortened={"id": 10}))

    assert len(lines[1]) == 40
    assert lines[1].startswith("alb   arn:aws:")
    assert lines[2] == "vpc   vpc-1"


def test_a_column_is_left_out_only_where_it_does_not_fit() -> None:
    rows = [("alb", "create", "starting 1.0 ready 2.0")]
    narrowing = Narrowing(left_out=("stages", "done"))

    assert table_lines(rows, ("node", "done", "stages"), 36, narrowing)[1] == "alb   create  starting 1.0 ready 2.0"
    assert table_lines(rows, ("node", "done", "stages"), 20, narrowing) == ["node  done", "alb   create"]
    assert table_lines(rows, ("node", "done", "stages"), 8, narrowing) == ["node", "alb"]


def test_some_columns_go_below_their_row() -> None:
    rows = [(RUN, "2 to add", "ok", "apply --yes"), (RUN, "", "ok", "plan")]
    narrowing = Narrowing(below=("plan", "typed"))

    assert table_lines(rows, ("run", "plan", "end", "typed"), 30, narrowing) == [
        "run                   end",
        f"{RUN}  ok",
        "    2 to add",
        "    apply --yes",
        f"{RUN}  ok",
        "    plan",
    ]


def test_a_row_goes_on_below_a_value_that_is_too_wide() -> None:
    image, address = "registry.example/an-api:1.4.2", "https://a-long-address-that-people-copy.example"
    rows = [("image", image, "file"), ("address", address, "flag"), ("port", "8080", "default")]

    assert table_lines(rows, ("setting", "value", "from"), 42, Narrowing(continued={"value": 8})) == [
        "setting  value                     from",
        f"image    {image}",
        "                                   file",
        "address",
        f"    {address}",
        "                                   flag",
        "port     8080                      default",
    ]


@pytest.mark.parametrize("width", [10, 24, 60])
def test_no_name_is_ever_cut(width: int) -> None:
    rows = [("sg-tasks-no-default-egress", "DBClusterParameterGroup", "there"), ("vpc", "Vpc", "available")]

    lines = table_lines(rows, ("node", "kind", "live"), width, Narrowing(continued={"live": 5}))

    assert " ".join(lines).split() == ["node", "kind", "live", *rows[0], *rows[1]]
