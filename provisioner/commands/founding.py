"""`state init`: the bucket for a team's state."""

from __future__ import annotations

from provisioner.bucket.address import Bucket
from provisioner.bucket.making import guard, make
from provisioner.bucket.proof import prove
from provisioner.commands.asking import Asking
from provisioner.embedded.local import start as start_embedded
from provisioner.engine.calls.caller import called_by
from provisioner.errors import UsageError
from provisioner.pins import guard_account
from provisioner.stopping import begin_change
from provisioner.terminal.say import Say
from provisioner.workspace import Workspace


def init(say: Say, workspace: Workspace, region: str | None, account: str | None, asking: Asking) -> int:
    """Create the bucket if there is none, check its conditional writes, and set its safeguards.

    The command may be repeated. Return the exit code.
    """
    if not workspace.is_shared:
        raise UsageError("A state in a folder needs no init.", "Say --state s3://bucket/prefix.")
    local = start_embedded(workspace.embedded) if workspace.local else None
    bucket = Bucket.at(workspace.state, local, region, workspace.state_endpoint)
    if bucket.endpoint:
        say.note(f"The store is {bucket.endpoint}, not Amazon's.", "dim")
    location = called_by(bucket.aws)
    guard_account(location, account)
    made = bucket.region is None
    where = bucket.region or bucket.aws.region
    action = "Make" if made else "Keep the state in"
    asking.confirm(say, f"{action} the bucket {bucket.name} in account {location.account}, region {where}?")
    begin_change()
    if made:
        make(bucket, where)
        say.note(f"The bucket {bucket.name} is made, in {where}.")
    prove(bucket)
    say.note("  writes are conditional (proven)")
    measures, left_out = list[str](), list[str]()
    for one in guard(bucket, where, location.account, location.partition):
        (left_out if one.left_out else measures).append(one.words)
        told = f"left out: {one.left_out}" if one.left_out else "" if one.is_new else "as it was"
        say.note(f"  {one.words}{f' ({told})' if told else ''}", "yellow" if one.left_out else "")
    if say.as_json:
        known = {"bucket": bucket.name, "region": where, "made": made}
        say.record("state_init", **known, measures=measures, left_out=left_out)
    else:
        say.data(f"The state can be kept in {bucket.address}.")
    return 0
