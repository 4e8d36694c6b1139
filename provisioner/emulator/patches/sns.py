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


def _awaits_confirmation(call: Call, subscription: dict[str, Any]) -> bool:
    """Return whether a subscription is by mail and not confirmed."""
    return subscription["Protocol"] in _MAIL and _key(
        subscription["TopicArn"], subscription["Endpoint"]
    ) not in _confirmed.of(call)


@always.after("sns", "Subscribe")
def hide_unconfirmed_arn(call: Call, reply: Reply) -> None:
    """Hide the ARN of a subscription by mail until it is confirmed (SNS API reference, Subscribe)."""
    request = {**call.params, "Endpoint": call.params.get("Endpoint", "")}
    if _awaits_confirmation(call, request) and not call.params.get("ReturnSubscriptionArn"):
        reply["SubscriptionArn"] = "pending confirmation"


@always.after("sns", "ConfirmSubscription")
def confirm(call: Call, _: Reply) -> None:
    """Confirm all subscriptions of a topic, since no mail with a token of its own is sent here."""
    topic = call.params["TopicArn"]
    for subscription in list_moto(call, "sns", "ListSubscriptionsByTopic", TopicArn=topic)["Subscriptions"]:
        _confirmed.of(call)[_key(topic, subscription["Endpoint"])] = True


@always.before("sns", "Unsubscribe")
def end_subscription(call: Call) -> None:
    """Refuse to end an unconfirmed subscription, which has no ARN; forget the confirmation of any other.

    A later subscription of the same address has to be confirmed again.
    """
    arn = call.params["SubscriptionArn"]
    if not arn.startswith("arn:"):
        raise AwsError("InvalidParameter", "Invalid parameter: SubscriptionArn")
    for subscription in list_moto(call, "sns", "ListSubscriptions")["Subscriptions"]:
        if subscription["SubscriptionArn"] == arn:
            _confirmed.of(call).pop(_key(subscription["TopicArn"], subscription["Endpoint"]), None)


@always.before("sns", "DeleteTopic")
def keep_unconfirmed(call: Call) -> None:
    """Keep a deleted topic's unconfirmed subscriptions by mail, which AWS lists for 48 more hours."""
    topic = call.params["TopicArn"]
    for subscription in list_moto(call, "sns", "ListSubscriptions")["Subscriptions"]:
        if subscription["TopicArn"] == topic and _awaits_confirmation(call, subscription):
            key = _key(topic, subscription["Endpoint"])
            _pending.of(call)[key] = {**subscription, "SubscriptionArn": _PENDING}
            clock.later(_FORGOTTEN, partial(_pending.of(call).pop, key, None), at_least=3600)


@always.after("sns", "ListSubscriptions", "ListSubscriptionsByTopic")
def list_unconfirmed(call: Call, reply: Reply) -> None:
    """Hide the ARNs of unconfirmed subscriptions, and list subscriptions that outlived their topic."""
    subscriptions = [
        {**subscription, "SubscriptionArn": _PENDING} if _awaits_confirmation(call, subscription) else subscription
        for subscription in reply.get("Subscriptions", [])
    ]
    outliving = _pending.of(call).values() if call.operation == "ListSubscriptions" else ()
    reply["Subscriptions"] = [*subscriptions, *outliving]
