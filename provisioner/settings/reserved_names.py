"""Names that PostgreSQL and RDS reserve for roles and databases."""

from __future__ import annotations

from provisioner.errors import quoted

# The reserved words of PostgreSQL 17 (documentation, appendix C), also those allowed for functions or types.
POSTGRES_KEYWORDS = frozenset(
    """
    all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate
    collation column concurrently constraint create cross current_catalog current_date current_role
    current_schema current_time current_timestamp current_user default deferrable desc distinct do else end
    except false fetch for foreign freeze from full grant group having ilike in initially inner intersect
    into is isnull join lateral leading left like limit localtime localtimestamp natural not notnull null
    offset on only or order outer overlaps placing primary references returning right select session_user
    similar some symmetric system_user table tablesample then to trailing true union unique user using
    variadic verbose when where window with
    """.split()  # noqa: SIM905 - one word a line would be a hundred lines
)
# aws/aws-cdk#5125, awslabs/aws-saas-boost#180: "a reserved word used by the engine"; rdsadmin:
# aws-cloudformation/cfn-lint#4425; the roles that RDS creates: Aurora user guide, PostgreSQL roles.
RDS_ROLES = frozenset({"admin", "rdsadmin", "rdsrepladmin", "rdstopmgr", "rdsproxyadmin", "rdswriteforwarduser"})
# PostgreSQL, src/backend/catalog/pg_authid and parser/gram.y (RoleSpec): no role can have these names, even
# in quotes.
IMPOSSIBLE_ROLES = frozenset({"public", "none"})
# The databases that every Aurora cluster has.
BUILT_IN_DATABASES = frozenset({"postgres", "template0", "template1", "rdsadmin"})


def validate_role_name(name: str) -> str:
    """Return the name of a role; raise ValueError if PostgreSQL or RDS reserves it."""
    if name in RDS_ROLES or name.startswith("rds_"):
        raise ValueError(f"{quoted(name)} is reserved by RDS")
    if name.startswith("pg_"):
        raise ValueError(f"{quoted(name)} is reserved by PostgreSQL, as all names of roles that begin with pg_")
    if name in POSTGRES_KEYWORDS | IMPOSSIBLE_ROLES:
        raise ValueError(f"{quoted(name)} is a reserved word of PostgreSQL")
    return name


def validate_database_name(name: str) -> str:
    """Return the name of a database; raise ValueError if PostgreSQL or RDS reserves it."""
    lower_case = name.lower()
    if lower_case in BUILT_IN_DATABASES | RDS_ROLES:
        raise ValueError(f"{quoted(name)} is a database of every cluster, or reserved by RDS")
    if lower_case in POSTGRES_KEYWORDS:
        raise ValueError(f"{quoted(name)} is a reserved word of PostgreSQL")
    return name
