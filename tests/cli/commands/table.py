"""The verbs, a row each: how it is typed, what it asks of AWS and of a person, how it ends without."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

import click

from provisioner.commands.main import cli
from tests.support.live_stack import SUFFIX
from tests.support.user import CommandResult, User

# Any name is right: a new one is a new stack, or no stack is meant.
ANY = None


@dataclass(frozen=True)
class Row:
    """One verb, as somebody types it; `behind` is the command that stands behind `--`."""

    typed: str
    behind: str = ""
    # The exit code with the suffix of a stack that nobody knows; and without one, where none is known.
    strange: int | None = 6
    nameless: int | None = 6
    # A call without which it is of no use; where it makes none, credentials are nothing to it.
    call: str = ""
    # Whether a person is asked, of a stack as it stands in these tests, before something changes.
    asks: bool = False
    # Whether it can be rehearsed, and whether it speaks of one stack.
    local: bool = True
    of_a_stack: bool = True

    def line(self, suffix: str = SUFFIX, *flags: str) -> list[str]:
        """The arguments; without a suffix where it is empty."""
        where = ["--local"] * self.local + ["--suffix", suffix] * (self.of_a_stack and bool(suffix))
        behind = ["--", *shlex.split(self.behind)] if self.behind else []
        return [*shlex.split(self.typed), *where, *flags, *behind]

    def run(self, user: User, suffix: str = SUFFIX, *flags: str) -> CommandResult:
        """It, in this process."""
        return user.run(*self.line(suffix, *flags), local=False)

    def process(self, user: User, suffix: str = SUFFIX, *flags: str) -> CommandResult:
        """It, as a user starts it."""
        return user.process(*self.line(suffix, *flags))


_WHO, _NETWORK = "sts:GetCallerIdentity", "ec2:DescribeVpcs"
_ROLLS, _SCALES = "ecs:UpdateService", "application-autoscaling:RegisterScalableTarget"
_PIPELINE = "bootstrap --repo acme/api --branch main"

ROWS = {
    "apply": Row("apply", strange=ANY, nameless=64, call=_NETWORK, asks=True),
    "plan": Row("plan", strange=ANY, nameless=64, call=_NETWORK),
    "drift": Row("drift", call=_NETWORK),
    "graph": Row("graph", strange=ANY, nameless=64),
    "status": Row("status", call="elbv2:DescribeTargetHealth"),
    "outputs": Row("outputs"),
    "logs": Row("logs", call="logs:FilterLogEvents"),
    "exec": Row("exec", "true", call="ecs:ExecuteCommand"),
    "db tunnel": Row("db tunnel", call="ssm:StartSession"),
    "open": Row("open --print"),
    "doctor": Row("doctor", call="elbv2:DescribeListeners"),
    "deploy": Row("deploy --image shipped:2", call="ecs:RegisterTaskDefinition", asks=True),
    "rollback": Row("rollback", call=_ROLLS, asks=True),
    "releases": Row("releases", call="ecs:ListTaskDefinitions"),
    "restart": Row("restart", call=_ROLLS, asks=True),
    "scale": Row("scale --max 7", call=_SCALES, asks=True),
    "run": Row("run", "true", call="ecs:RunTask", asks=True),
    "teardown": Row("teardown", call=_NETWORK, asks=True),
    "verify-gone": Row("verify-gone", strange=ANY, nameless=64, call=_NETWORK),
    "list": Row("list", strange=ANY, nameless=ANY, of_a_stack=False),
    "timeline": Row("timeline"),
    "history": Row("history"),
    "show": Row("show"),
    "diff": Row("diff"),
    "report": Row("report --html page.html", call=_WHO),
    "policy": Row("policy", strange=ANY, nameless=64),
    "bootstrap": Row(_PIPELINE, strange=ANY, nameless=64),
    "rotate-origin-secret": Row("rotate-origin-secret", call=_WHO),
    "state pull": Row("state pull"),
    "state push": Row("state push ledger.json", strange=ANY),
    "state history": Row("state history"),
    "state restore": Row("state restore 2026"),
    "state unlock": Row("state unlock", strange=ANY),
    "state init": Row("state init --state s3://team/x", "", ANY, ANY, call=_WHO, asks=True, of_a_stack=False),
    "completion": Row("completion bash", "", ANY, ANY, local=False, of_a_stack=False),
    "config show": Row("config show", "", ANY, ANY, local=False, of_a_stack=False),
    "config schema": Row("config schema", "", ANY, ANY, local=False, of_a_stack=False),
    "config init": Row("config init", "", ANY, ANY, local=False, of_a_stack=False),
    "config set": Row(
        "config set service.maximum=9 --config settings.toml",
        strange=ANY,
        nameless=ANY,
        local=False,
        of_a_stack=False,
    ),
    "config unset": Row(
        "config unset service.maximum --config settings.toml",
        strange=ANY,
        nameless=ANY,
        local=False,
        of_a_stack=False,
    ),
    "help": Row("help apply", strange=ANY, nameless=ANY, local=False, of_a_stack=False),
    "version": Row("version", strange=ANY, nameless=ANY, local=False, of_a_stack=False),
    "local start": Row("local start", "", ANY, ANY, local=False, of_a_stack=False),
    "local stop": Row("local stop", "", ANY, ANY, local=False, of_a_stack=False),
    "local status": Row("local status", "", ANY, ANY, local=False, of_a_stack=False),
}


def typed(group: click.Group = cli, before: str = "") -> Iterator[str]:
    """Every verb that the command line has, as it is typed."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from typed(command, f"{before}{name} ")
        else:
            yield f"{before}{name}"
