"""Route 53: a change of records is PENDING until it has reached all name servers."""

from __future__ import annotations

from functools import partial
from uuid import uuid4

from provisioner.emulator.account_store import AccountStore
from provisioner.emulator.clock import clock
from provisioner.emulator.errors import Reply
from provisioner.emulator.hooks import behaviours
from provisioner.emulator.wire import Call

SPREAD = 30.0  # seconds; Route 53 API reference, ChangeResourceRecordSets: within 60 seconds

_pending: AccountStore[str] = AccountStore()  # by the id of the change


@behaviours.after("route53", "ChangeResourceRecordSets")
def change(call: Call, reply: Reply) -> None:
    """Make the change PENDING for a while, under an id of its own."""
    name = f"C{uuid4().hex[:20].upper()}"
    pending = _pending.at(call.account, "")
    pending[name] = "PENDING"
    clock.later(SPREAD, partial(pending.pop, name, None))
    reply["ChangeInfo"] |= {"Id": f"/change/{name}", "Status": "PENDING"}


@behaviours.after("route53", "GetChange")
def status(call: Call, reply: Reply) -> None:
    """Put PENDING into the reply while the change has not reached all name servers."""
    if call.params["Id"].rsplit("/", 1)[-1] in _pending.at(call.account, ""):
        reply["ChangeInfo"]["Status"] = "PENDING"
