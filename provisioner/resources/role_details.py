"""Reads of many IAM roles in one call, and the conditions under which one call is worthwhile."""

from __future__ import annotations

from botocore.exceptions import ClientError

from provisioner.engine.calls.error_categories import ErrorCategory, categorize
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.service_clients import IAM

# For more roles than this, IAM needs several pages, and takes longer than reading only ours one by one.
MAX_ROLES = 300
# IAM's maximum page size (GetAccountAuthorizationDetails, MaxItems).
_PAGE_SIZE = 1000
_MIN_STACKS = 2


def read_role_details(iam: IAM, name: str) -> JsonObject | None:
    """Return a role with its policies, from GetAccountAuthorizationDetails's answer about all roles.

    Return None if the role has to be read by itself: the account has too many roles, AWS denies the call, or
    the answer lacks the role. The answer shows changes later than GetRole does, so a caller that finds a
    difference reads the role itself.
    """
    try:
        if not _is_batch_worthwhile(iam):
            return None
        reply = iam.get_account_authorization_details(Filter=["Role"], MaxItems=_PAGE_SIZE)
    except ClientError as error:
        if categorize(error) is not ErrorCategory.DENIED:
            raise
        return None
    return next((dict(role) for role in reply["RoleDetailList"] if role["RoleName"] == name), None)


def read_role_description(iam: IAM, name: str) -> JsonObject:
    """Return the role's description, which `read_role_details` lacks, as `{"Description": ...}`.

    It is taken from the list of all roles; return {} if the account has too many roles for one list.
    """
    roles = list_roles(iam, "/") if _has_few_roles(iam) else []
    return next(({"Description": role.get("Description", "")} for role in roles if role["RoleName"] == name), {})


def list_roles(iam: IAM, path: str) -> list[JsonObject]:
    """Return the roles below a path; if the account has few roles, take them from one list of all roles."""
    reply = iam.list_roles(MaxItems=_PAGE_SIZE) if _has_few_roles(iam) else iam.list_roles(PathPrefix=path)
    return [role for role in reply["Roles"] if role["Path"].startswith(path)]


def _is_batch_worthwhile(iam: IAM) -> bool:
    """Return whether one call for all roles is worthwhile: for several stacks, or for few roles."""
    return len(iam.batch_scope.suffixes) >= _MIN_STACKS or _has_few_roles(iam)


def _has_few_roles(iam: IAM) -> bool:
    """Return whether whole stacks are being read, and the account has few enough roles for one page."""
    if not iam.batch_scope.suffixes:
        return False
    try:
        return bool(iam.get_account_summary()["SummaryMap"]["Roles"] <= MAX_ROLES)
    except ClientError as error:
        if categorize(error) is not ErrorCategory.DENIED:
            raise
        return False
