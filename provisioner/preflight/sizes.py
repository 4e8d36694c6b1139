"""Policies that grow with the settings, against what IAM takes of one."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator

from provisioner.engine.graph import Node
from provisioner.engine.plan import Plan
from provisioner.engine.refs import Ref, resolve
from provisioner.preflight.finding import Finding

# IAM and STS quotas (IAM user guide): characters without white space, of a managed policy and of all that
# stands in one role.
MANAGED, INLINE = 6144, 10240
# Stands for what only AWS names: as long as the longest ARN of a stack, a secret's.
_ARN = "?" * 120
_MEND = "Keep several values in one secret: `container.secrets` takes a key behind its ARN (`ARN:key::`)."


def sizes(made: Plan) -> Iterator[Finding]:
    """Each managed policy, and the policies of each role together, where one of them is made or changed."""
    together: dict[Ref | str, list[Node]] = defaultdict(list)
    for node in made.stack:
        if str(node.kind) in ("Boundary", "RolePolicy"):
            together[node.props.get("RoleName", node.name)].append(node)
    for nodes in together.values():
        most = MANAGED if str(nodes[0].kind) == "Boundary" else INLINE
        size = sum(map(_size, nodes))
        verbs = {made.changes[node.name].verb for node in nodes}
        if size > most and not verbs.isdisjoint(("create", "replace", "update")):
            largest = max(nodes, key=_size)
            what = f"has {size} characters; IAM takes {most}"
            yield Finding(f"{largest.piece}/{largest.name}", what, _MEND, limit=most, needed=size)


def _size(node: Node) -> int:
    document = resolve(node.props["PolicyDocument"], lambda _: _ARN)
    return len(json.dumps(document, separators=(",", ":"), default=lambda _: _ARN))
