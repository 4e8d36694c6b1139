"""EC2: a dry run changes nothing and says what it would have done."""

from __future__ import annotations

from provisioner.embedded.answers import AwsError
from provisioner.embedded.hooks import always
from provisioner.embedded.wire import Call


@always.before("ec2", "*")
def dry_run(call: Call) -> None:
    """Stop here: AWS doc, EC2 API common parameters; moto makes the thing."""
    if call.params.get("DryRun") is True:
        message = "Request would have succeeded, but DryRun flag is set."
        raise AwsError("DryRunOperation", message, 412)
