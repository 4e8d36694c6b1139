"""Warnings about valid settings that can never have the effect they are set for; every plan shows them."""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.settings import Settings
from provisioner.settings.small_sections import Waf

SERVICE = "service"
# Elastic Load Balancing user guide, RequestCountPerTarget: reported for registered targets.
_NONE_COUNTED = "counts none where no task runs, so each request is answered with 503"
# The load balancer's idle timeout, in seconds (`steps/alb.py`). It answers a longer request with a 504, which
# does not count as a response of a task (Elastic Load Balancing user guide, TargetResponseTime; HTTP 504).
IDLE_TIMEOUT_SECONDS = 60
_ALL_PERCENT = 100


def minimum_setting(name: str) -> str:
    """Return the path of the setting for the least number of tasks of a service; "" is the main service."""
    return f"api.services.{name}.minimum" if name else "service.minimum"


def never_scales_up_message(beginning: str) -> str:
    """Return the message that a service will stay at 0 tasks; `beginning` is its beginning.

    How to fix it is not part of the message: that depends on who manages the number of tasks.
    """
    return f"{beginning} and stays there. Autoscaling aims at requests a minute per task and {_NONE_COUNTED}."


def ineffective_settings(settings: Settings) -> list[str]:
    """Return a sentence for each setting, or combination of settings, that has no effect."""
    return [
        *_services_without_tasks(settings),
        *_alarms_without_effect(settings),
        *_firewall_without_rules(settings.waf),
    ]


def _services_without_tasks(settings: Settings) -> Iterator[str]:
    """Yield a sentence for each service with a least number of 0 tasks: nothing would ever start a task."""
    for workload in settings.workloads:
        if not workload.service.minimum:
            setting = minimum_setting(workload.name)
            reason = f"Autoscaling aims at {workload.service.requests} requests a minute per task and {_NONE_COUNTED}."
            yield f"{setting}=0: the service starts at 0 tasks and stays there. {reason} Set {setting}=1 or more."


def _alarms_without_effect(settings: Settings) -> Iterator[str]:
    """Yield a sentence for alarms that notify nobody, and for thresholds that cannot be exceeded."""
    alarms = settings.alarms
    if not alarms.enabled:
        if alarms.emails:
            yield (
                "alarms.emails is set and alarms.enabled is off: there is no alarm, and nothing is sent to "
                f"{', '.join(alarms.emails)}. Set alarms.enabled=true."
            )
        return
    for name in ("database_cpu", "database_acu"):
        if getattr(alarms, name) == _ALL_PERCENT:
            yield (
                f"alarms.{name}=100: the alarm can never ring, as it rings above that, and there is no more "
                f"than 100 percent. Set alarms.{name}=99 or less."
            )
    if alarms.latency >= IDLE_TIMEOUT_SECONDS:
        yield (
            f"alarms.latency={alarms.latency:g}: the alarm can never ring, as the load balancer gives up on "
            f"an answer after {IDLE_TIMEOUT_SECONDS} s: a 504. Set alarms.latency below {IDLE_TIMEOUT_SECONDS}."
        )


def _firewall_without_rules(waf: Waf) -> Iterator[str]:
    """Yield a sentence if the web firewall is enabled and all its rules are off."""
    if waf.enabled and {waf.common, waf.bad_inputs, waf.reputation, waf.rate} == {"off"}:
        yield (
            "waf.enabled=true, and waf.common, waf.bad_inputs, waf.reputation and waf.rate are all off: the "
            "firewall costs and lets every request through. Set one of them to block, or waf.enabled=false."
        )
