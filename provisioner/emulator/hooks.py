"""Hooks around moto: functions that are registered by service and operation, in layers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from provisioner.emulator.errors import AwsError, Reply
from provisioner.emulator.wire import Call

Before = Callable[[Call], Reply | None]
After = Callable[[Call, Reply], None]
Refused = Callable[[Call, AwsError], Reply | None]
When = Callable[[Call], bool]
Key = tuple[str, str]


def _ever(_: Call) -> bool:
    """Return True: the default condition of an `after` hook."""
    return True


@dataclass
class Layer:
    """A set of hooks that is switched on and off as one.

    A `before` hook may raise an error or answer in place of moto, an `after` hook edits a successful reply, a
    `refused` hook handles an error of moto.
    """

    on: bool = True
    befores: dict[Key, list[Before]] = field(default_factory=lambda: defaultdict(list))
    afters: dict[Key, list[tuple[After, When]]] = field(default_factory=lambda: defaultdict(list))
    refusals: dict[Key, list[Refused]] = field(default_factory=lambda: defaultdict(list))

    def before(self, service: str, *operations: str) -> Callable[[Before], Before]:
        """Register a hook that runs before moto; if it returns a reply, moto is not asked."""

        def register(hook: Before) -> Before:
            for operation in operations:
                self.befores[service, operation].append(hook)
            return hook

        return register

    def befores_of(self, call: Call) -> list[Before]:
        """Return the `before` hooks of a call, first the ones for "*", all operations of the service."""
        of_all = self.befores.get((call.service, "*"), [])
        return of_all + self.befores.get((call.service, call.operation), [])

    def after(self, service: str, *operations: str, when: When = _ever) -> Callable[[After], After]:
        """Register a hook that edits a successful reply in place.

        `when` says from the call alone whether the hook has anything to edit, which saves parsing the reply.
        """

        def register(hook: After) -> After:
            for operation in operations:
                self.afters[service, operation].append((hook, when))
            return hook

        return register

    def afters_of(self, call: Call) -> list[After]:
        """Return the `after` hooks of a call whose condition holds."""
        registered = self.afters.get((call.service, call.operation), [])
        return [hook for hook, when in registered if when(call)]

    def refused(self, service: str, *operations: str) -> Callable[[Refused], Refused]:
        """Register a hook that runs on an error of moto.

        It raises a better error, returns a reply in place of the error, or returns None to leave the error.
        """

        def register(hook: Refused) -> Refused:
            for operation in operations:
                self.refusals[service, operation].append(hook)
            return hook

        return register


replays = Layer()  # outermost: a repeated client token gets the first answer again, whatever else holds
strict = Layer(on=False)  # effects of an organisation, its security tools and its contracts on an account
behaviours = Layer()  # AWS's latency and refusals
always = Layer()  # patches of moto
