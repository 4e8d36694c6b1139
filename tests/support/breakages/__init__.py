"""What breaks in such a stack: each finding of `doctor`'s, brought about on the local AWS."""

from tests.support.breakages import balancer, data, edge, given, measured, network, resources, tasks
from tests.support.breakages.deed import Break

__all__ = ["BREAKS", "Break"]

_BREAKS = (
    *edge.BREAKS,
    *balancer.BREAKS,
    *tasks.BREAKS,
    *given.BREAKS,
    *network.BREAKS,
    *data.BREAKS,
    *measured.BREAKS,
    *resources.BREAKS,
)
BREAKS: tuple[Break, ...] = tuple(sorted(_BREAKS, key=lambda one: one.lasting))
