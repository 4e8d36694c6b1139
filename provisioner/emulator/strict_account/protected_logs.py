"""An organisation that turns on deletion protection for each new log group."""

from __future__ import annotations

from provisioner.emulator.answers import Reply
from provisioner.emulator.hooks import strict
from provisioner.emulator.patches.logs import protect
from provisioner.emulator.wire import Call


@strict.after("logs", "CreateLogGroup")
def protect_new(call: Call, _: Reply) -> None:
    """Turn on the deletion protection of a new log group."""
    protect(call, call.params["logGroupName"], on=True)
