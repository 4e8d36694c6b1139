from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.engine.execution.scheduler import DagExecutor, ReportStage, Work

PATIENCE = 10.0
# Node n may come after any of the nodes before it: every such graph is without a circle.
GRAPHS = st.integers(1, 12).flatmap(
    lambda size: st.tuples(*[st.sets(st.integers(0, n - 1), max_size=n) if n else st.just(set()) for n in range(size)])
)


def working(act: Callable[[str], bool | None]) -> Callable[[str], Work[str]]:
    """Work that tells its step unless `act` says False."""

    def begin(step: str) -> Work[str]:
        def work(tell: ReportStage[str]) -> None:
            if act(step) is not False:
                tell(step)

        return work

    return begin


@given(GRAPHS)
def test_nothing_starts_before_all_it_waits_for_is_done(edges: tuple[set[int], ...]) -> None:
    graph = {str(n): {str(other) for other in others} for n, others in enumerate(edges)}
    done: list[str] = []

    def act(step: str) -> None:
        assert graph[step] <= set(done)
        done.append(step)

    assert DagExecutor(graph, working(act), workers=4).run() == graph.keys()
    assert sorted(done) == sorted(graph)


def test_what_waits_for_nothing_runs_at_the_same_time() -> None:
    together = threading.Barrier(3, timeout=PATIENCE)

    def act(_step: str) -> None:
        together.wait()

    done = DagExecutor({"a": set(), "b": set(), "c": set()}, working(act)).run()

    assert done == {"a", "b", "c"}


def test_no_more_run_at_once_than_there_are_workers() -> None:
    guard, running, most = threading.Lock(), 0, 0

    def act(_step: str) -> None:
        nonlocal running, most
        with guard:
            running += 1
            most = max(most, running)
        with guard:
            running -= 1

    DagExecutor({str(n): set() for n in range(50)}, working(act), workers=2).run()

    assert 1 <= most <= 2


def test_a_failure_holds_back_only_what_comes_after_it() -> None:
    graph = {"a": set(), "a1": {"a"}, "a2": {"a1"}, "b": set(), "b1": {"b"}, "both": {"a1", "b1"}}
    begun: list[str] = []

    def act(step: str) -> bool:
        begun.append(step)
        return step != "a"

    assert DagExecutor(graph, working(act)).run() == {"b", "b1"}
    assert sorted(begun) == ["a", "b", "b1"]


def test_work_may_bring_about_a_later_step_itself() -> None:
    """A resource exists, which lets others start, before it is ready."""
    graph = {"exists": set(), "ready": {"exists"}, "other": {"exists"}}
    order: list[str] = []
    other_ran = threading.Event()

    def begin(step: str) -> Work[str] | None:
        if step == "ready":
            return None

        def work(tell: ReportStage[str]) -> None:
            order.append(step)
            tell(step)
            if step == "exists":
                assert other_ran.wait(PATIENCE)
                order.append("ready")
                tell("ready")
            else:
                other_ran.set()

        return work

    assert DagExecutor(graph, begin).run() == {"exists", "ready", "other"}
    assert order == ["exists", "other", "ready"]


def test_after_a_stop_nothing_more_starts_and_what_runs_is_heard_out() -> None:
    stopped = threading.Event()
    done = DagExecutor(
        {"a": set(), "b": {"a"}, "c": {"b"}},
        working(lambda step: stopped.set() if step == "b" else None),
        stopped=stopped.is_set,
    ).run()

    assert done == {"a", "b"}


def test_what_work_raises_is_raised_again_when_the_others_have_ended() -> None:
    ended: list[str] = []
    raised = threading.Event()

    def act(step: str) -> None:
        if step == "bad":
            raised.set()
            raise ZeroDivisionError(step)
        assert raised.wait(PATIENCE)
        ended.append(step)

    with pytest.raises(ZeroDivisionError, match="bad"):
        DagExecutor({"bad": set(), "good": set(), "after": {"good"}}, working(act)).run()

    assert ended == ["good"]


def test_a_circle_is_an_error() -> None:
    with pytest.raises(ValueError, match="cycle"):
        DagExecutor({"a": {"b"}, "b": {"a"}}, working(lambda _step: None))


def test_an_empty_graph_is_done_at_once() -> None:
    assert DagExecutor({}, working(lambda _step: None)).run() == set()
