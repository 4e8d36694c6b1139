"""A clock that product and emulator share, and that jumps to the earliest wake-up when all threads wait.

Threads are greenlets of one thread of the operating system: one runs at a time, and the next one runs when it
waits for a time or for another thread. So nothing depends on the speed of the machine, the same seed plays the
same run again, and a fork in the middle of a run copies all its threads. If all threads wait and none of them
for a time, that is a deadlock: it is raised in each of them.
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

# More seconds than any command takes: a run that is not at its end then never ends.
RUN_LIMIT_SECONDS = 24 * 3600.0
# More turns than all threads together take without time passing.
MOST_TURNS = 100_000


class Deadlock(BaseException):
    """All threads wait and none for a time, or a run never ends; the text holds the stack of each thread."""


def never() -> bool:
    """Return False: only time ends the wait."""
    return False


def always() -> bool:
    """Return True: the thread only lets others run."""
    return True


@dataclass(eq=False)
class WaitingThread:
    """A thread that waits until `ready` returns True, or until a time."""

    thread: Any
    ready: Ready
    until: float = math.inf


@dataclass(eq=False)
class SimulatedPool:
    """The threads of a pool: at most `max_workers` at once, the rest of the work in a queue."""

    max_workers: int
    busy: int = 0
    queue: deque[Callable[[], None]] = field(default_factory=deque)


class Simulation:
    """The simulated clock, and the threads that run and wait by it."""

    def __init__(self) -> None:
        # Seconds since the start.
        self.elapsed = 0.0
        # Whether the simulated process was killed, and the function that raises so: then no thread goes on waiting.
        self.is_killed: Ready = never
        self.check: Callable[[], None] = lambda: None
        # Called in each thread that is about to wait, with the latest time at which it wakes up.
        self.on_wait: Callable[[float], None] = lambda _until: None
        self._end = RUN_LIMIT_SECONDS
        self._turns = 0
        self._waiting: list[WaitingThread] = []
        self._pools: dict[ThreadPoolExecutor, SimulatedPool] = {}
        self._heartbeats: dict[Heartbeat, SimulatedPool] = {}
        self._deadlock = ""
        self._thread_id: int | None = None
        self._hub: Any = None

    # The functions that replace those of the standard library.

    def time(self) -> float:
        """Return the seconds since 1970."""
        return self._epoch + self.elapsed

    def monotonic(self) -> float:
        """Return the seconds of a clock that only goes forward."""
        return self._boot + self.elapsed

    def sleep(self, seconds: float) -> None:
        """Let other threads run for so long."""
        self._wait_alive(never, seconds)

    def advance(self, seconds: float) -> None:
        """Move the time forward."""
        self.elapsed += seconds

    # The threads.

    def wait(self, ready: Ready, seconds: float | None = None) -> bool:
        """Let others run until `ready` is true or the seconds have passed; return whether it is true."""
        end = math.inf if seconds is None else self.elapsed + max(seconds, 0.0)
        self.on_wait(end)
        self._waiting.append(WaitingThread(getcurrent(), ready, end))
        self._hub.switch()
        if self._deadlock:
            raise Deadlock(self._deadlock)
        return ready()

    def _wait_alive(self, ready: Ready, seconds: float) -> bool:
        """Wait as `wait` does; raise if the simulated process was killed meanwhile."""
        result = self.wait(lambda: self.is_killed() or ready(), seconds)
        self.check()
        return result

    def drain(self) -> None:
        """Let all other threads of the killed process end."""
        self.wait(lambda: len(self._waiting) == 1)

    def _run_threads(self) -> None:
        """Run one thread after another; all are switched to from here."""
        while True:
            self._next().switch()

    def _next(self) -> Any:
        """Return the thread that runs next: one whose wait is over, else the one that wakes up first."""
        turn = next((one for one in self._waiting if one.until <= self.elapsed or one.ready()), None)
        self._turns += 1
        if self._turns > MOST_TURNS and not self._deadlock:
            self._deadlock = f"threads give way to each other, and no time passes\n{self._stacks()}"
        if turn is None:
            turn, self._turns = min(self._waiting, key=lambda one: one.until), 0
            if turn.until > self._end and not self._deadlock:
                self._deadlock = f"no thread can go on, {self.elapsed:.0f} s after the start\n{self._stacks()}"
            elif not self._deadlock:
                self.elapsed = turn.until
        self._waiting.remove(turn)
        return turn.thread

    def _stacks(self) -> str:
        """Return the stack of each thread that waits."""
        frames = [one.thread.gr_frame for one in self._waiting if one.thread.gr_frame]
        return "\n\n".join("".join(traceback.format_stack(frame)[-12:]) for frame in frames)

    def _start(self, pool: SimulatedPool, work: Callable[[], None]) -> None:
        """Start a thread that does the work, then what is queued in its pool."""
        pool.busy += 1

        def run() -> None:
            todo: Callable[[], None] | None = work
            while todo:
                todo()
                todo = pool.queue.popleft() if pool.queue else None
            pool.busy -= 1

        self._waiting.append(WaitingThread(greenlet(run, self._hub), always))

    def _pool_submit(self, executor: ThreadPoolExecutor, work: Any, *args: Any, **kwargs: Any) -> Future[Any]:
        pool = self._pools.setdefault(executor, SimulatedPool(executor._max_workers))
        future: Future[Any] = Future()

        def carry_out() -> None:
            try:
                future.set_result(work(*args, **kwargs))
            except BaseException as error:  # noqa: BLE001 - raised to the caller of `result`
                future.set_exception(error)

        if pool.busy < pool.max_workers:
            self._start(pool, carry_out)
        else:
            pool.queue.append(carry_out)
        return future

    def _pool_shutdown(self, executor: ThreadPoolExecutor, **_: bool) -> None:
        if pool := self._pools.get(executor):
            self.wait(lambda: not pool.busy)
            del self._pools[executor]

    def _heartbeat_start(self, heartbeat: Heartbeat) -> None:
        """Renew a lease beside the other threads, until it is stopped or its process is killed."""
        pool = self._heartbeats[heartbeat] = SimulatedPool(1)

        def beat() -> None:
            try:
                while not self._wait_alive(heartbeat._stopped.is_set, heartbeat._interval):
                    heartbeat._beat()
            except BaseException:
                if not self.is_killed():
                    raise

        self._start(pool, beat)

    def _heartbeat_stop(self, heartbeat: Heartbeat) -> None:
        heartbeat._stopped.set()
        pool = self._heartbeats.pop(heartbeat)
        self.wait(lambda: not pool.busy)

    # Installing it.

    @contextmanager
    def running(self) -> Iterator[Simulation]:
        """Let this thread and all that it starts run by this clock."""
        self._epoch, self._boot = time.time(), time.monotonic()
        self._thread_id, self._hub = threading.get_ident(), greenlet(self._run_threads)
        with ExitStack() as stack:
            for owner, name, replacement in self._patches():
                stack.enter_context(patch.object(owner, name, replacement))
            yield self

    def is_simulated_thread(self) -> bool:
        """Return whether this is the thread that is simulated."""
        return threading.get_ident() == self._thread_id

    def begin_run(self) -> None:
        """Start the time limit of a run."""
        self._end = self.elapsed + RUN_LIMIT_SECONDS

    def _patches(self) -> Iterator[tuple[Any, str, Any]]:
        """Yield what waits or reads the clock: its owner, its name, and the replacement."""
        yield time, "time", self._only_here(self.time, time.time)
        yield time, "monotonic", self._only_here(self.monotonic, time.monotonic)
        yield time, "sleep", self._only_here(self.sleep, time.sleep)
        yield Clock, "sleep", self._only_here(self._clock_sleep, Clock.sleep)
        yield queue, "SimpleQueue", self._only_here(lambda: _SimulatedQueue(self), queue.SimpleQueue)
        yield ThreadPoolExecutor, "submit", self._only_here(self._pool_submit, ThreadPoolExecutor.submit)
        yield ThreadPoolExecutor, "shutdown", self._only_here(self._pool_shutdown, ThreadPoolExecutor.shutdown)
        yield Future, "result", self._only_here(self._future_result, Future.result)
        yield threading.Condition, "wait_for", self._only_here(self._condition_wait_for, threading.Condition.wait_for)
        yield StateManager, "_flush", self._yield_before_flush(StateManager._flush)
        yield Heartbeat, "start", self._only_here(self._heartbeat_start, Heartbeat.start)
        yield Heartbeat, "stop", self._only_here(self._heartbeat_stop, Heartbeat.stop)
        yield threading, "Lock", self._only_here(lambda: _SimulatedLock(self), threading.Lock)

    def _only_here(self, ours: Callable[..., Any], theirs: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that calls `ours` in the simulated thread and `theirs` in all others."""

        def either(*args: Any, **kwargs: Any) -> Any:
            return (ours if self.is_simulated_thread() else theirs)(*args, **kwargs)

        return either

    def _yield_before_flush(self, flush: Callable[..., None]) -> Callable[..., None]:
        """Let other threads record first, as changes at the same time share one write of the state."""

        def flushed(state_manager: StateManager, serial: int) -> None:
            self.wait(always)
            flush(state_manager, serial)

        return self._only_here(flushed, flush)

    def _future_result(self, future: Future[Any], timeout: float | None = None) -> Any:
        self.wait(future.done, timeout)
        if error := future.exception(0):
            raise error
        return future._result

    def _condition_wait_for(self, condition: threading.Condition, is_true: Ready, timeout: float | None = None) -> bool:
        if not is_true():
            condition.release()
            try:
                self.wait(is_true, timeout)
            finally:
                condition.acquire()
        return is_true()

    def _clock_sleep(self, clock: Clock, seconds: float) -> None:
        if self._wait_alive(lambda: clock.stopped, seconds):
            raise Stopped


class _SimulatedLock:
    """A lock whose holder may wait: a thread that wants it lets others run until it is free.

    If a thread outside the simulation holds it, it is waited for in real time.
    """

    def __init__(self, sim: Simulation) -> None:
        self._sim = sim
        self._real = allocate_lock()
        self.locked = self._real.locked
        # Whether a simulated thread holds it.
        self._is_ours = False

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        if not self._sim.is_simulated_thread():
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

    def _at_fork_reinit(self) -> None:  # called by `threading` in a child
        self._real._at_fork_reinit()  # type: ignore[attr-defined]
        self._is_ours = False

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


class _SimulatedQueue:
    """A queue whose reader lets other threads run until there is an item."""

    def __init__(self, sim: Simulation) -> None:
        self._sim = sim
        self._items: deque[Any] = deque()

    def put(self, item: Any) -> None:
        self._items.append(item)

    def get(self) -> Any:
        if not self._items:
            self._sim.wait(lambda: bool(self._items))
        return self._items.popleft()
