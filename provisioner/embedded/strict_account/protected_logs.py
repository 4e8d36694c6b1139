"""An organisation that protects each log group against deletion as soon as it is made."""

from __future__ import annotations

from provisioner.embedded.answers import Reply
from provisioner.embedded.corrections.logs import protect
from provisioner.embedded.hooks import strict
from provisioner.embedded.wire import Call


@strict.after("logs", "CreateLogGroup")
def protect_new(call: Call, _: Reply) -> None:
    """Turn the protection of a new group on."""
    protect(call, call.params["logGroupName"], on=True)
