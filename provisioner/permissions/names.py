"""The commands for which `policy` prints a policy; `commands.py` says what each of them needs."""

NAMES = (
    "plan",
    "status",
    "drift",
    "apply",
    "deploy",
    "logs",
    "exec",
    "doctor",
    "rotate-origin-secret",
    "teardown",
    "verify-gone",
    "bootstrap",
)
