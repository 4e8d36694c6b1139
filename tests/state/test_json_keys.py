"""The JSON keys that scripts, state files and records know; a rename of a field in the code leaves them as they are."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.commands.saved_plan import SavedPlan
from provisioner.commands.smoke_test import SmokeRequest
from provisioner.engine.estimates.time_estimate import Wait
from provisioner.engine.execution.teardown_verification import Remnant, VerificationReport
from provisioner.engine.planning.blocked_deletions import BlockedDeletion
from provisioner.engine.runs.recorder import RecordedResource
from provisioner.engine.runs.run import Run
from provisioner.engine.runs.timeline import Timeline
from provisioner.preflight.finding import Finding
from provisioner.resources.ecs.rollout_watch import RolloutStage
from provisioner.settings.overrides import Counts
from provisioner.terminal.doctor import CheckLine
from provisioner.terminal.service_tables import Release
from state.lock_holder import LockHolder
from state.serialization import json_keys
from state.stack_state import Intent, PendingCommand, ResourceState, StackLocation, StackState, Tombstone
from state.state_store import StateVersion

KEYS: dict[type[Any], str] = {
    BlockedDeletion: "kind node note remedy what",
    CheckLine: "check evidence finding note state station type what why",
    Counts: "maximum minimum",
    Finding: "address blocks hint limit needed used what",
    Intent: "at token verb",
    LockHolder: "beat command fence host lease machine pid since started user",
    PendingCommand: "at revision task token",
    RecordedResource: "beside end id kind moments needs piece region verb waits",
    Release: "arn at by image result revision runs was_good",
    Remnant: "id until what why",
    ResourceState: "changed confirmed id intent kind made name needs phase piece region tags wanted",
    RolloutStage: "failed lifecycle running status waits wanted why",
    Run: "arguments caller calls command exit_code message parts place plan result run seconds settings start suffix"
    " who",
    SavedPlan: "changes config excludes facts lineage made place salt serial sets settings suffix take targets tool",
    SmokeRequest: "is_asked path status via why",
    StackLocation: "account endpoint partition region",
    StackState: "begun entries facts fence lineage outputs place read_in salt serial settings suffix teardown_began"
    " tombstones writer",
    StateVersion: "kept lineage name serial",
    Timeline: "bars chain command message others result seconds start suffix",
    Tombstone: "at id kind name node region wanted",
    VerificationReport: "asked kept lingering remaining searches",
    Wait: "node seconds",
}


@pytest.mark.parametrize("dataclass_", KEYS, ids=lambda each: each.__name__)
def test_the_keys_are_as_they_were(dataclass_: type[Any]) -> None:
    assert json_keys(dataclass_) == set(KEYS[dataclass_].split())
