"""SNS: nobody reads mail here, and AWS tells of a subscription that was not confirmed after its topic."""

from __future__ import annotations

from functools import partial
from typing import Any

from provisioner.embedded.answers import Reply
from provisioner.embedded.clock import clock
from provisioner.embedded.hooks import always
from provisioner.embedded.inner import do
from provisioner.embedded.shelf import Shelf
from provisioner.embedded.wire import Call

# SNS developer guide, sns-delete-subscription-topic: what is not confirmed goes after 48 hours.
_FORGOTTEN = 48 * 3600.0
_pending: Shelf[dict[str, Any]] = Shelf()


@always.before("sns", "DeleteTopic")
def leave_behind(call: Call) -> None:
    """Keep the subscriptions by mail."""
    topic = call.params["TopicArn"]
    for one in do(call, "sns", "ListSubscriptions")["Subscriptions"]:
        if one["TopicArn"] == topic and one["Protocol"] == "email":
            key = f"{topic} {one['Endpoint']}"
            _pending.of(call)[key] = {**one, "SubscriptionArn": "PendingConfirmation"}
            clock.later(_FORGOTTEN, partial(_pending.of(call).pop, key, None), at_least=3600)


@always.after("sns", "ListSubscriptions")
def still_told(call: Call, reply: Reply) -> None:
    """Tell of them."""
    reply["Subscriptions"] = [*reply.get("Subscriptions", []), *_pending.of(call).values()]
