"""Values that only AWS can give, standing in a property until they are known."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

Doc = dict[str, Any]
Lookup = Callable[["Ref"], Any]


@dataclass(frozen=True)
class Ref:
    """The value at `path` of what AWS says of the node `node`; the path `id` is its id."""

    node: str
    path: str

    def __str__(self) -> str:
        """As a plan shows it."""
        return f"{self.node}.{self.path}"


@dataclass(frozen=True)
class Text:
    """A text with refs in it: `Text("{}:password::", (secret.id,))`."""

    form: str
    parts: tuple[Any, ...]


@dataclass(frozen=True)
class Unknown:
    """What a ref gives while the thing it names does not exist."""

    ref: Ref

    def __str__(self) -> str:
        """As a plan shows it."""
        return "(known after apply)"


class Veiled:
    """A secret: revealed to the one call that needs it, and to nothing else."""

    mark: str = "(secret)"
    # The rights that finding it needs, on what its refs name: `policy` asks for them.
    calls: ClassVar[tuple[str, ...]] = ()

    @property
    def is_looked_at(self) -> bool:
        """Whether a plan looks for it too, and not only the call that needs it."""
        return type(self).sealed is not Veiled.sealed

    @abstractmethod
    def reveal(self, aws: Any, lookup: Lookup) -> str:
        """The secret value; `aws` gives clients, `lookup` resolves refs."""

    def refs(self) -> Iterator[Ref]:
        """The refs this secret is found through."""
        return iter(())

    def sealed(self, aws: Any, lookup: Lookup) -> Any:  # noqa: ARG002 - others look
        """What it is compared and written down as: itself, or what can be told apart without being told."""
        return self

    def missing(self) -> tuple[str, str]:
        """What a person has to give before it can be revealed, and how; empty where nothing is missing."""
        return "", ""

    def unused(self) -> str:
        """What a person gave for it, where what was to hold it comes back with its own; "" where nothing."""
        return ""

    def __repr__(self) -> str:
        """Never the value."""
        return self.mark

    __str__ = __repr__


class Sealed(Veiled):
    """A secret in hand that equals its mark, a salted hash: enough to see whether AWS holds the same."""

    def __init__(self, value: str, mark: str) -> None:
        self._value = value
        self.mark = mark

    def reveal(self, aws: Any, lookup: Lookup) -> str:  # noqa: ARG002 - it is in hand
        """The value."""
        return self._value

    def __eq__(self, other: object) -> bool:
        return self.mark == (other.mark if isinstance(other, Sealed) else other)

    def __hash__(self) -> int:
        return hash(self.mark)


class Kept(Veiled):
    """A secret that another resource keeps: the mark names that one, another one whenever it is made anew."""

    def __init__(self, secret: Veiled, keeper: Any) -> None:
        self._secret = secret
        # Whether what keeps it is yet to be made.
        self.is_to_come = isinstance(keeper, Unknown)
        self.mark = f"(secret in {'one that is yet to be made' if self.is_to_come else keeper})"

    def differs(self, confirmed: Any) -> bool:
        """Whether what was confirmed came from another keeper; one without a name counts as the same."""
        return self.is_to_come or confirmed not in (None, Veiled.mark, self.mark)

    def refs(self) -> Iterator[Ref]:
        """The refs of the secret itself."""
        return self._secret.refs()

    def reveal(self, aws: Any, lookup: Lookup) -> str:
        """The secret itself."""
        return self._secret.reveal(aws, lookup)


def text(form: str, *parts: Any) -> Text:
    """A text whose `{}` are filled with `parts` once they are known."""
    return Text(form, parts)


def refs_in(value: Any) -> Iterator[Ref]:
    """Every ref that stands anywhere in `value`."""
    match value:
        case Ref():
            yield value
        case Text():
            yield from refs_in(value.parts)
        case Veiled():
            yield from value.refs()
        case Mapping():
            for inner in value.values():
                yield from refs_in(inner)
        case list() | tuple():
            for inner in value:
                yield from refs_in(inner)


def veils_in(value: Any) -> Iterator[Veiled]:
    """Every secret that stands anywhere in `value`."""
    match value:
        case Veiled():
            yield value
        case Mapping():
            for inner in value.values():
                yield from veils_in(inner)
        case list() | tuple():
            for inner in value:
                yield from veils_in(inner)


def resolve(value: Any, lookup: Lookup) -> Any:
    """`value` with each ref replaced by what `lookup` gives; a text with an unknown part is unknown."""
    match value:
        case Ref():
            return lookup(value)
        case Text():
            parts = [resolve(part, lookup) for part in value.parts]
            unknown = next((part for part in parts if isinstance(part, Unknown)), None)
            return unknown or value.form.format(*parts)
        case Mapping():
            return {key: resolve(inner, lookup) for key, inner in value.items()}
        case list() | tuple():
            return [resolve(inner, lookup) for inner in value]
        case _:
            return value


def seal(value: Any, aws: Any, lookup: Lookup) -> Any:
    """`value` with each secret as it is compared and written down."""
    match value:
        case Veiled():
            return value.sealed(aws, lookup)
        case Mapping():
            return {key: seal(inner, aws, lookup) for key, inner in value.items()}
        case list():
            return [seal(inner, aws, lookup) for inner in value]
        case _:
            return value


def reveal(value: Any, aws: Any, lookup: Lookup) -> Any:
    """`value` with each secret in the clear: for the call itself, never to be kept."""
    match value:
        case Veiled():
            return value.reveal(aws, lookup)
        case Mapping():
            return {key: reveal(inner, aws, lookup) for key, inner in value.items()}
        case list():
            return [reveal(inner, aws, lookup) for inner in value]
        case _:
            return value


def unveiled(value: Any) -> Any:
    """`value` as it may be written down: each secret is its mark, each unknown its text."""
    match value:
        case Veiled() | Unknown() | Ref():
            return str(value)
        case Mapping():
            return {key: unveiled(inner) for key, inner in value.items()}
        case list() | tuple():
            return [unveiled(inner) for inner in value]
        case _:
            return value


def is_known(value: Any) -> bool:
    """Whether nothing in `value` is still unknown."""
    match value:
        case Unknown():
            return False
        case Mapping():
            return all(is_known(inner) for inner in value.values())
        case list() | tuple():
            return all(is_known(inner) for inner in value)
        case _:
            return True


def dig(doc: Any, path: str) -> Any:
    """What stands at a dotted path, list positions as numbers; None where the path ends early."""
    for step in path.split("."):
        if isinstance(doc, Mapping):
            doc = doc.get(step)
        elif isinstance(doc, list) and step.isdigit() and int(step) < len(doc):
            doc = doc[int(step)]
        else:
            return None
    return doc
