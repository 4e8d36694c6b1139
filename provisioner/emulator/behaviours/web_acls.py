"""Web ACLs: WAF refuses to delete one while a distribution uses it, and for a while after that."""

from __future__ import annotations

from functools import partial

from provisioner.emulator.account_store import AccountStore
from provisioner.emulator.clock import clock
from provisioner.emulator.errors import AwsError, Reply
from provisioner.emulator.hooks import behaviours
from provisioner.emulator.moto_bridge import backend
from provisioner.emulator.patches.cloudfront_distributions import distributions
from provisioner.emulator.wire import Call

LINGER = 60.0  # seconds; terraform-provider-aws wafv2/web_acl.go retries for up to 5 minutes

_lately: AccountStore[str] = AccountStore()  # by ARN: the web ACLs whose use ended a moment ago


def _in_use(call: Call) -> set[str]:
    """Return the ARNs of the web ACLs that distributions use."""
    return {d.distribution_config.WebACLId for d in distributions(call).values()} - {""}


@behaviours.before("cloudfront", "UpdateDistribution", "DeleteDistribution")
def remember_removed(call: Call) -> None:
    """Remember the web ACL that a call removes from a distribution."""
    distribution = distributions(call).get(call.params["Id"])
    arn = distribution.distribution_config.WebACLId if distribution else ""
    new_arn = call.params.get("DistributionConfig", {}).get("WebACLId", "")
    if arn and arn != new_arn:
        _lately.at(call.account, "")[arn] = call.operation


@behaviours.after("cloudfront", "UpdateDistribution", "DeleteDistribution")
def given_up(call: Call, _: Reply) -> None:
    """Let the removed web ACLs count as in use for a while longer."""
    for arn in _lately.at(call.account, ""):
        clock.later(LINGER, partial(_lately.at(call.account, "").pop, arn, None))


@behaviours.before("wafv2", "DeleteWebACL")
def delete(call: Call) -> None:
    """Refuse to delete a web ACL in use: botocore ServiceModel, WAFAssociatedItemException."""
    region = "aws" if call.params["Scope"] == "CLOUDFRONT" else call.region
    for arn, acl in backend("wafv2", call.account, region).wacls.items():
        if acl.id != call.params["Id"]:
            continue
        if arn in _in_use(call) or arn in _lately.at(call.account, ""):
            message = (
                "AWS WAF couldn't perform the operation because your resource is being used by another"
                " resource or it's associated with another resource."
            )
            raise AwsError("WAFAssociatedItemException", message)
