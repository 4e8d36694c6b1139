"""What people type who know Terraform, Pulumi, Copilot, kubectl or the AWS CLI, and what it is called here.

An unknown word or option is never carried out: the answer names what was meant, or nothing. It never names the
opposite: a word that only adds a prefix to ours, as `undeploy` does to `deploy`, is no slip of the keyboard.
"""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from typing import NoReturn

import click

from provisioner.errors import UsageError
from provisioner.names import PROGRAM

# What other tools call a command of ours. None does the opposite of what its word means elsewhere.
ALIASES = {
    "destroy": "teardown",
    "down": "teardown",
    "up": "apply",
    "preview": "plan",
    "refresh": "drift",
    "output": "outputs",
}
_BEGIN = "A stack begins with `apply --suffix NAME`; `config init` writes a settings file to begin with."
_CHOOSE = "A stack is chosen by --suffix NAME in each command; `list` shows which are known."
_BY_HAND = "No resource of the state is edited by hand: `plan` shows what AWS has and the state does not."
_REPLACE = "What was deleted in AWS is created by the next `apply`; nothing is marked for that."
_SIGN_IN = "`aws sso login` or `aws login` signs in; --aws-profile NAME chooses a profile."
_PAUSE = "A stack is not paused: `scale` sets its tasks, and `teardown` removes it."
_START = "`apply` brings a stack up, `local start` the local AWS."
_IMPORT = "`apply` adopts what exists with the tags of the stack; `state push` brings a state file."
# Words that people type for what another command does: that command, or a sentence; nothing is run. Where two words
# were typed, as in `stack ls`, they are looked up together first.
_MEANT = {
    **dict.fromkeys(("delete", "del", "remove", "rm", "undeploy", "uninstall", "clean", "tear-down"), "teardown"),
    **dict.fromkeys(("stack rm", "app delete", "env delete", "svc delete", "workspace delete"), "teardown"),
    **dict.fromkeys(("create", "launch", "provision", "update", "upgrade", "install"), "apply"),
    **dict.fromkeys(("env deploy", "repair", "fix", "reconcile"), "apply"),
    **dict.fromkeys(("redeploy", "ship", "release", "promote", "svc deploy", "job deploy"), "deploy"),
    **dict.fromkeys(("undo", "revert", "rollout undo", "svc rollback"), "rollback"),
    **dict.fromkeys(("rollout history", "revisions", "versions"), "releases"),
    **dict.fromkeys(("rollout restart", "reload", "bounce", "recycle"), "restart"),
    **dict.fromkeys(("ps", "describe", "info", "health", "events", "top", "rollout", "rollout status"), "status"),
    **dict.fromkeys(("svc", "svc status", "svc show", "app show", "env show", "stack"), "status"),
    **dict.fromkeys(("get", "resources"), "status --resources"),
    **dict.fromkeys(
        ("ls", "stacks", "stack ls", "environments", "app ls", "env ls", "svc ls", "workspace list"), "list"
    ),
    **dict.fromkeys(("ssh", "shell", "attach", "connect", "svc exec", "task exec"), "exec"),
    **dict.fromkeys(("task run", "task", "job run", "job"), "run"),
    **dict.fromkeys(("tail", "log", "svc logs", "job logs"), "logs"),
    **dict.fromkeys(("tunnel", "port-forward", "proxy", "psql", "database"), "db tunnel"),
    **dict.fromkeys(("cost", "price", "prices", "estimate", "validate", "preflight", "what-if"), "plan"),
    **dict.fromkeys(("synth", "synthesize"), "plan --offline"),
    **dict.fromkeys(("check", "diagnose", "debug", "troubleshoot"), "doctor"),
    **dict.fromkeys(("unlock", "force-unlock", "cancel"), "state unlock"),
    **dict.fromkeys(("runs", "stack history"), "history"),
    **dict.fromkeys(("url", "address", "browse", "dashboard"), "open"),
    **dict.fromkeys(("permissions", "policies", "iam"), "policy"),
    **dict.fromkeys(("pipeline", "pipeline init", "pipeline deploy"), "bootstrap"),
    **dict.fromkeys(("autocomplete", "gen-completion", "completions"), "completion"),
    **dict.fromkeys(("localstack", "moto", "emulator"), "local start"),
    **dict.fromkeys(("new", "stack init", "workspace new", "app init", "env init", "svc init"), _BEGIN),
    **dict.fromkeys(("stack select", "workspace select", "workspace", "env", "environment", "app", "use"), _CHOOSE),
    **dict.fromkeys(("taint", "untaint", "replace", "recreate"), _REPLACE),
    **dict.fromkeys(("login", "logout", "whoami", "configure", "auth"), _SIGN_IN),
    **dict.fromkeys(("pause", "resume", "stop", "suspend", "svc pause", "svc resume"), _PAUSE),
    "start": _START,
    "import": _IMPORT,
    "init": "`config init` writes a settings file, `state init` makes the bucket for the states of a team.",
    "settings": "config show",
    "set": "config set",
    "unset": "config unset",
    "schema": "config schema",
    "stack output": "outputs",
    "stack graph": "graph",
    **dict.fromkeys(("pull", "stack export"), "state pull"),
    **dict.fromkeys(("push", "stack import"), "state push"),
    "restore": "state restore",
    "verify": "verify-gone",
    "rotate": "rotate-origin-secret",
    "watch": "status --watch",
    "docs": "help",
    "lock": "Each run takes the lock by itself; `state unlock` frees that of a run that is dead.",
    # Within the groups.
    **dict.fromkeys(("state list", "state ls", "state resources"), "status --cached --resources"),
    **dict.fromkeys(("state show", "state get", "state cat", "state export", "state download"), "state pull"),
    **dict.fromkeys(("state set", "state put", "state upload"), "state push"),
    **dict.fromkeys(("state versions", "state log"), "state history"),
    **dict.fromkeys(("state rollback", "state revert"), "state restore"),
    **dict.fromkeys(("state force-unlock", "state release"), "state unlock"),
    **dict.fromkeys(("state create", "state bootstrap"), "state init"),
    **dict.fromkeys(("state mv", "state rm", "state remove", "state edit", "state replace-provider"), _BY_HAND),
    "state import": _IMPORT,
    "state lock": "Each run takes the lock by itself; `state unlock` frees that of a run that is dead.",
    **dict.fromkeys(("config get", "config list", "config ls", "config print", "config explain"), "config show"),
    **dict.fromkeys(("config rm", "config remove", "config delete", "config reset"), "config unset"),
    **dict.fromkeys(("config add", "config edit", "config put"), "config set"),
    **dict.fromkeys(("config create", "config new", "config generate"), "config init"),
    **dict.fromkeys(("config validate", "config check"), "config show"),
    **dict.fromkeys(("db connect", "db proxy", "db port-forward", "db forward", "db psql", "db shell"), "db tunnel"),
    **dict.fromkeys(("local up", "local run", "local serve", "local create"), "local start"),
    **dict.fromkeys(("local down", "local kill", "local delete", "local destroy"), "local stop"),
    **dict.fromkeys(("local ps", "local info", "local show"), "local status"),
    **dict.fromkeys(("local restart", "local reset"), "`local stop` ends it and all it holds; then `local start`."),
}
_PROFILE = "--aws-profile NAME is the profile of the AWS configuration, --set profile=NAME that of the settings."
_DRY_RUN = "`plan` shows what apply would do, `plan --destroy` what teardown would; others ask before they change."
_FORCE = "--yes leaves the question out, where there is one; the checks are made all the same."
_KEYS = "Credentials come from the AWS configuration or the environment; --aws-profile NAME chooses a profile."
_PAGER = "Leave it out: the output is whole, and no pager is started."
_READS = "`plan` reads AWS each time; `drift` shows only what it finds, and `status --cached` reads the state alone."
_COUNTS = "`scale` sets the number of tasks."
# Options of other tools: the options that do the same here, of which a command's first is named; else a sentence.
_OPTIONS: dict[str, tuple[str, ...] | str] = {
    **dict.fromkeys(("--stack", "--stack-name", "--name", "--app", "--workspace", "--environment"), ("--suffix",)),
    **dict.fromkeys(("--env", "-e"), ("--env", "--suffix")),
    **dict.fromkeys(("-n", "--tail", "--lines", "--max-items", "--max-results"), ("--limit", "--suffix")),
    "--profile": _PROFILE,
    **dict.fromkeys(("--dry-run", "--preview", "--no-execute-changeset", "--dryrun"), ("--dry-run",)),
    **dict.fromkeys(("--assume-yes", "--no-confirm", "--non-interactive", "--no-input", "--input"), ("--yes",)),
    **dict.fromkeys(("--approve", "--accept", "--skip-preview", "--skip-confirmation"), ("--yes",)),
    "--auto-approve": ("--yes",),
    "--force": ("--force",),
    **dict.fromkeys(("--var", "--parameter", "--parameters", "--parameter-overrides", "-p"), ("--set",)),
    **dict.fromkeys(("--var-file", "--config-file", "--settings", "-c"), ("--config",)),
    **dict.fromkeys(("--backend", "--backend-config", "--state-file", "--state-bucket", "--state-out"), ("--state",)),
    **dict.fromkeys(("--target-dependents", "--only", "--resource", "-t"), ("--target",)),
    **dict.fromkeys(("--exclude-protected", "--skip", "--ignore"), ("--exclude",)),
    **dict.fromkeys(("--save-plan", "--plan-file"), ("--out",)),
    **dict.fromkeys(("--expect-no-changes", "--exit-code", "--fail-on-drift"), ("--detailed-exitcode",)),
    **dict.fromkeys(("--output-format", "-o"), ("--output",)),
    "--format": ("--format", "--output"),
    "--out": ("--out", "--output"),
    "-j": ("--json",),
    **dict.fromkeys(("--verbose", "--log-level", "--logtostderr", "-d", "--trace"), ("--debug",)),
    **dict.fromkeys(("--silent", "--suppress-outputs"), ("--quiet",)),
    **dict.fromkeys(("--account", "--account-id"), ("--expect-account",)),
    **dict.fromkeys(("--tag", "--image-tag", "--image-uri"), ("--image",)),
    **dict.fromkeys(("--revision", "--to-revision", "--task-definition"), ("--to",)),
    **dict.fromkeys(("--task-id", "--tasks"), ("--task",)),
    **dict.fromkeys(("--follow", "-f", "--watch"), ("--follow", "--watch")),
    **dict.fromkeys(("--start-time", "--from-time"), ("--since",)),
    **dict.fromkeys(("--end-time", "--to-time"), ("--until",)),
    **dict.fromkeys(("--filter-pattern", "--grep"), ("--filter",)),
    **dict.fromkeys(("--all-stacks", "--all-environments"), ("--all",)),
    "--region-name": ("--region",),
    "--interval": ("--every",),
    "--local-port": ("--port",),
    "--container": ("--service",),
    "--refresh-only": _READS,
    **dict.fromkeys(("--refresh", "--no-refresh"), _READS),
    **dict.fromkeys(("--replace", "--taint"), _REPLACE),
    "--plan": "`plan --out FILE` keeps a plan, and `apply FILE` does exactly that.",
    "--diff": "`plan` shows what apply would change; `apply` shows it too, and asks.",
    "--destroy": "`teardown` removes the stack, and `plan --destroy` shows what that would be.",
    **dict.fromkeys(("--endpoint-url", "--endpoint"), "AWS_ENDPOINT_URL leads all calls to another endpoint."),
    **dict.fromkeys(("--lock", "--no-lock"), "The lock is always taken; --lock-timeout 10m waits for another run."),
    **dict.fromkeys(("--parallelism", "--parallel", "--concurrency"), "Leave it out: what can run at once does."),
    **dict.fromkeys(("--message", "-m"), "Leave it out: `history` names who ran what was typed, and when."),
    **dict.fromkeys(("--cwd", "--chdir", "-C"), "Go to that folder first; ml-api.toml is found from there upwards."),
    **dict.fromkeys(("--color", "--colour"), "Colours are on at a terminal; FORCE_COLOR=1 and --no-color change that."),
    **dict.fromkeys(("--no-cli-pager", "--no-pager", "--no-paginate", "--page-size", "--starting-token"), _PAGER),
    **dict.fromkeys(("--no-verify-ssl", "--ca-bundle"), "AWS_CA_BUNDLE names a file of certificates to trust."),
    **dict.fromkeys(("--access-key", "--secret-key", "--token", "--role-arn", "--assume-role"), _KEYS),
    **dict.fromkeys(("--count", "--desired-count", "--replicas", "--min-capacity", "--max-capacity"), _COUNTS),
    "--command": "Write the command after --, as in `exec -- env`.",
    **dict.fromkeys(("--wait", "--no-wait"), "Leave it out: each command waits until AWS has done it."),
    **dict.fromkeys(("--no-rollback", "--disable-rollback"), "ECS always rolls a failed rollout back."),
    **dict.fromkeys(("--timeout", "--cli-read-timeout", "--cli-connect-timeout"), "Leave it out: each wait ends."),
    **dict.fromkeys(("--reconfigure", "--upgrade", "--migrate-state"), "Leave it out: nothing is to be initialised."),
}
# What is said where a command has none of the options above.
_OTHERWISE = {"--dry-run": _DRY_RUN, "--dryrun": _DRY_RUN, "--preview": _DRY_RUN, "--force": _FORCE, "-f": _FORCE}
# Words as similar as this are taken for a slip of the keyboard.
_SLIP = 0.8


def raise_unknown_command(group: str, words: Sequence[str], known: Collection[str]) -> NoReturn:
    """Raise UsageError for words of which the first is no command.

    `group` is the group in which they were typed, "" for none; `known` are its commands.
    """
    typed = [f"{group} {word}".strip() for word in (" ".join(words[:2]), words[0])]
    meant = next((_MEANT[word] for word in typed if word in _MEANT), "")
    if not meant and (slip := _corrected(words[0], known)):
        meant = f"{group} {ALIASES.get(slip, slip)}".strip()
    hint = meant if "`" in meant or not meant else f"Did you mean `{meant}`?"
    help_page = f"`{PROGRAM} {group}".rstrip() + " --help`"
    raise UsageError(f"There is no command `{typed[-1]}`.", hint or f"{help_page} lists the commands.")


def explain_option(option: str, ctx: click.Context) -> UsageError:
    """Return the error for an option that a command does not have, with what does the same there."""
    own, name = options_of(ctx.command), command_name(ctx)
    named = f"-{option}" if _is_word_with_one_dash(option) else option
    meant = (named,) if named in own else _OPTIONS.get(named, ())
    if isinstance(meant, str):
        hint = meant
    elif same := next((each for each in meant if each in own), None) or _corrected(named, own):
        hint = f"Did you mean {same}?"
    else:
        hint = _OTHERWISE.get(named, f"`{name} --help` lists the options that it has.")
    return UsageError(f"`{name}` has no option {option}.", hint)


def command_name(ctx: click.Context) -> str:
    """Return a command's own name without the program's, such as `db tunnel`; an alias counts as its command."""
    return f"{command_name(ctx.parent)} {ctx.command.name}".strip() if ctx.parent else ""


def options_of(command: click.Command) -> dict[str, click.Option]:
    """Return a command's options by all their names."""
    options = [param for param in command.params if isinstance(param, click.Option) and not param.hidden]
    return {name: option for option in options for name in (*option.opts, *option.secondary_opts)}


def single_dash_option(arguments: Sequence[str], options: Mapping[str, click.Option]) -> str:
    """Return the first option such as Terraform's `-target=x`, without its value; "" if there is none.

    click would read it as a bundle of short options: `-region` as the region `egion`.
    """
    taking = {name for name, option in options.items() if not option.is_flag and not option.count}
    for before, word in pairwise(("", *itertools.takewhile(lambda word: word != "--", arguments))):
        option = word.partition("=")[0]
        is_known = f"-{option}" in _OPTIONS or f"-{option}" in options
        if before not in taking and _is_word_with_one_dash(option) and is_known:
            return option
    return ""


def _is_word_with_one_dash(option: str) -> bool:
    """Return whether an option is a whole word after a single dash."""
    return option[:1] == "-" and option[1:2] != "-" and bool(option[2:])


def _corrected(word: str, known: Collection[str]) -> str | None:
    """Return the known word of which this one is a slip of the keyboard; None if there is none."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=_SLIP)
    return next((each for each in close if not _is_prefixed(word, each) and not _is_prefixed(each, word)), None)


def _is_prefixed(longer: str, shorter: str) -> bool:
    """Return whether a word is another with a prefix such as `un` or `no-`, which makes an opposite of it."""
    longer, shorter = longer.lstrip("-"), shorter.lstrip("-")
    return longer.endswith(shorter) and len(longer) - len(shorter) > 1
