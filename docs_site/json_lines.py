"""What each JSON line of a command holds, in words; a test holds the keys against what the commands print."""

from __future__ import annotations

_SUFFIX = {"suffix": "the stack"}
_SERVICE = {"service": "the service"}

# By the `type` of a line: which commands print it, and its fields. A field of a field is written `field.part`.
LINES: dict[str, tuple[str, dict[str, str]]] = {
    "plan": (
        "`plan`, `apply`, `teardown --dry-run`",
        {
            **_SUFFIX,
            "notes": "sentences to read the plan with",
            "summary": "counts: `add`, `change`, `destroy`, `finish`, `adopt`, `release`, `refused`, and `roles` of "
            "the account, which are counted nowhere else",
            "changes": "a list; each with `action` (`create`, `update`, `replace`, `delete`, `release`, `finish`, "
            "`refuse`, or `keep` of an adopted one), `node`, `piece` (the step), `kind` (the type), `name`, `id`, "
            "`adopts`, `reason`, what it `loses`, `fields[]` with `path`, `old` and `new`, `removes[]` of what was "
            "added by hand, and `properties` of a new one; with `--destroy` also its `wave`, and why it `stays`",
            "held": "what others own: `address`, `path`, `old` (AWS), `new` (the settings), `owner`",
            "cost": "`before`, `after` and `lines`, each with `least` and `most` in USD a month; `profiles`: the same "
            "in the other profile; `region`, `prices_as_of`, `prices_of_another_region`, `not_counted`, `not_priced`",
            "time": "`seconds`, whether `measured`, `longest_chain[]` with `node` and `seconds`",
            "findings": "what would fail halfway: `address`, `what`, `hint`, `blocks`, `limit`, `used`, `needed`",
            "destroy": "true in the plan of a teardown",
        },
    ),
    "graph": (
        "`plan --offline`",
        {
            **_SUFFIX,
            "region": "the region",
            "nodes": "the declared resources, each with `properties`, `tags` and what it comes `after`",
            "outputs": "the outputs, as references",
        },
    ),
    "event": (
        "every command that changes something, one line for each stage of a resource",
        {
            "what": "the stage: `starting`, `exists`, `waiting`, `ready`, `deleted`, `gone`, `failed` and others",
            "node": "the resource",
            "verb": "`create`, `update`, `replace` or `delete`",
            "detail": "more about the stage",
            "seconds": "how long it took so far",
            "id": "its id in AWS",
        },
    ),
    "outputs": ("`apply`, `outputs`", {"outputs": "the outputs by name"}),
    "status": (
        "`status`",
        {
            **_SUFFIX,
            "well": "whether all is healthy",
            "resources": "each with `node`, `kind`, `phase` and `id`, and its state in AWS unless `--cached`",
            "health": "by topic, lines with `name`, `mark` (`well`, `unwell`, `unknown`, `told`), `says`, and numbers",
            "outputs": "the outputs by name; empty after a teardown that has not ended",
            "unfinished": "since when a teardown is unfinished, else empty",
            "cached": "true with `--cached`",
        },
    ),
    "drift": (
        "`drift`",
        {
            **_SUFFIX,
            "drift": "a list; each with `what` (`altered`, `gone`, `failed`, `unknown`, `extra`, `held`), `node`, "
            "`piece`, `kind`, `name`, `id`, `remedy`, `extra`, and `fields[]` with `path`, `ledger` (the state), "
            "`aws`, `wanted` (the settings) and `owner`",
            "unfinished": "resources whose last change has not ended",
            "undeclared": "resources of the state that are declared no more",
            "in_progress": "resources that AWS still changes",
            "under_way": "the run that is at work, empty if none is",
            "unlisted": "what could not be listed, with the reason",
            "summary": "counts by `what`",
        },
    ),
    "doctor": (
        "`doctor`",
        {
            **_SUFFIX,
            "checks": "every check: see `doctor --json` below",
            "first": "the first that is wrong, null if none is",
        },
    ),
    "deployment": (
        "`deploy`, `rollback`, `restart`, a line whenever something changed",
        {
            **_SERVICE,
            "revision": "the task definition",
            "status": "ECS's word",
            "why": "ECS's reason",
            "running": "tasks that run",
            "wanted": "tasks that should run",
            "failed": "tasks that failed",
            "lifecycle": "the lifecycle stage, with a strategy of ECS",
            "waits": "the hook that it waits for",
        },
    ),
    "smoke": (
        "`deploy`, `rollback`, `restart`, a line for each request",
        {
            "via": "over which address",
            "path": "the path",
            "status": "the status code, null without an answer",
            "why": "why there was no answer",
            "is_asked": "false if the way is closed on purpose",
            "well": "whether that is as it should be",
            "words": "the same in words",
        },
    ),
    "release": (
        "`deploy`, `rollback`",
        {**_SERVICE, "revision": "its number", "arn": "the task definition", "image": "the image"},
    ),
    "releases": ("`releases`", {**_SERVICE, "releases": "what the service ran and could run: see below"}),
    "scale": ("`scale`", {**_SERVICE, "minimum": "tasks at least", "maximum": "tasks at most"}),
    "restart": ("`restart`", {**_SERVICE, "revision": "the number of the revision"}),
    "log": (
        "`logs`",
        {
            "time": "when it was written",
            **_SERVICE,
            "container": "the container",
            "task": "the task",
            "id": "stays the same for a line that is read again",
            "message": "the text",
        },
    ),
    "history": ("`history`", {"runs": "the runs, without resources and calls: see below"}),
    "diff": (
        "`diff`",
        {
            "runs": "both runs",
            "took": "seconds of both",
            "typed": "what was typed, of both",
            **dict.fromkeys(("settings", "plan", "steps", "seconds", "calls", "result"), "what differs, as pairs"),
        },
    ),
    "list": ("`list`", {"stacks": "the stacks that are known here", "damaged": "states that can not be read"}),
    "state_history": ("`state history`", {**_SUFFIX, "versions": "the versions: see below"}),
    "state_init": (
        "`state init`",
        {
            "bucket": "the bucket",
            "region": "its region",
            "made": "whether it was made now",
            "measures": "what holds for it",
            "left_out": "what the store does not know",
        },
    ),
    "config": ("`config show`", {"settings": "each with `setting`, `value` and `source`"}),
    "config_set": (
        "`config set`, `config unset`",
        {"file": "the file", "setting": "the key", "value": "the value, null if taken out", "was_set": "if taken out"},
    ),
    "config_init": ("`config init`", {"file": "the file that was written"}),
    "policy": (
        "`policy`",
        {"purpose": "the command that they are for", **_SUFFIX, "policies": "the policy documents"},
    ),
    "bootstrap": (
        "`bootstrap`",
        {
            "role": "the role's name",
            "made": "whether it was made now",
            "trust": "its trust policy",
            "policies": "its policies by name",
            "boundaries": "the permissions boundaries by name",
        },
    ),
    "state_push": ("`state push`", {**_SUFFIX, "serial": "its serial now", "resources": "how many it holds"}),
    "state_restore": ("`state restore`", {**_SUFFIX, "serial": "its serial now", "resources": "how many it holds"}),
    "state_unlock": ("`state unlock`", {**_SUFFIX, "freed": "the holder, null if there was none"}),
    "rotation": ("`rotate-origin-secret`", {**_SUFFIX}),
    "version": ("`version`", {"version": "the version of ml-api"}),
    "open": ("`open`", {**_SUFFIX, "url": "the stack's address"}),
    "report": (
        "`report`",
        {
            **_SUFFIX,
            "file": "the page",
            "live": "whether AWS answered",
            "unwell": "what is unhealthy, by topic",
        },
    ),
    "local": (
        "`local status`, `local start`, `local stop`",
        {
            "running": "whether it runs",
            "endpoint": "its address",
            "pid": "its process",
            "since": "since when",
            "pace": "its speed: 0 is instant, 1 is AWS's",
            "manners": "whether it behaves as AWS, or as plain moto",
            "account": "`plain` or `strict`",
            "stopped": "whether it was ended now",
        },
    ),
    "error": (
        "every command that fails, as the last line",
        {
            "result": "a word for the kind of error: see [Exit codes](exit-codes.md)",
            "message": "what happened, to which resource",
            "hint": "what to type next",
        },
    ),
}
