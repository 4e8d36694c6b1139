"""Lay what is stated over what stands, for calls that replace a whole document."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from typing import Any

from provisioner.engine.owners import Members

# What tells the items of a list apart, in AWS's own names: the first that the stated one bears.
NAMES = ("Id", "ID", "Name", "name", "Sid", "PathPattern", "ErrorCode", "Key", "capacityProvider")


def laid_over(members: Members, there: Any, stated: Any, at: str = "") -> Any:
    """Return what a call that replaces a whole document is to send.

    Of what stands and nobody stated, ours goes, or goes back to its default; what AWS only tells is left out;
    what is another's, the account's, nobody's or unknown is sent back as it is. Items of a list are matched
    by what names them (`NAMES`), and items of another owner are kept.

    `there` is the document as AWS tells it, `stated` the same one as it is declared, `at` the dotted path of
    both in the table of owners, "" for the whole resource.
    """
    if isinstance(there, Mapping) and isinstance(stated, Mapping):
        kept = dict(_kept(members, there, stated, at))
        over = {key: laid_over(members, there.get(key), one, _below(at, key)) for key, one in stated.items()}
        return {**kept, **over}
    if isinstance(there, list) and isinstance(stated, list):
        ours = [laid_over(members, _match(there, one), one, at) for one in stated]
        return ours + [one for one in there if members.guest(_below(at, _name(one)))]
    return stated


def _below(at: str, key: str) -> str:
    return f"{at}.{key}" if at else key


def _kept(
    members: Members, there: Mapping[str, Any], stated: Container[str], at: str
) -> Iterator[tuple[str, Any]]:
    """Each member that stands and is not stated, as it is to be sent."""
    for key, one in there.items():
        path = _below(at, key)
        if key in stated or members.is_echo(path):
            continue
        if not members.is_ours(path):
            yield key, laid_over(members, one, {}, path) if isinstance(one, Mapping) else one
        elif members.default(path) is not None and not isinstance(members.default(path), frozenset):
            yield key, members.default(path)


def _match(there: list[Any], stated: Any) -> Any:
    """The item that a stated one is about: the one of its name; where neither has a name, the only one."""
    for key in NAMES if isinstance(stated, Mapping) else ():
        if key in stated:
            named = (one for one in there if isinstance(one, Mapping) and one.get(key) == stated[key])
            return next(named, None)
    return there[0] if len(there) == 1 and isinstance(there[0], Mapping) else None


def _name(item: Any) -> str:
    """What names an item; "" where nothing does."""
    named = (str(item[key]) for key in NAMES if isinstance(item, Mapping) and key in item)
    return next(named, "")
