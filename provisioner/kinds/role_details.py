"""IAM's one answer about all roles of the account, and when it is worth asking for."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.faults import Fault, fault_of
from provisioner.engine.refs import Doc

# Of more roles IAM tells in several pages, and takes longer than for ours one by one.
_FEW = 300
# IAM's most for one page (GetAccountAuthorizationDetails, MaxItems).
_PAGE = 1000
_SEVERAL = 2


def detail(iam: Any, name: str) -> Doc | None:
    """A role with all that it may do, in one look at many things; None where it is to be asked by itself.

    AWS tells of a change here later than where the role itself is asked: who finds a difference asks there.
    """
    try:
        if not _is_worth_it(iam):
            return None
        told = iam.get_account_authorization_details(Filter=["Role"], MaxItems=_PAGE)
    except ClientError as error:
        if fault_of(error) is not Fault.DENIED:
            raise
        return None
    return next((dict(role) for role in told["RoleDetailList"] if role["RoleName"] == name), None)


def described(iam: Any, name: str) -> Doc:
    """What the list of all roles says of one, and `detail` does not; nothing where only ours are asked."""
    roles = listed(iam, "/") if _has_few(iam) else []
    return next(
        ({"Description": role.get("Description", "")} for role in roles if role["RoleName"] == name), {}
    )


def listed(iam: Any, path: str) -> list[Doc]:
    """The roles below a path; where there are few, from the list of all that is asked for once."""
    whole = iam.list_roles(MaxItems=_PAGE) if _has_few(iam) else iam.list_roles(PathPrefix=path)
    return [role for role in whole["Roles"] if role["Path"].startswith(path)]


def _is_worth_it(iam: Any) -> bool:
    return len(iam.peers.suffixes) >= _SEVERAL or _has_few(iam)


def _has_few(iam: Any) -> bool:
    """Whether this is a look at whole stacks in an account with so few roles that all are told at once."""
    if not iam.peers.suffixes:
        return False
    try:
        return bool(iam.get_account_summary()["SummaryMap"]["Roles"] <= _FEW)
    except ClientError as error:
        if fault_of(error) is not Fault.DENIED:
            raise
        return False
