"""Each promise of README and documentation has a test that is there, and stands on the page that lists them."""

from __future__ import annotations

import pytest

from tests.support.promises import PAGE, ROOT, Promise, find_tests, page, promises


@pytest.mark.parametrize("promise", promises(), ids=lambda promise: promise.name)
def test_a_promise_has_tests_that_are_there_and_run_each_day(promise: Promise) -> None:
    assert promise.sentence
    assert promise.sentence.endswith(".")
    runs_each_day = []
    for test in promise.tests:
        path, name = test.split("::")
        assert (ROOT / path).is_file(), f"{test}: no such file"
        assert name in find_tests(path), f"{test}: no such test"
        runs_each_day.append(find_tests(path)[name])
    assert any(runs_each_day), f"{promise.name}: `make test` runs none of its tests"


def test_names_and_sentences_are_told_once_and_topics_stand_together() -> None:
    topics = [promise.topic for promise in promises()]

    assert len({promise.name for promise in promises()}) == len(promises())
    assert len({promise.sentence for promise in promises()}) == len(promises())
    assert topics == sorted(topics, key=topics.index)


def test_the_page_is_what_the_list_makes() -> None:
    assert PAGE.read_text() == page(), "write it again: .venv/bin/python -m tests.support.promises"
