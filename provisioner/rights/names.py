"""The commands that a policy can be for: a name here, and what it needs in `purposes.py`."""

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
