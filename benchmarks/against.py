"""The benchmarks against an earlier build: calls counted at the server, and the local AWS's own start.

Both builds run whole processes in turn, each before a local AWS of its own, and the medians are compared. Counts of
calls and peak memory are the same on a busy machine; CPU time nearly so; wall time only on an idle one.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.place import ROOT, Place, place
from benchmarks.rows import Row

# The build that issue 23 measured.
EARLIER = "a396c90"
_SERVICES = 30
_RUNS_OF_SERVICES = 1  # a minute each, and calls hardly vary


@dataclass(frozen=True)
class Build:
    """A checkout of this program, and the option by which its local AWS takes its speed."""

    root: Path
    speed_option: str


NOW = Build(ROOT, "--speed")
Measure = Callable[[Build], dict[str, float]]


def rows(runs: int) -> Iterator[Row]:
    """Yield the rows of issue 23; none where the earlier build cannot be had, as in a source archive."""
    with tempfile.TemporaryDirectory(prefix="bench-earlier-") as folder:
        earlier = Build(Path(folder) / "checkout", "--pace")
        git = ["git", "-C", str(ROOT), "worktree"]
        if subprocess.run([*git, "add", "-q", "--detach", str(earlier.root), EARLIER], check=False).returncode:  # noqa: S603 - git
            return
        try:
            yield from _rows(earlier, runs)
        finally:
            subprocess.run([*git, "remove", "--force", str(earlier.root)], check=True)  # noqa: S603 - git


def _rows(earlier: Build, runs: int) -> Iterator[Row]:
    """Yield the rows: ratios of the medians of both builds."""
    seed = _in_turn(earlier, _calls_of_a_life, runs)
    yield _ratio("calls of an `apply` from nothing, seed", *seed("apply"), 0.85)
    yield _ratio("calls of a `teardown` with its proof, seed", *seed("teardown"), 0.56)
    services = _in_turn(earlier, _calls_with_services, _RUNS_OF_SERVICES)
    yield _ratio(f"calls of a `teardown`, {_SERVICES} services", *services("teardown"), 0.35)
    start = _in_turn(earlier, _start_of_the_local_aws, runs)
    yield _ratio("start of the local AWS, CPU time", *start("cpu"), 0.6, "s")
    yield _ratio("its memory", *start("megabytes"), 0.65, "MB")
    yield _ratio("its memory after an `apply`", *start("megabytes after"), None, "MB")


def _in_turn(earlier: Build, measure: Measure, runs: int) -> Callable[[str], tuple[list[float], list[float]]]:
    """Measure both builds in turn; return a function from the name of a value to its values, the earlier's first."""
    found = [(measure(earlier), measure(NOW)) for _ in range(runs)]
    return lambda name: ([before[name] for before, _ in found], [after[name] for _, after in found])


def _ratio(what: str, before: list[float], after: list[float], limit: float | None, unit: str = "calls") -> Row:
    """Return the row of a ratio of two medians, which may be at most the limit."""
    share, digits = median(after) / median(before), 2 if unit == "s" else 0
    beside = f"{median(after):.{digits}f} {unit}, {EARLIER} {median(before):.{digits}f}"
    wanted = "" if limit is None else f"at most {limit:.2f}"
    return Row(f"{what}, of {EARLIER}'s", f"{share:.2f}", wanted, limit is None or share <= limit, beside)


def _calls_of_a_life(build: Build, *sets: str) -> dict[str, float]:
    """Return the calls that the server counted of an apply from nothing, and of the teardown after it."""
    with _place_of(build) as here:
        here.on("apply", "one", "--yes", *sets)
        applied = len(_calls(here))
        here.on("teardown", "one", "--yes", *sets)
        return {"apply": applied, "teardown": len(_calls(here)) - applied}


def _calls_with_services(build: Build) -> dict[str, float]:
    """Return the same counts of a stack with many services."""
    own = {f"s{at}": {"prefixes": [f"/s{at}/*"]} for at in range(_SERVICES - 1)}
    return _calls_of_a_life(build, "--set", f"api.services={json.dumps(own)}")


def _start_of_the_local_aws(build: Build) -> dict[str, float]:
    """Return what the process of the local AWS has used when it is ready: seconds of CPU, and MB of memory."""
    with _place_of(build) as here:
        pid = int(_emulator(here)["pid"])
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks = int(fields[11]) + int(fields[12])  # proc(5): utime, stime
        started = {"cpu": ticks / 100, "megabytes": _resident_megabytes(pid)}
        here.on("apply", "one", "--yes")
        return started | {"megabytes after": _resident_megabytes(pid)}


def _resident_megabytes(pid: int) -> float:
    """Return the resident memory of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


@contextmanager
def _place_of(build: Build) -> Iterator[Place]:
    """Yield a place before the local AWS of a build, at speed 0."""
    with place(0.0, root=build.root, speed_option=build.speed_option) as here:
        yield here


def _emulator(here: Place) -> dict[str, Any]:
    """Return the record of the running local AWS, of either build."""
    return dict(json.loads(next(here.home.rglob("local.json")).read_text()))


def _calls(here: Place) -> list[dict[str, Any]]:
    """Return the calls that the local AWS has answered."""
    emulator = _emulator(here)
    connection = HTTPConnection(emulator["endpoint"].removeprefix("http://"), timeout=20)
    try:
        authorization = {"Authorization": f"Bearer {emulator.get('token', '')}"}
        connection.request("GET", "/_embedded/calls?since=0", headers=authorization)
        return list(json.load(connection.getresponse()))
    finally:
        connection.close()
