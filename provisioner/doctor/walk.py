"""Makes all checks, eight at a time, and says which finding comes first."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from provisioner.doctor.finding import Finding, Over, Unseen, Unset
from provisioner.doctor.patient import Patient
from provisioner.doctor.rounds import CHECKS, Check
from provisioner.engine.denials import Denial
from provisioner.engine.explain import excused
from provisioner.engine.faults import Fault, fault_of

_AT_ONCE = 8
OK, NONE, WRONG, UNSEEN = "ok", "none", "wrong", "not checked"


@dataclass(frozen=True)
class Result:
    """What one check came to; `note` says why it was not made, what there is not, or what is over.

    `untold` where AWS did not answer what it asked.
    """

    check: Check
    state: str
    note: str = ""
    finding: Finding | None = None
    untold: bool = False


def walk(patient: Patient, checks: Sequence[Check] = CHECKS) -> list[Result]:
    """All checks in the order of the way; CredentialsError where AWS no longer knows who asks."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(lambda check: examine(check, patient), checks))


def examine(check: Check, patient: Patient) -> Result:
    """One check; what may not be read is not checked, and never well."""
    try:
        finding = check.judge(*(read(patient) for read in check.reads))
    except Over as what:
        return Result(check, OK, str(what))
    except Unset as why:
        return Result(check, NONE, str(why))
    except Unseen as why:
        return Result(check, UNSEEN, str(why))
    except Exception as error:  # noqa: BLE001 - raised anew, but for what a call answered
        known = excused(error, f"checking {check.name}")
        denied = fault_of(error) is Fault.DENIED
        note = Denial.of(error).clause if denied else known.message
        return Result(check, UNSEEN, note, untold=True)
    return Result(check, WRONG if finding else OK, "", finding)


def first_wrong(results: Sequence[Result]) -> Result | None:
    """The first cause on the way, or the first symptom where no cause is found."""
    wrong = [one for one in results if one.finding]
    causes = [one for one in wrong if not one.check.is_symptom]
    return next(iter(causes or wrong), None)


def stands(results: Sequence[Result]) -> bool:
    """Whether anything of the stack was found, or could not be looked for."""
    sought = [one for one in results if one.check.seeks]
    return not all(one.finding and one.finding.is_absent for one in sought)
