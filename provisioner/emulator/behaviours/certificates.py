"""ACM and Route 53: a certificate counts as in use for a while longer, and a change of records is PENDING at first."""

from __future__ import annotations

from functools import partial
from uuid import uuid4

from provisioner.emulator.account_store import AccountStore
from provisioner.emulator.clock import clock
from provisioner.emulator.errors import Reply
from provisioner.emulator.hooks import behaviours
from provisioner.emulator.patches.acm import in_use_error, shown
from provisioner.emulator.wire import Call

LINGER = 60.0  # seconds; terraform-provider-aws acm/certificate.go waits for up to 20 minutes
SPREAD = 30.0  # seconds; Route 53 API reference, ChangeResourceRecordSets: within 60 seconds
_ELB = ("ModifyListener", "DeleteListener", "DeleteLoadBalancer")
_EDGE = ("UpdateDistribution", "DeleteDistribution")

_shown: AccountStore[set[str]] = AccountStore()  # the certificates in use before the current call
_pending: AccountStore[str] = AccountStore()  # by the id of a change of records
_lately: AccountStore[str] = AccountStore()  # by ARN: the certificates whose use ended a moment ago


@behaviours.before("elbv2", *_ELB)
@behaviours.before("cloudfront", *_EDGE)
def remember_used(call: Call) -> None:
    """Remember which certificates are in use before a call that may end a use."""
    _shown.at(call.account, "")["before"] = shown(call.account)


@behaviours.after("elbv2", *_ELB)
@behaviours.after("cloudfront", *_EDGE)
def mark_released(call: Call, _: Reply) -> None:
    """Mark the certificates whose use the call ended: ACM regards them as in use for a while longer."""
    lately = _lately.at(call.account, "")
    for arn in _shown.at(call.account, "")["before"] - shown(call.account):
        lately[arn] = call.operation
        clock.later(LINGER, partial(lately.pop, arn, None))


@behaviours.before("acm", "DeleteCertificate")
def delete(call: Call) -> None:
    """Refuse to delete a certificate whose use ended a moment ago.

    Raises:
        AwsError: The error of a certificate in use.

    """
    if call.params["CertificateArn"] in _lately.at(call.account, ""):
        raise in_use_error(call)


@behaviours.after("route53", "ChangeResourceRecordSets")
def delay_change(call: Call, reply: Reply) -> None:
    """Make the change PENDING for a while, under an id of its own."""
    name = f"C{uuid4().hex[:20].upper()}"
    pending = _pending.at(call.account, "")
    pending[name] = "PENDING"
    clock.later(SPREAD, partial(pending.pop, name, None))
    reply["ChangeInfo"] |= {"Id": f"/change/{name}", "Status": "PENDING"}


@behaviours.after("route53", "GetChange")
def pending_status(call: Call, reply: Reply) -> None:
    """Put PENDING into the reply while the change has not reached all name servers."""
    if call.params["Id"].rsplit("/", 1)[-1] in _pending.at(call.account, ""):
        reply["ChangeInfo"]["Status"] = "PENDING"
