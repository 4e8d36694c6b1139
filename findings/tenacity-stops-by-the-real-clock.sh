#!/usr/bin/env bash
# tenacity 9.2.1 lets a caller replace how it sleeps, but stop_after_delay still counts by time.monotonic.
#
# Expected: with sleep= replaced by a clock that only adds the seconds up, a limit of 60 s ends a call that waits
# 10 s between its attempts after seven attempts, as it does with the real sleep.
# Seen: it never ends by that limit; here stop_after_attempt(50) ends it. The statistics of one call contradict each
# other: idle_for says 490 s of waits, delay_since_first_attempt says well below one. The same holds for
# stop_before_delay and for any strategy that reads seconds_since_start.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check 'tenacity==9.2.1'
"$work/venv/bin/python" - <<'PY'
from tenacity import RetryError, Retrying, stop_after_attempt, stop_after_delay, wait_fixed

slept: list[float] = []


def refused() -> None:
    raise OSError("refused")


retrying = Retrying(sleep=slept.append, wait=wait_fixed(10), stop=stop_after_delay(60) | stop_after_attempt(50))
try:
    retrying(refused)
except RetryError:
    pass
counted = retrying.statistics
print(f"attempts {counted['attempt_number']}, slept {sum(slept):.0f} s by the replaced clock")
print(f"idle_for {counted['idle_for']:.0f} s, delay_since_first_attempt {counted['delay_since_first_attempt']:.2f} s")
assert counted["attempt_number"] == 50, "the limit of 60 s counts replaced sleeps now"
assert counted["idle_for"] == sum(slept) == 490
assert counted["delay_since_first_attempt"] < 60
PY
