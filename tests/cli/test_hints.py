"""What a hint tells to type: it speaks of the stack, and of the AWS, that was typed."""

from __future__ import annotations

import pytest

from provisioner.commands.hints import complete_hint
from provisioner.commands.main import cli
from provisioner.names import PROGRAM
from tests.support.user import User

TYPED = ["apply", "--suffix", "prod", "--local", "--config", "my file.toml", "--set", "network.zones=2"]


@pytest.mark.parametrize(
    ("hint", "told"),
    [
        ("`apply` makes it.", "`{p} apply --suffix prod --config 'my file.toml' --local` makes it."),
        ("See `status`.", "See `{p} status --suffix prod --config 'my file.toml' --local`."),
        (
            f"`{PROGRAM} plan --suffix NAME --out FILE`",
            "`{p} plan --suffix prod --out FILE --config 'my file.toml' --local`",
        ),
        (
            f"`{PROGRAM} doctor --suffix prod --local`",
            "`{p} doctor --suffix prod --local --config 'my file.toml'`",
        ),
        ("`local stop` ends it", "`{p} local stop` ends it"),
        (f"`{PROGRAM} list` shows them", "`{p} list --config 'my file.toml' --local` shows them"),
        ("`run -- ls` again", "`{p} run --suffix prod --config 'my file.toml' --local -- ls` again"),
        ("`aws sso login`, `network.zones`, `--yes`", "`aws sso login`, `network.zones`, `--yes`"),
    ],
)
def test_a_command_in_a_hint_repeats_what_was_typed(hint: str, told: str) -> None:
    assert complete_hint(hint, TYPED, cli) == told.format(p=PROGRAM)


def test_what_was_not_typed_is_not_added() -> None:
    assert complete_hint("`apply` makes it.", ["deploy", "--", "--local"], cli) == f"`{PROGRAM} apply` makes it."


def test_a_process_tells_how_to_look_for_a_stack_in_the_same_place(user: User) -> None:
    ran = user.process("status", "--suffix", "none", "--local")

    assert ran.code == 6
    assert "cli.py plan --suffix none --local` shows" in ran.err


def test_a_region_that_is_misspelt_is_told_as_that_where_the_stack_is_known(user: User) -> None:
    user.apply("typo")

    ran = user.run("plan", "--suffix", "typo", "--region", "us-esat-1")

    assert ran.code == 64
    assert "There is no AWS region us-esat-1" in ran.err
    assert "Did you mean `--region us-east-1` or" in ran.err
