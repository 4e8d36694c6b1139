"""Words and options of Terraform, Pulumi, Copilot, kubectl and the AWS CLI: what is answered to each."""

from __future__ import annotations

import itertools
import re

import pytest

from provisioner.commands import typed_words
from provisioner.commands.command_table import HELP
from provisioner.commands.main import cli
from provisioner.commands.typed_words import ALIASES, options_of
from provisioner.errors import UsageError
from provisioner.names import PROGRAM
from tests.support.commands import leaves
from tests.support.user import User


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("delete", "teardown"),
        ("undeploy", "teardown"),
        ("uninstall", "teardown"),
        ("create", "apply"),
        ("revert", "rollback"),
        ("ssh", "exec"),
        ("unlock", "state unlock"),
        ("deplyo", "deploy"),
        ("stauts", "status"),
        ("destory", "teardown"),
        ("stack rm", "teardown"),
        ("stack output", "outputs"),
        ("rollout undo", "rollback"),
        ("svc logs", "logs"),
        ("state list", "status --cached --resources"),
        ("state show", "state pull"),
        ("state psh", "state push"),
        ("config rm", "config unset"),
        ("db connect", "db tunnel"),
        ("local down", "local stop"),
    ],
)
def test_another_word_is_answered_with_the_command_that_was_meant(typed: str, meant: str, user: User) -> None:
    told = user.run(*typed.split(), local=False)

    assert told.code == 64
    assert re.search(rf"There is no command `{typed}`|There is no command `{typed.split(maxsplit=1)[0]}`", told.err)
    assert f"Did you mean `{PROGRAM} {meant}`?" in told.err


def _commands_in(hint: str) -> list[list[str]]:
    """The words of each command that a hint names."""
    quoted = re.findall(r"`([^`]+)`", hint) if "`" in hint else [hint]
    known = [text.split() for text in quoted if not text.startswith("aws ")]
    return [[word for word in words if word not in ("NAME", "N", "FILE", "env", "--")] for words in known]


@pytest.mark.parametrize("typed", typed_words._MEANT)
def test_what_was_meant_is_a_command_with_such_options(typed: str) -> None:
    group, _, word = typed.rpartition(" ")
    within = group if group in HELP else ""

    assert (typed if within else typed.split(maxsplit=1)[0]) not in (*leaves(cli), *ALIASES)
    for words in _commands_in(typed_words._MEANT[typed]):
        name = " ".join(itertools.takewhile(lambda word: not word.startswith("-"), words))
        assert {word for word in words if word.startswith("-")} <= options_of(leaves(cli)[name]).keys(), name
    with pytest.raises(UsageError) as caught:
        typed_words.raise_unknown_command(within, [word] if within else typed.split(), [])
    assert typed_words._MEANT[typed] in caught.value.hint


@pytest.mark.parametrize("option", typed_words._OPTIONS)
def test_an_option_of_another_tool_leads_to_one_of_ours(option: str) -> None:
    everywhere = {name for command in leaves(cli).values() for name in options_of(command)}
    meant = typed_words._OPTIONS[option]

    if isinstance(meant, str):
        assert set(re.findall(r"(?<![\w-])--[a-z-]+", meant)) <= everywhere | {"--"}
        for words in _commands_in(meant) if "`" in meant else ():
            assert words[0] in HELP
    else:
        assert set(meant) <= everywhere


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("plan --name prod", "Did you mean --suffix?"),
        ("plan --stack prod", "Did you mean --suffix?"),
        ("apply --env prod", "Did you mean --suffix?"),
        ("deploy -e A=b", "Did you mean --env?"),
        ("logs -n 10", "Did you mean --limit?"),
        ("status -n prod", "Did you mean --suffix?"),
        ("plan --profile prod", "--aws-profile NAME is the profile of the AWS configuration, --set profile=NAME that"),
        ("apply --dry-run", "plan --suffix prod` shows what apply would do"),
        ("teardown --force", "--yes leaves the question out"),
        ("apply -auto-approve", "Did you mean --auto-approve?"),
        ("apply -var=service.maximum=3", "Did you mean --set?"),
        ("plan -refresh-only", "drift --suffix prod` shows only what it finds"),
        ("plan -region eu-west-1", "Did you mean --region?"),
        ("apply --non-interactive", "Did you mean --yes?"),
        ("plan --sufix prod", "Did you mean --suffix?"),
        ("state pull --frobnicate", f"`{PROGRAM} state pull --help` lists the options that it has."),
    ],
)
def test_an_option_of_another_tool_is_answered_with_ours(typed: str, hint: str, user: User) -> None:
    told = user.run(*typed.split(), "-s", "prod", local=False)

    assert told.code == 64
    assert re.match(r"Error: `[a-z ]+` has no option -", told.err)
    assert hint in told.err
    assert "efresh" not in told.err.replace("refresh", "")


def test_options_before_the_command_are_answered_with_where_they_go(user: User) -> None:
    told = user.run("-s", "prod", "plan", local=False)

    assert (told.code, told.out) == (64, "")
    assert told.err == (
        "Error: There is no option -s before the command.\n"
        f"Write it after the command, as in `{PROGRAM} status --suffix prod`.\n"
    )


@pytest.mark.parametrize("prefix", ["un", "de", "dis", "no-", "non-", "anti", "re"])
def test_no_hint_names_the_opposite_of_what_was_meant(prefix: str) -> None:
    for name in (*HELP, *ALIASES):
        with pytest.raises(UsageError) as caught:
            typed_words.raise_unknown_command("", [f"{prefix}{name}"], (*HELP, *ALIASES))
        assert f"`{name}`" not in caught.value.hint or f"{prefix}{name}" in typed_words._MEANT
    for group, word in (("state", "lock"), ("config", "reset")):
        with pytest.raises(UsageError) as caught:
            typed_words.raise_unknown_command(group, [word], ("unlock", "unset"))
        assert f"Did you mean `{group} un{word}`" not in caught.value.hint
