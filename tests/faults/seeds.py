"""The seed of the day: what is chosen by chance is chosen again every day, and again by FAULT_SEED."""

from __future__ import annotations

import datetime
import os

SEED = int(os.environ.get("FAULT_SEED") or f"{datetime.datetime.now(datetime.UTC):%Y%m%d}")
