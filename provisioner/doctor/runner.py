"""Runs the checks, eight at a time, and finds the result that matters most."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from provisioner.doctor.check import Check, Finding, NotApplicable, NotChecked, Recovered
from provisioner.doctor.checks import CHECKS
from provisioner.doctor.context import DoctorContext
from provisioner.engine.calls.denials import Denial
from provisioner.engine.calls.error_categories import ErrorCategory, categorize
from provisioner.engine.calls.user_errors import describe_refusal

_THREADS = 8
OK, NOT_APPLICABLE, WRONG, NOT_CHECKED = "ok", "none", "wrong", "not checked"


@dataclass(frozen=True)
class CheckResult:
    """The result of one check.

    `note` says why it was not made, what does not exist, or what was wrong before. `read_failed` is True if AWS
    did not answer a read.
    """

    check: Check
    status: str
    note: str = ""
    finding: Finding | None = None
    read_failed: bool = False


def run_checks(context: DoctorContext, checks: Sequence[Check] = CHECKS) -> list[CheckResult]:
    """Run the checks, and return their results in the same order.

    Raises:
        CredentialsError: AWS no longer accepts the credentials.

    """
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(lambda check: run_check(check, context), checks))


def run_check(check: Check, context: DoctorContext) -> CheckResult:
    """Run one check; if AWS does not answer a read, the result is "not checked", and never "ok"."""
    try:
        finding = check.judge(*(read(context) for read in check.reads))
    except Recovered as reason:
        return CheckResult(check, OK, str(reason))
    except NotApplicable as reason:
        return CheckResult(check, NOT_APPLICABLE, str(reason))
    except NotChecked as reason:
        return CheckResult(check, NOT_CHECKED, str(reason))
    except Exception as error:  # noqa: BLE001 - raised again, unless a call was refused
        refusal = describe_refusal(error, f"checking {check.name}")
        denied = categorize(error) is ErrorCategory.DENIED
        note = Denial.of(error).clause if denied else refusal.message
        return CheckResult(check, NOT_CHECKED, note, read_failed=True)
    return CheckResult(check, WRONG if finding else OK, "", finding)


def first_finding(results: Sequence[CheckResult]) -> CheckResult | None:
    """Return the first cause of a problem, else the first symptom; None if nothing is wrong."""
    wrong = [result for result in results if result.finding]
    causes = [result for result in wrong if not result.check.is_symptom]
    return next(iter(causes or wrong), None)


def anything_found(results: Sequence[CheckResult]) -> bool:
    """Return whether any part of the stack exists; True if that could not be checked."""
    existence_results = [result for result in results if result.check.checks_existence]
    return not all(result.finding and result.finding.is_absent for result in existence_results)
