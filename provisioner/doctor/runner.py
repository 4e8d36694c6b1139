"""Makes all checks, eight at a time, and finds the result that matters most."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from provisioner.doctor.checks import CHECKS, Check
from provisioner.doctor.context import DoctorContext
from provisioner.doctor.finding import Finding, NotApplicable, NotChecked, Recovered
from provisioner.engine.calls.error_categories import ErrorCategory, categorize
from provisioner.engine.calls.user_errors import describe_refusal
from provisioner.engine.denials import Denial

_AT_ONCE = 8
OK, NONE, WRONG, NOT_CHECKED = "ok", "none", "wrong", "not checked"


@dataclass(frozen=True)
class CheckResult:
    """The result of one check.

    `note` says why it was not made, what does not exist, or what was wrong before. `not_checked` is True if AWS
    did not answer a read.
    """

    check: Check
    state: str
    note: str = ""
    finding: Finding | None = None
    not_checked: bool = False


def run_checks(context: DoctorContext, checks: Sequence[Check] = CHECKS) -> list[CheckResult]:
    """Make all checks, and return their results in the same order.

    Raises:
        CredentialsError: AWS no longer accepts the credentials.

    """
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(lambda check: run_check(check, context), checks))


def run_check(check: Check, context: DoctorContext) -> CheckResult:
    """Make one check; if AWS does not answer a read, the result is "not checked", and never "ok"."""
    try:
        finding = check.judge(*(read(context) for read in check.reads))
    except Recovered as what:
        return CheckResult(check, OK, str(what))
    except NotApplicable as why:
        return CheckResult(check, NONE, str(why))
    except NotChecked as why:
        return CheckResult(check, NOT_CHECKED, str(why))
    except Exception as error:  # noqa: BLE001 - raised again, unless a call was refused
        known = describe_refusal(error, f"checking {check.name}")
        denied = categorize(error) is ErrorCategory.DENIED
        note = Denial.of(error).clause if denied else known.message
        return CheckResult(check, NOT_CHECKED, note, not_checked=True)
    return CheckResult(check, WRONG if finding else OK, "", finding)


def first_finding(results: Sequence[CheckResult]) -> CheckResult | None:
    """Return the first cause of a problem, else the first symptom; None if nothing is wrong."""
    wrong = [one for one in results if one.finding]
    causes = [one for one in wrong if not one.check.is_symptom]
    return next(iter(causes or wrong), None)


def anything_found(results: Sequence[CheckResult]) -> bool:
    """Return whether any part of the stack exists; True if that could not be checked."""
    sought = [one for one in results if one.check.needs_reads]
    return not all(one.finding and one.finding.is_absent for one in sought)
