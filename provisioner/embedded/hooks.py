"""Where the box steps in: functions registered by service and operation, run around moto."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from provisioner.embedded.answers import AwsError, Reply
from provisioner.embedded.wire import Call

Before = Callable[[Call], Reply | None]
After = Callable[[Call, Reply], None]
Refused = Callable[[Call, AwsError], Reply | None]
When = Callable[[Call], bool]
Key = tuple[str, str]


def _ever(_: Call) -> bool:
    return True


@dataclass
class Layer:
    """One set of hooks; `before` may raise, or answer in moto's place, `after` edits what moto answered."""

    on: bool = True
    befores: dict[Key, list[Before]] = field(default_factory=lambda: defaultdict(list))
    afters: dict[Key, list[tuple[After, When]]] = field(default_factory=lambda: defaultdict(list))
    refusals: dict[Key, list[Refused]] = field(default_factory=lambda: defaultdict(list))

    def before(self, service: str, *operations: str) -> Callable[[Before], Before]:
        """Run ahead of moto; a reply that is returned is the answer and moto is not asked."""

        def register(hook: Before) -> Before:
            for operation in operations:
                self.befores[service, operation].append(hook)
            return hook

        return register

    def befores_of(self, call: Call) -> list[Before]:
        """List what runs ahead of a call; "*" stands for every operation of a service."""
        of_all = self.befores.get((call.service, "*"), [])
        return of_all + self.befores.get((call.service, call.operation), [])

    def after(self, service: str, *operations: str, when: When = _ever) -> Callable[[After], After]:
        """Run on a successful reply, to be edited in place, when there may be something to edit."""

        def register(hook: After) -> After:
            for operation in operations:
                self.afters[service, operation].append((hook, when))
            return hook

        return register

    def afters_of(self, call: Call) -> list[After]:
        """List what wants to see the reply to a call."""
        registered = self.afters.get((call.service, call.operation), [])
        return [hook for hook, when in registered if when(call)]

    def refused(self, service: str, *operations: str) -> Callable[[Refused], Refused]:
        """Run on moto's error: raise a better one, return a reply, or return None to leave it."""

        def register(hook: Refused) -> Refused:
            for operation in operations:
                self.refusals[service, operation].append(hook)
            return hook

        return register


replays = Layer()  # outermost: what was answered once is answered again, whatever else holds
strict = Layer(on=False)  # what an organisation, its security tools and its contracts add to an account
manners = Layer()
always = Layer()
