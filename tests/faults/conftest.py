from __future__ import annotations

import pytest

from tests.faults.seeds import SEED


@pytest.fixture(autouse=True)
def _the_seed_is_told() -> None:
    """So that pytest shows it with every failure."""
    print(f"FAULT_SEED={SEED}")  # noqa: T201 - for the report of a failure
