"""Settings that are taken and can never work together: told in each plan, with what to set."""

from __future__ import annotations

from provisioner.settings import Settings


def never_works(settings: Settings) -> list[str]:
    """Return a sentence for each service that nothing would ever start.

    A least number of 0 lets a service stand at 0, and autoscaling adds tasks by the requests per task: of no
    task there are none (Elastic Load Balancing user guide, RequestCountPerTarget: reported for registered
    targets).
    """
    told = []
    for one in settings.workloads:
        if one.service.minimum:
            continue
        name = f"api.services.{one.name}.minimum" if one.name else "service.minimum"
        told.append(
            f"{name}=0: the service starts at 0 tasks and stays there. Autoscaling aims at "
            f"{one.service.requests} requests a minute per task and counts none where no task runs, so each "
            f"request is answered with 503. Set {name}=1 or more."
        )
    return told
