"""`state init`: the bucket for a team's state."""

from __future__ import annotations

from provisioner.bucket.address import Bucket
from provisioner.bucket.making import guard, make
from provisioner.commands.asking import Asking
from provisioner.embedded.local import start as start_embedded
from provisioner.engine.caller import called_by
from provisioner.errors import UsageError
from provisioner.pins import guard_account
from provisioner.terminal.say import Say
from provisioner.workspace import Workspace


def init(say: Say, workspace: Workspace, region: str | None, account: str | None, asking: Asking) -> int:
    """Make the bucket where there is none, and see to how it is kept; safe to repeat."""
    if not workspace.is_shared:
        raise UsageError("A state in a folder needs no init.", "Say --state s3://bucket/prefix.")
    local = start_embedded(workspace.embedded) if workspace.local else None
    bucket = Bucket.at(workspace.state, local, region)
    place = called_by(bucket.aws)
    guard_account(place, account)
    made = bucket.region is None
    where = bucket.region or bucket.aws.region
    verb = "Make" if made else "Keep the state in"
    asking.confirm(say, f"{verb} the bucket {bucket.name} in account {place.account}, region {where}?")
    if made:
        make(bucket, where)
        say.note(f"The bucket {bucket.name} is made, in {where}.")
    measures = []
    for words, is_new in guard(bucket, where, place.account, place.partition):
        measures.append(words)
        say.note(f"  {words}{'' if is_new else ' (as it was)'}")
    if say.as_json:
        say.record("state_init", bucket=bucket.name, region=where, made=made, measures=measures)
    else:
        say.data(f"The state can be kept in {bucket.address}.")
    return 0
