"""Plays mutants: the tests are collected once, and each mutant meets those that reach it in a fork of that process."""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import coverage
import pytest

from tests.mutants.live import ImportedMutant, patch_functions
from tests.mutants.mutation import ROOT, Mutant

KILLED, SURVIVED, TIMED_OUT, NOT_VIABLE = "killed", "survived", "timed out", "not viable"
# A mutant may loop for ever; one that takes ten times as long as its tests do is killed.
_LEAST_SECONDS, _TIMES_AS_LONG = 10, 10
_OPTIONS = ("-q", "-x", "-s", "-p", "no:xdist", "-p", "no:pytest_cov", "-p", "no:cacheprovider", "--hypothesis-seed=0")


class TestsFailed(Exception):
    """The tests fail without any mutant."""


@dataclass(frozen=True)
class Verdict:
    """How one mutant ended, by which test."""

    mutant: str
    outcome: str
    by: str = ""

    @property
    def is_killed(self) -> bool:
        """Return whether a test told it from the original."""
        return self.outcome in (KILLED, TIMED_OUT)


def play_mutants(mutants: Sequence[Mutant], tests: Sequence[str]) -> Iterator[Verdict]:
    """Yield the verdict of each mutant against these test files.

    Raises:
        TestsFailed: The tests fail as they are.

    """
    viable = [mutant for mutant in mutants if mutant.is_viable()]
    yield from (Verdict(mutant.name, NOT_VIABLE) for mutant in mutants if mutant not in viable)
    files = [str(ROOT / test) for test in tests]
    in_functions = [mutant for mutant in viable if mutant.function]
    if in_functions:
        yield from _play_in_functions(in_functions, files)
    yield from (_play_imported(mutant, files) for mutant in viable if not mutant.function)


def _play_in_functions(mutants: Sequence[Mutant], files: Sequence[str]) -> Iterator[Verdict]:
    def session(send: Callable[[Any], None]) -> None:
        pytest.main([*_OPTIONS, *files], plugins=[_Collected(mutants, send)])

    count = 0
    pid, lines = _fork(session)
    for line in lines:
        if line == "failed":
            raise TestsFailed("the tests fail without a mutant; MUTANTS_DEBUG=1 shows how")
        count += 1
        yield Verdict(*line)
    os.waitpid(pid, 0)
    if count < len(mutants):
        raise TestsFailed("the tests could not be run to their end; MUTANTS_DEBUG=1 shows why")


def _play_imported(mutant: Mutant, files: Sequence[str]) -> Verdict:
    """Play a mutant of the module's level: nothing of the product is imported in this process."""

    def session(send: Callable[[Any], None]) -> None:
        signal.alarm(240)
        ImportedMutant(mutant).install()
        watcher = _FirstFailure()
        code = pytest.main([*_OPTIONS, *files], plugins=[watcher])
        send(watcher.failed or ("collection" if code else ""))

    return _verdict(mutant, *_fork(session))


class _FirstFailure:
    """Remembers the first test that failed."""

    failed = ""

    def pytest_collection_finish(self) -> None:
        """A failure need not be shrunk: hypothesis ends with the first."""
        import hypothesis  # pytest rewrites it, so it must not be imported before

        phases = [hypothesis.Phase.explicit, hypothesis.Phase.generate]
        hypothesis.settings.register_profile("mutants", hypothesis.settings(), phases=phases, database=None)
        hypothesis.settings.load_profile("mutants")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self.failed:
            self.failed = report.nodeid


class _Collected(_FirstFailure):
    """Takes the place of pytest's loop: forks it once to see which test reaches which line, then for each mutant."""

    def __init__(self, mutants: Sequence[Mutant], send: Callable[[Any], None]) -> None:
        self.mutants = mutants
        self.send = send

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed or not session.items:
            self.send("failed")
            return True
        pid, lines = _fork(lambda send: self._measure(session.items, send))
        reached, seconds, failed = next(lines)
        os.waitpid(pid, 0)
        if failed:
            self.send("failed")
            return True
        for mutant in self.mutants:
            at = {index for line in mutant.lines for index in reached[mutant.path].get(str(line), [])}
            chosen = sorted(at, key=lambda index: seconds[index])
            verdict = self._play(mutant, [session.items[index] for index in chosen], sum(seconds[i] for i in chosen))
            self.send((verdict.mutant, verdict.outcome, verdict.by))
        return True

    def _measure(self, items: Sequence[pytest.Item], send: Callable[[Any], None]) -> None:
        """Send which tests reach each line of the mutated files, the seconds of each test, and the first failure."""
        paths = sorted({mutant.path for mutant in self.mutants})
        measured = coverage.Coverage(data_file=None, include=[str(ROOT / path) for path in paths], config_file=False)
        measured.start()
        seconds = []
        for index in range(len(items)):
            measured.switch_context(str(index))
            started = time.perf_counter()
            _run(items, index)
            seconds.append(time.perf_counter() - started)
        measured.stop()
        reached: dict[str, dict[int, list[int]]] = defaultdict(dict)
        for path in paths:
            for line, contexts in measured.get_data().contexts_by_lineno(str(ROOT / path)).items():
                reached[path][line] = [int(context) for context in contexts if context]
            reached[path].setdefault(0, [])
        send((reached, seconds, self.failed))

    def _play(self, mutant: Mutant, items: Sequence[pytest.Item], usual: float) -> Verdict:
        def session(send: Callable[[Any], None]) -> None:
            signal.alarm(int(_LEAST_SECONDS + _TIMES_AS_LONG * usual))
            patch_functions(mutant)
            for index in range(len(items)):
                if not self.failed:
                    _run(items, index)
            send(self.failed)

        return _verdict(mutant, *_fork(session)) if items else Verdict(mutant.name, SURVIVED)


def _run(items: Sequence[pytest.Item], index: int) -> None:
    """Run one test; the fixtures that the next one has too go on."""
    following = items[index + 1] if index + 1 < len(items) else None
    items[index].config.hook.pytest_runtest_protocol(item=items[index], nextitem=following)


def _verdict(mutant: Mutant, pid: int, lines: Iterator[Any]) -> Verdict:
    failed = next(lines, None)
    _, status = os.waitpid(pid, 0)
    if failed is None:  # a test may be ended by what is no Exception
        return Verdict(mutant.name, TIMED_OUT if os.WIFSIGNALED(status) else KILLED, "the process ended")
    return Verdict(mutant.name, KILLED if failed else SURVIVED, failed)


def _fork(work: Callable[[Callable[[Any], None]], None]) -> tuple[int, Iterator[Any]]:
    """Do some work in a fork, without its output; return its process id and what it sends."""
    reader, writer = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        os.close(writer)
        return pid, _received(reader)
    os.close(reader)
    _leave_quietly(work, writer)
    raise AssertionError("a fork does not return")


def _leave_quietly(work: Callable[[Callable[[Any], None]], None], writer: int) -> None:
    quiet = os.open(os.devnull, os.O_WRONLY)
    if "MUTANTS_DEBUG" not in os.environ:
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
    os.chdir(tempfile.mkdtemp(prefix="mutant-"))
    try:
        with suppress(SystemExit, KeyboardInterrupt), os.fdopen(writer, "w") as pipe:
            work(lambda message: print(json.dumps(message), file=pipe, flush=True))
    except BaseException:  # noqa: BLE001 - nothing may go on in a fork as if it were the process it comes from
        traceback.print_exc()
    finally:
        os._exit(0)


def _received(reader: int) -> Iterator[Any]:
    with os.fdopen(reader) as pipe:
        for line in pipe:
            yield json.loads(line)
