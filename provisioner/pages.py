"""Reading a list to its last page: by botocore's paginators, else by the operation's own tokens."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.exceptions import DataNotFoundError
from botocore.loaders import Loader
from botocore.model import OperationModel, Shape
from botocore.paginate import Paginator

Config = Mapping[str, Any]
# What the services call the token of the next page, and the size of one, where they have them.
_TOKENS = re.compile(r"(next_?)?(page_?)?(token|marker)", re.IGNORECASE)
_LIMITS = re.compile(r"(max_?(results|items|records)|page_?size|limit)", re.IGNORECASE)


def paginator(method: Callable[..., Any], model: OperationModel) -> Paginator | None:
    """Return what reads all pages of an operation through `method`; None where it has but one."""
    config = config_of(model)
    return Paginator(method, dict(config), model) if config else None


def config_of(model: OperationModel) -> Config | None:
    """Return how the pages of an operation follow each other, in the words of botocore's paginators.

    botocore has none for some that have pages (ListVpcOrigins, ListWebACLs, ListServiceDeployments: 1.44.5);
    theirs is made from their shapes.
    """
    return _known(model.service_model.service_name).get(model.name) or _made(model)


@functools.cache
def _known(service: str) -> Mapping[str, Config]:
    try:
        found: Mapping[str, Config] = Loader().load_service_model(service, "paginators-1")["pagination"]
    except DataNotFoundError:
        return {}
    return found


def _made(model: OperationModel) -> Config | None:
    """Make one from an operation that takes a token, and tells one beside its list or around it."""
    asked = _named(_TOKENS, model.input_shape)
    told = next(
        (
            (path, shape)
            for path, shape in _levels(model.output_shape)
            if _named(_TOKENS, shape, is_next=True)
        ),
        None,
    )
    if not asked or told is None:
        return None
    path, shape = told
    lists = [*_lists(path, shape)] or [
        one for below, inner in _levels(shape) if below for one in _lists(f"{path}{below}", inner)
    ]
    token = f"{path}{_named(_TOKENS, shape, is_next=True)}"
    limit = _named(_LIMITS, model.input_shape)
    made = {"input_token": asked, "output_token": token, "result_key": lists}
    return {**made, **({"limit_key": limit} if limit else {})} if lists else None


def _levels(shape: Shape | None) -> Iterator[tuple[str, Any]]:
    """The members of a reply, and those of each structure in it, with the path to them."""
    if shape is not None and shape.type_name == "structure":
        yield "", shape
        yield from ((f"{name}.", one) for name, one in shape.members.items() if one.type_name == "structure")


def _lists(path: str, shape: Any) -> Iterator[str]:
    return (f"{path}{name}" for name, one in shape.members.items() if one.type_name == "list")


def _named(wanted: re.Pattern[str], shape: Any, *, is_next: bool = False) -> str:
    """The member of such a name; of two tokens in a reply the next page's, not the one asked with."""
    members = [name for name in (shape.members if shape is not None else {}) if wanted.fullmatch(name)]
    members.sort(key=lambda name: not name.lower().startswith("next"))
    return members[0] if members and (not is_next or members[0].lower().startswith("next")) else ""
