"""SNS: subscriptions by mail await confirmation; unconfirmed ones stay listed after their topic is gone."""

from __future__ import annotations

from functools import partial
from typing import Any

from provisioner.emulator.account_store import AccountStore
from provisioner.emulator.clock import clock
from provisioner.emulator.errors import AwsError, Reply
from provisioner.emulator.hooks import always
from provisioner.emulator.moto_bridge import list_moto
from provisioner.emulator.wire import Call

# SNS developer guide, sns-delete-subscription-topic: unconfirmed subscriptions go after 48 hours.
_FORGOTTEN = 48 * 3600.0
_PENDING = "PendingConfirmation"
_MAIL = ("email", "email-json")
# By topic and address: confirmed subscriptions, and unconfirmed ones whose topic was deleted.
_confirmed: AccountStore[bool] = AccountStore()
_pending: AccountStore[dict[str, Any]] = AccountStore()


def _key(topic: str, endpoint: str) -> str:
    """Return the key of a subscription: its topic and its address."""
    return f"{topic} {endpoint}"


def _waits(call: Call, one: dict[str, Any]) -> bool:
    """Return whether a subscription is by mail and not confirmed."""
    return one["Protocol"] in _MAIL and _key(one["TopicArn"], one["Endpoint"]) not in _confirmed.of(call)


@always.after("sns", "Subscribe")
def ask(call: Call, reply: Reply) -> None:
    """Hide the ARN of a subscription by mail until it is confirmed (SNS API reference, Subscribe)."""
    asked = {**call.params, "Endpoint": call.params.get("Endpoint", "")}
    if _waits(call, asked) and not call.params.get("ReturnSubscriptionArn"):
        reply["SubscriptionArn"] = "pending confirmation"


@always.after("sns", "ConfirmSubscription")
def confirm(call: Call, _: Reply) -> None:
    """Confirm all subscriptions of a topic, since no mail with a token of its own is sent here."""
    topic = call.params["TopicArn"]
    for one in list_moto(call, "sns", "ListSubscriptionsByTopic", TopicArn=topic)["Subscriptions"]:
        _confirmed.of(call)[_key(topic, one["Endpoint"])] = True


@always.before("sns", "Unsubscribe")
def end(call: Call) -> None:
    """Refuse to end an unconfirmed subscription, which has no ARN; forget the confirmation of any other.

    A later subscription of the same address has to be confirmed again.
    """
    arn = call.params["SubscriptionArn"]
    if not arn.startswith("arn:"):
        raise AwsError("InvalidParameter", "Invalid parameter: SubscriptionArn")
    for one in list_moto(call, "sns", "ListSubscriptions")["Subscriptions"]:
        if one["SubscriptionArn"] == arn:
            _confirmed.of(call).pop(_key(one["TopicArn"], one["Endpoint"]), None)


@always.before("sns", "DeleteTopic")
def leave_behind(call: Call) -> None:
    """Keep a deleted topic's unconfirmed subscriptions by mail, which AWS lists for 48 more hours."""
    topic = call.params["TopicArn"]
    for one in list_moto(call, "sns", "ListSubscriptions")["Subscriptions"]:
        if one["TopicArn"] == topic and _waits(call, one):
            key = _key(topic, one["Endpoint"])
            _pending.of(call)[key] = {**one, "SubscriptionArn": _PENDING}
            clock.later(_FORGOTTEN, partial(_pending.of(call).pop, key, None), at_least=3600)


@always.after("sns", "ListSubscriptions", "ListSubscriptionsByTopic")
def still_told(call: Call, reply: Reply) -> None:
    """Hide the ARNs of unconfirmed subscriptions, and list subscriptions that outlived their topic."""
    listed = [
        {**one, "SubscriptionArn": _PENDING} if _waits(call, one) else one for one in reply.get("Subscriptions", [])
    ]
    left = _pending.of(call).values() if call.operation == "ListSubscriptions" else ()
    reply["Subscriptions"] = [*listed, *left]
