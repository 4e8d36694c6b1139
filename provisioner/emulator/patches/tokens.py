"""Idempotency tokens: a create sent twice with one token makes one resource, and the reply is repeated."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from provisioner.emulator.account_store import AccountStore
from provisioner.emulator.errors import Answered, AwsError, Reply
from provisioner.emulator.hooks import replays
from provisioner.emulator.wire import Call

# botocore ServiceModel: members with the trait idempotencyToken, or so named; moto ignores all of them.
TOKENS = {
    ("ec2", "CreateNatGateway"): "ClientToken",
    ("ec2", "CreateRouteTable"): "ClientToken",
    ("ec2", "CreateVpcEndpoint"): "ClientToken",
    ("ec2", "CreateFlowLogs"): "ClientToken",
    ("acm", "RequestCertificate"): "IdempotencyToken",
    ("ecs", "RunTask"): "clientToken",
}


@dataclass
class Sent:
    """A create that succeeded under a token."""

    params: dict[str, Any]
    reply: Reply


_sent: AccountStore[Sent] = AccountStore()


def _key(call: Call) -> str:
    """Return the key under which a call's reply is kept, empty if the call has no token."""
    token = call.params.get(TOKENS[call.service, call.operation])
    return f"{call.service} {call.operation} {token}" if token else ""


def replay(call: Call) -> None:
    """Repeat the reply to the first call with the token, even if the resource is gone by now, as EC2 does.

    Raises:
        Answered: With the first reply, which no other hook may change.
        AwsError: If the first call with the token had other parameters (EC2 and ECS).

    """
    sent = _sent.of(call).get(_key(call))
    if sent is None:
        return
    if call.service == "ec2" and sent.params != call.params:
        # AWS doc, EC2 API: ensuring idempotency.
        raise AwsError(
            "IdempotentParameterMismatch",
            "The request uses the same client token as a previous, but non-identical request.",
        )
    if call.service == "ecs" and sent.params != call.params:
        # botocore ServiceModel, RunTask: ConflictException.
        raise AwsError("ConflictException", "The request uses the token of another one.")
    raise Answered(copy.deepcopy(sent.reply))


def remember_reply(call: Call, reply: Reply) -> None:
    """Keep a reply under the token of its call."""
    if key := _key(call):
        _sent.of(call)[key] = Sent(call.params, copy.deepcopy(reply))


for _service, _operation in TOKENS:
    replays.before(_service, _operation)(replay)
    replays.after(_service, _operation)(remember_reply)
