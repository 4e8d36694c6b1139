"""A clock that product and emulator share, and that jumps to the earliest awakening when all threads wait.

Threads are greenlets of one thread of the system's: one runs at a time, and hands on to the next where it
waits, for a time or for what another does. So nothing depends on how fast the machine is, the same seed plays
the same run again, and a fork in the middle of a run takes all its threads along. Where all wait and none of
them for a time, that is a deadlock: each is told so, and ends.
"""

from __future__ import annotations

import math
import queue
import threading
import time
import traceback
from _thread import allocate_lock
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from greenlet import getcurrent, greenlet

from provisioner.engine.calls.clock import Clock, Stopped
from state.lease import Heartbeat
from state.manager import StateManager

Ready = Callable[[], bool]

# More than any command takes, whatever happens to it: a run that goes on after it goes on for ever.
LONGEST = 24 * 3600.0
# More turns than all threads together take at one moment.
MOST_TURNS = 100_000


class Deadlock(BaseException):
    """All threads wait, and none for a time; or they wait for ever. The text says where each is."""


def never() -> bool:
    """What only time ends."""
    return False


def always() -> bool:
    """What need not be waited for."""
    return True


@dataclass(eq=False)
class WaitingThread:
    """A thread that waits: until something is so, or until a moment has come."""

    thread: Any
    ready: Ready
    at: float = math.inf


@dataclass(eq=False)
class SimulatedPool:
    """The threads of one pool: so many at once, the rest of its work in a queue."""

    most: int
    busy: int = 0
    ahead: deque[Callable[[], None]] = field(default_factory=deque)


class Simulation:
    """Who runs, who waits, and what time it is."""

    def __init__(self) -> None:
        # Seconds since the start.
        self.passed = 0.0
        # Whether the process that is played has died: then nobody sleeps on; and what raises so.
        self.is_killed: Ready = never
        self.check: Callable[[], None] = lambda: None
        # Told of each thread, in it, that is about to wait, and until when at the latest.
        self.waits: Callable[[float], None] = lambda _until: None
        self._limit = LONGEST
        self._turns = 0
        self._waiting: list[WaitingThread] = []
        self._crews: dict[ThreadPoolExecutor, SimulatedPool] = {}
        self._hearts: dict[Heartbeat, SimulatedPool] = {}
        self._dead = ""
        self._home: int | None = None
        self._hub: Any = None

    # What stands in the place of the modules' own.

    def time(self) -> float:
        """Seconds since 1970."""
        return self._epoch + self.passed

    def monotonic(self) -> float:
        """Seconds that only go forward."""
        return self._boot + self.passed

    def sleep(self, seconds: float) -> None:
        """Let this thread wait, and others run."""
        self._doze(never, seconds)

    def advance(self, seconds: float) -> None:
        """Move the time forward by hand."""
        self.passed += seconds

    # The threads.

    def wait(self, ready: Ready, seconds: float | None = None) -> bool:
        """Let others run until it is so, or until the seconds have passed; whether it is so."""
        end = math.inf if seconds is None else self.passed + max(seconds, 0.0)
        self.waits(end)
        self._waiting.append(WaitingThread(getcurrent(), ready, end))
        self._hub.switch()
        if self._dead:
            raise Deadlock(self._dead)
        return ready()

    def _doze(self, ready: Ready, seconds: float) -> bool:
        """Wait, and die where the process has died meanwhile."""
        over = self.wait(lambda: self.is_killed() or ready(), seconds)
        self.check()
        return over

    def bury(self) -> None:
        """Let all that the killed process has running beside this thread come to its end."""
        self.wait(lambda: len(self._waiting) == 1)

    def _rule(self) -> None:
        """Let one after another run; all begin from here, so that no stack stands on another."""
        while True:
            self._next().switch()

    def _next(self) -> Any:
        """Who runs next: whose wait is over, else who has the shortest time to wait."""
        turn = next((one for one in self._waiting if one.at <= self.passed or one.ready()), None)
        self._turns += 1
        if self._turns > MOST_TURNS and not self._dead:
            self._dead = f"one thread hands on to another, and no time passes\n{self._where()}"
        if turn is None:
            turn, self._turns = min(self._waiting, key=lambda one: one.at), 0
            if turn.at > self._limit and not self._dead:
                self._dead = f"no thread can go on, {self.passed:.0f} s after the start\n{self._where()}"
            elif not self._dead:
                self.passed = turn.at
        self._waiting.remove(turn)
        return turn.thread

    def _where(self) -> str:
        """Where each thread that waits is."""
        frames = [one.thread.gr_frame for one in self._waiting if one.thread.gr_frame]
        return "\n\n".join("".join(traceback.format_stack(frame)[-12:]) for frame in frames)

    def _start(self, crew: SimulatedPool, work: Callable[[], None]) -> None:
        """Let a new thread have its turn, with that work and then what is ahead in its pool."""
        crew.busy += 1

        def run() -> None:
            todo: Callable[[], None] | None = work
            while todo:
                todo()
                todo = crew.ahead.popleft() if crew.ahead else None
            crew.busy -= 1

        self._waiting.append(WaitingThread(greenlet(run, self._hub), always))

    def _submit(self, pool: ThreadPoolExecutor, work: Any, *told: Any, **more: Any) -> Future[Any]:
        crew = self._crews.setdefault(pool, SimulatedPool(pool._max_workers))
        future: Future[Any] = Future()

        def carry_out() -> None:
            try:
                future.set_result(work(*told, **more))
            except BaseException as error:  # noqa: BLE001 - told to whoever asks for the result
                future.set_exception(error)

        if crew.busy < crew.most:
            self._start(crew, carry_out)
        else:
            crew.ahead.append(carry_out)
        return future

    def _shut(self, pool: ThreadPoolExecutor, **_: bool) -> None:
        if crew := self._crews.get(pool):
            self.wait(lambda: not crew.busy)
            del self._crews[pool]

    def _beats(self, heart: Heartbeat) -> None:
        """Let a heart beat beside all others, until it is stopped or its process is killed."""
        crew = self._hearts[heart] = SimulatedPool(1)

        def beat() -> None:
            try:
                while not self._doze(heart._stopped.is_set, heart._interval):
                    heart._beat()
            except BaseException:
                if not self.is_killed():
                    raise

        self._start(crew, beat)

    def _stops(self, heart: Heartbeat) -> None:
        heart._stopped.set()
        crew = self._hearts.pop(heart)
        self.wait(lambda: not crew.busy)

    # The whole.

    @contextmanager
    def running(self) -> Iterator[Simulation]:
        """Inside, this thread and all that it starts live by this clock."""
        self._epoch, self._boot = time.time(), time.monotonic()
        self._home, self._hub = threading.get_ident(), greenlet(self._rule)
        with ExitStack() as stack:
            for where, name, instead in self._replaced():
                stack.enter_context(patch.object(where, name, instead))
            yield self

    def is_home(self) -> bool:
        """Whether this is the thread whose time is played."""
        return threading.get_ident() == self._home

    def begin(self) -> None:
        """Count from now on how long one run goes on."""
        self._limit = self.passed + LONGEST

    def _replaced(self) -> Iterator[tuple[Any, str, Any]]:
        """What waits, or tells the time: where it stands, its name, and what stands in its place."""
        yield time, "time", self._or(self.time, time.time)
        yield time, "monotonic", self._or(self.monotonic, time.monotonic)
        yield time, "sleep", self._or(self.sleep, time.sleep)
        yield Clock, "sleep", self._or(self._asleep, Clock.sleep)
        yield queue, "SimpleQueue", self._or(lambda: _Queue(self), queue.SimpleQueue)
        yield ThreadPoolExecutor, "submit", self._or(self._submit, ThreadPoolExecutor.submit)
        yield ThreadPoolExecutor, "shutdown", self._or(self._shut, ThreadPoolExecutor.shutdown)
        yield Future, "result", self._or(self._result, Future.result)
        yield threading.Condition, "wait_for", self._or(self._until, threading.Condition.wait_for)
        yield StateManager, "_flush", self._before(StateManager._flush)
        yield Heartbeat, "start", self._or(self._beats, Heartbeat.start)
        yield Heartbeat, "stop", self._or(self._stops, Heartbeat.stop)
        yield threading, "Lock", self._or(lambda: _Lock(self), threading.Lock)

    def _or(self, ours: Callable[..., Any], theirs: Callable[..., Any]) -> Callable[..., Any]:
        """Ours for this thread, theirs for all others of the process."""

        def either(*told: Any, **more: Any) -> Any:
            return (ours if self.is_home() else theirs)(*told, **more)

        return either

    def _before(self, flush: Callable[..., None]) -> Callable[..., None]:
        """Acts that come at once share one write: let the others act first."""

        def flushed(state_manager: StateManager, serial: int) -> None:
            self.wait(always)
            flush(state_manager, serial)

        return self._or(flushed, flush)

    def _result(self, future: Future[Any], timeout: float | None = None) -> Any:
        self.wait(future.done, timeout)
        if error := future.exception(0):
            raise error
        return future._result

    def _until(self, news: threading.Condition, settled: Ready, timeout: float | None = None) -> bool:
        if not settled():
            news.release()
            try:
                self.wait(settled, timeout)
            finally:
                news.acquire()
        return settled()

    def _asleep(self, clock: Clock, seconds: float) -> None:
        if self._doze(lambda: clock.stopped, seconds):
            raise Stopped


class _Lock:
    """A lock whose holder may wait meanwhile: who wants it lets others run until it is free.

    One that a thread outside the simulation holds is free in a moment of the real time, and is waited for so.
    """

    def __init__(self, sim: Simulation) -> None:
        self._sim = sim
        self._real = allocate_lock()
        self.locked = self._real.locked
        # Whether a thread of the simulation holds it.
        self._is_ours = False

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        if not self._sim.is_home():
            return self._real.acquire(blocking, timeout)
        while self._is_ours:
            if not blocking or not self._sim.wait(self._is_free, None if timeout < 0 else timeout):
                return False
        self._is_ours = self._real.acquire(blocking, timeout)
        return self._is_ours

    def release(self) -> None:
        self._is_ours = False
        self._real.release()

    def _is_free(self) -> bool:
        return not self._is_ours

    def _at_fork_reinit(self) -> None:  # asked by `threading` in a child
        self._real._at_fork_reinit()  # type: ignore[attr-defined]
        self._is_ours = False

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


class _Queue:
    """What one thread tells another."""

    def __init__(self, sim: Simulation) -> None:
        self._sim = sim
        self._told: deque[Any] = deque()

    def put(self, what: Any) -> None:
        self._told.append(what)

    def get(self) -> Any:
        if not self._told:
            self._sim.wait(lambda: bool(self._told))
        return self._told.popleft()
