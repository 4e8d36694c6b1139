from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from provisioner.commands.redaction import redact_arguments
from provisioner.emulator.server import LocalAws
from provisioner.engine.estimates.critical_path import DurationHistory
from state.run_store import RUNS_KEPT, FileRunStore
from tests.support.fake_resources import Thing
from tests.support.user import User


def records(user: User) -> list[dict[str, Any]]:
    """The records of the stack `prod`, oldest first."""
    return list(FileRunStore(user.home / "embedded" / "runs").records_of("prod"))[::-1]


def stages(record: dict[str, Any], node: str) -> list[str]:
    """What a node went through, apart from what it had to ask again."""
    return [what for _, what, *_ in record["nodes"][node]["moments"] if what != "retrying"]


@pytest.mark.slow
def test_runs_leave_records_that_outlive_the_stack(user: User) -> None:
    user.well("apply", "--yes", "--suffix", "prod", "--set", 'container.environment={"TOKEN": "hush"}')
    user.teardown("prod")

    up, down = records(user)
    assert [(one["command"], one["result"], one["exit_code"]) for one in (up, down)] == [
        ("apply", "ok", 0),
        ("teardown", "ok", 0),
    ]
    assert stages(up, "nat-1") == ["starting", "exists", "waiting", "ready"]
    assert stages(down, "nat-1") == ["starting", "going", "waiting", "gone"]
    assert up["nodes"]["nat-1"]["needs"]["igw-vpc"] == "exists"
    assert up["operations"]["ec2:CreateVpc"]["count"] == 1
    assert [call[3] for call in up["calls"] if call[2] == "ec2:CreateVpc"] == ["vpc"]
    assert "hush" not in json.dumps([up, down])
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in user.home.glob("emulator/runs/prod/*"))


def test_a_run_that_fails_leaves_its_record_too(user: User, served: LocalAws) -> None:
    served.faults({"operation": "ec2:CreateVpc", "fault": "access_denied"})

    code = user.run("apply", "--yes", "--suffix", "prod").code

    (record,) = records(user)
    assert (record["result"], record["exit_code"]) == ("incomplete", code)
    assert record["nodes"]["vpc"]["end"] == "failed"


def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    runs = FileRunStore(tmp_path)
    for second in range(RUNS_KEPT + 3):
        runs.save(runs.new_record("prod", 1000.0 + second), {"at": second})

    assert [doc["at"] for doc in runs.records_of("prod")] == list(range(RUNS_KEPT + 2, 2, -1))


def test_what_may_be_secret_is_not_kept_of_what_was_typed() -> None:
    told = redact_arguments(["apply", "--set", "db.password=a", "--set=container.environment.X=b", "--set", "a.b=c"])

    assert told[2:5] == ["db.password=(not kept)", "--set=container.environment.X=(not kept)", "--set"]
    assert told[5] == "a.b=c"


def test_durations_are_the_median_of_earlier_runs_of_that_pace_and_region() -> None:
    def run(pace: float, seconds: float) -> dict[str, object]:
        moments = [[1.0, "starting"], [2.0, "exists"], [2.0, "waiting", 0, ""], [2.0 + seconds, "ready"]]
        step = {"kind": "Thing", "region": "here", "verb": "create", "moments": moments}
        return {"pace": pace, "nodes": {"a": step}}

    history = DurationHistory.from_records([run(1, 10), run(1, 30), run(1, 20), run(0.1, 500)], speed=1)

    assert history.typical_seconds(Thing(), "here", "create", "ready") == 20
    assert history.typical_seconds(Thing(), "here", "create", "exists") == 1
    assert history.typical_seconds(Thing(), "there", "create", "ready") == Thing.typical_create_seconds
