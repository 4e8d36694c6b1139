"""The IAM permissions that each command needs, derived from the declared graph and the calls of its types."""

# The commands for which `policy` prints a policy; `commands.py` says what each of them needs. They are here so that
# the command line can list them without importing the rest.
COMMAND_NAMES = (
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
