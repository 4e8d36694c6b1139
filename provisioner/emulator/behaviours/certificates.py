"""Certificates: ACM regards one as in use for a while after its last user has gone."""

from __future__ import annotations

from functools import partial

from provisioner.emulator.account_store import AccountStore
from provisioner.emulator.clock import clock
from provisioner.emulator.errors import Reply
from provisioner.emulator.hooks import behaviours
from provisioner.emulator.patches.acm import held, shown
from provisioner.emulator.wire import Call

LINGER = 60.0  # seconds; terraform-provider-aws acm/certificate.go waits for up to 20 minutes
_ELB = ("ModifyListener", "DeleteListener", "DeleteLoadBalancer")
_EDGE = ("UpdateDistribution", "DeleteDistribution")

_shown: AccountStore[set[str]] = AccountStore()  # the certificates in use before the current call
_lately: AccountStore[str] = AccountStore()  # by ARN: the certificates whose use ended a moment ago


@behaviours.before("elbv2", *_ELB)
@behaviours.before("cloudfront", *_EDGE)
def remember(call: Call) -> None:
    """Remember which certificates are in use before a call that may end a use."""
    _shown.at(call.account, "")["before"] = shown(call.account)


@behaviours.after("elbv2", *_ELB)
@behaviours.after("cloudfront", *_EDGE)
def given_up(call: Call, _: Reply) -> None:
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
        raise held(call)
