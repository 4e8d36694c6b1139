"""The waiter, which reads a resource until it is ready or gone; after a timeout, the next run goes on."""

from __future__ import annotations

from collections.abc import Callable

from provisioner.engine.clients import Clients
from provisioner.engine.compare import differences, meets
from provisioner.engine.durations import Durations
from provisioner.engine.events import Event, Listener
from provisioner.engine.refs import Doc
from provisioner.engine.target import CONSISTENCY_SECONDS, ManagedResource, read
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

    def until_ready(self, managed: ManagedResource, *, updated: bool, seen: Callable[[Doc], None]) -> Doc:
        """Wait until a resource is ready, and return its actual properties.

        Args:
            managed: The resource.
            updated: Whether it was updated. If so, reads that may still show its former properties do not
                count.
            seen: Called with the properties of each read, but not in the first `stale_for` seconds after an
                update.

        Raises:
            OutOfPatience: The resource is not ready after its timeout.
            ProvisionerError: AWS reports that it failed.

        """
        kind, spec = managed.type, managed.spec
        start, since, asked, more = self.clock.now(), self.clock.wall(), "", 0.0
        quiet = kind.stale_for * self.pace if updated else 0.0
        due = self.durations.expected(kind, managed.region, "update" if updated else "create", "ready")
        self.listen(Event("waiting", spec.logical_id, detail=f"usually {due:.0f} s" if due >= 1 else ""))

        def probe() -> Doc | None:
            nonlocal asked, more
            doc = read(self.clients, managed)
            if doc is None or self.clock.now() - start < quiet:
                return None
            seen(doc)
            more = kind.takes_more(doc)
            if updated and self._is_old(managed, doc, self.clock.now() - start):
                return None
            if self._is_ready(managed, doc, since):
                return doc
            former, asked = asked, kind.asks(doc)
            if asked and asked != former:
                self.listen(Event("asking", spec.logical_id, detail=asked))
            return None

        doc = until(probe, clock=self.clock, due=due, patience=lambda: managed.timeout + more)
        if doc is None:
            raise OutOfPatience(
                f"{spec.aws_name or spec.logical_id} is not ready after {managed.timeout + more:.0f} s; "
                f"{'it waits for you' if asked else 'AWS is still at it'}.",
                f"{asked}\nNothing is lost: run the same command again, and it waits on.".lstrip(),
            )
        return doc

    def _is_ready(self, managed: ManagedResource, doc: Doc, since: float) -> bool:
        """Return whether the resource is ready; raise its error if AWS reports that it failed."""
        kind, spec, client = managed.type, managed.spec, self.clients.client(managed.type.service, managed.region)
        ready = meets(doc, kind.ready)
        if meets(doc, kind.failed) or (ready and kind.deceives(client, spec, since)):
            raise kind.failure(client, spec, doc)
        return ready

    def _is_old(self, managed: ManagedResource, doc: Doc, elapsed: float) -> bool:
        """Return whether AWS still returns the properties from before the update, and may do so yet."""
        window = self.clients.aws.hides(CONSISTENCY_SECONDS)
        is_early = elapsed < window and self.clients.aws.echoes
        return is_early and bool(differences(managed.type, managed.spec.props, doc, None))

    def until_gone(self, managed: ManagedResource, since: float | None = None) -> None:
        """Wait until AWS reports that a resource is deleted.

        `since` is the time at which its deletion was first requested, now if None.

        Raises:
            OutOfPatience: The resource still exists after the timeout of its type.

        """
        kind, spec = managed.type, managed.spec
        self.listen(Event("waiting", spec.logical_id, "delete"))

        def probe() -> bool | None:
            doc = read(self.clients, managed)
            ended = doc is None or meets(doc, kind.gone) or meets(doc, kind.lingers)
            return True if ended else None

        asked = self.clock.now() if since is None else since
        due = asked + self.durations.expected(kind, managed.region, "delete", "gone") - self.clock.now()
        if not until(probe, clock=self.clock, due=max(due, 0), patience=kind.patience):
            raise OutOfPatience(
                f"{spec.aws_name or spec.id} is still there after {kind.patience:.0f} s.",
                "Nothing is lost: run the same command again, and it waits on.",
            )
