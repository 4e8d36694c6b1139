"""References to values that only AWS can give, and secrets, as they stand in the desired properties."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

# JSON that nobody changes: properties, or (a part of) an answer of AWS, whose own type is a TypedDict.
JsonObject = Mapping[str, Any]
Lookup = Callable[["Ref"], Any]


@dataclass(frozen=True)
class Ref:
    """A reference to the value at `path` in the actual properties of the resource `logical_id`.

    The path `id` stands for the resource's id.
    """

    logical_id: str
    path: str

    def __str__(self) -> str:
        """Return the reference as a plan shows it."""
        return f"{self.logical_id}.{self.path}"


@dataclass(frozen=True)
class Interpolation:
    """A string that contains references: `Interpolation("{}:password::", (secret.id,))`."""

    template: str
    parts: tuple[Any, ...]


@dataclass(frozen=True)
class Unknown:
    """The value of a reference that is not known yet, because its resource does not exist."""

    ref: Ref

    def __str__(self) -> str:
        """Return the text that a plan shows."""
        return "(known after apply)"


class SecretValue:
    """A secret that is revealed only to the call that needs it."""

    fingerprint: str = "(secret)"
    # The IAM actions needed to look it up, on the resources it refers to; the `policy` command lists them.
    operations: ClassVar[tuple[str, ...]] = ()

    @property
    def is_read_in_plan(self) -> bool:
        """Whether a plan has to look it up, and not only the call that needs it."""
        return type(self).fingerprinted is not SecretValue.fingerprinted

    @abstractmethod
    def reveal(self, clients: Any, lookup: Lookup) -> str:
        """Return the secret value; `clients` gives boto3 clients, `lookup` resolves references."""

    def refs(self) -> Iterator[Ref]:
        """Yield the references that are needed to look up the secret."""
        return iter(())

    def fingerprinted(self, clients: Any, lookup: Lookup) -> Any:  # noqa: ARG002 - subclasses use them
        """Return the secret in the form that is compared and stored, which does not reveal it."""
        return self

    def missing_input(self) -> tuple[str, str]:
        """Return what a person must supply before it can be revealed, and how; empty if nothing."""
        return "", ""

    def unused_input(self) -> str:
        """Return what a person supplied in vain, as a restored resource keeps its own secret; else ""."""
        return ""

    def __repr__(self) -> str:
        """Return the fingerprint, never the value."""
        return self.fingerprint

    __str__ = __repr__


class FingerprintedSecret(SecretValue):
    """A secret with its fingerprint, a salted hash that shows whether AWS holds the same one."""

    def __init__(self, value: str, fingerprint: str) -> None:
        self._value = value
        self.fingerprint = fingerprint

    def reveal(self, clients: Any, lookup: Lookup) -> str:  # noqa: ARG002 - it is in hand
        """Return the value."""
        return self._value

    def __eq__(self, other: object) -> bool:
        return self.fingerprint == (other.fingerprint if isinstance(other, FingerprintedSecret) else other)

    def __hash__(self) -> int:
        return hash(self.fingerprint)


class StoredSecret(SecretValue):
    """A secret that is stored in another resource, which its fingerprint names.

    The fingerprint changes when that resource is recreated.
    """

    def __init__(self, secret: SecretValue, holder: Any) -> None:
        self._secret = secret
        # Whether the resource that stores it does not exist yet.
        self.is_pending = isinstance(holder, Unknown)
        self.fingerprint = f"(secret in {'one that is yet to be made' if self.is_pending else holder})"

    def differs_from(self, recorded: Any) -> bool:
        """Return whether the recorded fingerprint names another resource than the one that stores the secret now.

        A recorded fingerprint that names none counts as the same.
        """
        return self.is_pending or recorded not in (None, SecretValue.fingerprint, self.fingerprint)

    def refs(self) -> Iterator[Ref]:
        """Yield the references of the secret itself."""
        return self._secret.refs()

    def reveal(self, clients: Any, lookup: Lookup) -> str:
        """Return the secret value."""
        return self._secret.reveal(clients, lookup)


def interpolate(template: str, *parts: Any) -> Interpolation:
    """Return a string whose `{}` are filled with `parts` once these are known."""
    return Interpolation(template, parts)


def refs_in(value: Any) -> Iterator[Ref]:
    """Yield every reference in `value`, at any depth."""
    match value:
        case Ref():
            yield value
        case Interpolation():
            yield from refs_in(value.parts)
        case SecretValue():
            yield from value.refs()
        case Mapping():
            for inner in value.values():
                yield from refs_in(inner)
        case list() | tuple():
            for inner in value:
                yield from refs_in(inner)


def secrets_in(value: Any) -> Iterator[SecretValue]:
    """Yield every secret in `value`, at any depth."""
    match value:
        case SecretValue():
            yield value
        case Mapping():
            for inner in value.values():
                yield from secrets_in(inner)
        case list() | tuple():
            for inner in value:
                yield from secrets_in(inner)


def resolve(value: Any, lookup: Lookup) -> Any:
    """Return `value` with each reference resolved by `lookup`; a string with an unknown part is unknown."""
    match value:
        case Ref():
            return lookup(value)
        case Interpolation():
            parts = [resolve(part, lookup) for part in value.parts]
            unknown = next((part for part in parts if isinstance(part, Unknown)), None)
            return unknown or value.template.format(*parts)
        case Mapping():
            return {key: resolve(inner, lookup) for key, inner in value.items()}
        case list() | tuple():
            return [resolve(inner, lookup) for inner in value]
        case _:
            return value


def fingerprint_secrets(value: Any, clients: Any, lookup: Lookup) -> Any:
    """Return `value` with each secret in the form that is compared and stored."""
    match value:
        case SecretValue():
            return value.fingerprinted(clients, lookup)
        case Mapping():
            return {key: fingerprint_secrets(inner, clients, lookup) for key, inner in value.items()}
        case list():
            return [fingerprint_secrets(inner, clients, lookup) for inner in value]
        case _:
            return value


def reveal_secrets(value: Any, clients: Any, lookup: Lookup) -> Any:
    """Return `value` with each secret in clear: for the call itself, never to be stored."""
    match value:
        case SecretValue():
            return value.reveal(clients, lookup)
        case Mapping():
            return {key: reveal_secrets(inner, clients, lookup) for key, inner in value.items()}
        case list():
            return [reveal_secrets(inner, clients, lookup) for inner in value]
        case _:
            return value


def redact(value: Any) -> Any:
    """Return `value` in the form that is stored: each secret as its fingerprint, each unknown value as its text."""
    match value:
        case SecretValue() | Unknown() | Ref():
            return str(value)
        case Mapping():
            return {key: redact(inner) for key, inner in value.items()}
        case list() | tuple():
            return [redact(inner) for inner in value]
        case _:
            return value


def is_known(value: Any) -> bool:
    """Return whether nothing in `value` is unknown."""
    match value:
        case Unknown():
            return False
        case Mapping():
            return all(is_known(inner) for inner in value.values())
        case list() | tuple():
            return all(is_known(inner) for inner in value)
        case _:
            return True


def value_at(document: Any, path: str) -> Any:
    """Return the value at a dotted path, with list positions as numbers; None if the path does not exist."""
    for step in path.split("."):
        if isinstance(document, Mapping):
            document = document.get(step)
        elif isinstance(document, list) and step.isdigit() and int(step) < len(document):
            document = document[int(step)]
        else:
            return None
    return document
