"""The waiter, which reads a resource until it is ready or gone; after a timeout, the next run goes on."""

from __future__ import annotations

from collections.abc import Callable

from provisioner.engine.clients import Clients
from provisioner.engine.compare import differences, meets
from provisioner.engine.durations import Durations
from provisioner.engine.events import Event, Listener
from provisioner.engine.refs import Doc
from provisioner.engine.target import HIDES, Target, read
from provisioner.engine.waits import until
from provisioner.errors import OutOfPatience


class Watch:
    """The waits of a run for its resources, with reads as often as is useful; shared by all threads."""

    def __init__(self, clients: Clients, listen: Listener, durations: Durations) -> None:
        self.clients = clients
        self.listen = listen
        self.durations = durations
        self.clock = clients.clock
        self.pace = clients.aws.pace

    def until_ready(self, target: Target, *, updated: bool, seen: Callable[[Doc], None]) -> Doc:
        """Wait until a resource is ready, and return its actual properties.

        Args:
            target: The resource.
            updated: Whether it was updated. If so, reads that may still show its former properties do not
                count.
            seen: Called with the properties of each read, but not in the first `stale_for` seconds after an
                update.

        Raises:
            OutOfPatience: The resource is not ready after its timeout.
            ProvisionerError: AWS reports that it failed.

        """
        kind, it = target.kind, target.it
        start, since, asked, more = self.clock.now(), self.clock.wall(), "", 0.0
        quiet = kind.stale_for * self.pace if updated else 0.0
        due = self.durations.expected(kind, target.region, "update" if updated else "create", "ready")
        self.listen(Event("waiting", it.node, detail=f"usually {due:.0f} s" if due >= 1 else ""))

        def probe() -> Doc | None:
            nonlocal asked, more
            doc = read(self.clients, target)
            if doc is None or self.clock.now() - start < quiet:
                return None
            seen(doc)
            more = kind.takes_more(doc)
            if updated and self._is_old(target, doc, self.clock.now() - start):
                return None
            if self._is_ready(target, doc, since):
                return doc
            former, asked = asked, kind.asks(doc)
            if asked and asked != former:
                self.listen(Event("asking", it.node, detail=asked))
            return None

        doc = until(probe, clock=self.clock, due=due, patience=lambda: target.patience + more)
        if doc is None:
            raise OutOfPatience(
                f"{it.name or it.node} is not ready after {target.patience + more:.0f} s; "
                f"{'it waits for you' if asked else 'AWS is still at it'}.",
                f"{asked}\nNothing is lost: run the same command again, and it waits on.".lstrip(),
            )
        return doc

    def _is_ready(self, target: Target, doc: Doc, since: float) -> bool:
        """Return whether the resource is ready; raise its error if AWS reports that it failed."""
        kind, it, client = target.kind, target.it, self.clients.client(target.kind.service, target.region)
        ready = meets(doc, kind.ready)
        if meets(doc, kind.failed) or (ready and kind.deceives(client, it, since)):
            raise kind.failure(client, it, doc)
        return ready

    def _is_old(self, target: Target, doc: Doc, elapsed: float) -> bool:
        """Return whether AWS still returns the properties from before the update, and may do so yet."""
        window = self.clients.aws.hides(HIDES)
        is_early = elapsed < window and self.clients.aws.echoes
        return is_early and bool(differences(target.kind, target.it.props, doc, None))

    def until_gone(self, target: Target, since: float | None = None) -> None:
        """Wait until AWS reports that a resource is deleted.

        `since` is the time at which its deletion was first requested, now if None.

        Raises:
            OutOfPatience: The resource still exists after the timeout of its type.

        """
        kind, it = target.kind, target.it
        self.listen(Event("waiting", it.node, "delete"))

        def probe() -> bool | None:
            doc = read(self.clients, target)
            ended = doc is None or meets(doc, kind.gone) or meets(doc, kind.lingers)
            return True if ended else None

        asked = self.clock.now() if since is None else since
        due = asked + self.durations.expected(kind, target.region, "delete", "gone") - self.clock.now()
        if not until(probe, clock=self.clock, due=max(due, 0), patience=kind.patience):
            raise OutOfPatience(
                f"{it.name or it.id} is still there after {kind.patience:.0f} s.",
                "Nothing is lost: run the same command again, and it waits on.",
            )
