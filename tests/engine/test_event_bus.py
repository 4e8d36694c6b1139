"""The event bus: every subscriber gets all events in one order, in the publisher's thread; a broken one ends alone."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from provisioner.engine.execution.events import Event, EventBus


def test_eight_threads_publish_and_all_subscribers_see_one_order() -> None:
    bus = EventBus()
    first: list[str] = []
    second: list[str] = []
    bus.subscribe(lambda event: first.append(event.logical_id), lambda event: second.append(event.logical_id))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: bus.publish(Event("ready", str(n))), range(400)))

    assert first == second
    assert sorted(first, key=int) == [str(n) for n in range(400)]


def test_a_subscriber_is_called_in_the_thread_that_publishes() -> None:
    bus = EventBus()
    threads: list[int] = []
    bus.subscribe(lambda _event: threads.append(threading.get_ident()))

    with ThreadPoolExecutor(1) as pool:
        pool.submit(bus.publish, Event("starting", "vpc")).result()
        assert threads == [pool.submit(threading.get_ident).result()]


def test_a_subscriber_that_fails_ends_alone_and_is_logged_without_its_message(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bus = EventBus()
    seen: list[str] = []

    def broken(_event: Event) -> None:
        raise ValueError("hunter2")

    bus.subscribe(broken, lambda event: seen.append(event.logical_id))
    bus.publish(Event("ready", "vpc"))
    bus.publish(Event("ready", "subnet"))

    assert seen == ["vpc", "subnet"]
    assert [record.getMessage() for record in caplog.records] == [
        "A subscriber failed with ValueError and gets no more events."
    ]
    assert "hunter2" not in caplog.text


def test_a_subscriber_may_publish() -> None:
    bus = EventBus()
    seen: list[str] = []

    def repeat_once(event: Event) -> None:
        seen.append(event.type)
        if event.type == "ready":
            bus.publish(Event("note"))

    bus.subscribe(repeat_once)
    bus.publish(Event("ready", "vpc"))

    assert seen == ["ready", "note"]
