"""Settings that are taken and can never work together: told in each plan, with what to set."""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.settings import Settings
from provisioner.settings.waf import Waf

SERVICE = "service"
# Elastic Load Balancing user guide, RequestCountPerTarget: reported for registered targets.
_NONE_COUNTED = "counts none where no task runs, so each request is answered with 503"
# The load balancer's idle timeout, in seconds (`steps/alb.py`): what takes longer it answers with a 504 and
# counts for no answer of a task (Elastic Load Balancing user guide, TargetResponseTime; HTTP 504).
_LONGEST_ANSWER = 60
_ALL = 100


def setting_of(name: str) -> str:
    """The setting of a service's least number of tasks; the main one has no name."""
    return f"api.services.{name}.minimum" if name else "service.minimum"


def nothing_wakes(what: str) -> str:
    """Say that a service stands still at 0 tasks; who holds its counts decides what mends that."""
    return f"{what} and stays there. Autoscaling aims at requests a minute per task and {_NONE_COUNTED}."


def never_works(settings: Settings) -> list[str]:
    """Return a sentence for each setting, or pair of settings, that is without the effect it is set for."""
    return [*_asleep(settings), *_silent(settings), *_without_rules(settings.waf)]


def _asleep(settings: Settings) -> Iterator[str]:
    """A least number of 0 lets a service stand at 0 tasks, and nothing would ever start one."""
    for one in settings.workloads:
        if not one.service.minimum:
            name = setting_of(one.name)
            aim = (
                f"Autoscaling aims at {one.service.requests} requests a minute per task and {_NONE_COUNTED}."
            )
            yield f"{name}=0: the service starts at 0 tasks and stays there. {aim} Set {name}=1 or more."


def _silent(settings: Settings) -> Iterator[str]:
    """Alarms that nobody hears, or that can never ring."""
    alarms = settings.alarms
    if not alarms.enabled:
        if alarms.emails:
            yield (
                "alarms.emails is set and alarms.enabled is off: there is no alarm, and nothing is sent to "
                f"{', '.join(alarms.emails)}. Set alarms.enabled=true."
            )
        return
    for name in ("database_cpu", "database_acu"):
        if getattr(alarms, name) == _ALL:
            yield (
                f"alarms.{name}=100: the alarm can never ring, as it rings above that, and there is no more "
                f"than 100 percent. Set alarms.{name}=99 or less."
            )
    if alarms.latency >= _LONGEST_ANSWER:
        yield (
            f"alarms.latency={alarms.latency:g}: the alarm can never ring, as the load balancer gives up on "
            f"an answer after {_LONGEST_ANSWER} s: a 504. Set alarms.latency below {_LONGEST_ANSWER}."
        )


def _without_rules(waf: Waf) -> Iterator[str]:
    """A firewall none of whose rules is on."""
    if waf.enabled and {waf.common, waf.bad_inputs, waf.reputation, waf.rate} == {"off"}:
        yield (
            "waf.enabled=true, and waf.common, waf.bad_inputs, waf.reputation and waf.rate are all off: the "
            "firewall costs and lets every request through. Set one of them to block, or waf.enabled=false."
        )
