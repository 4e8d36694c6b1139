"""Who may take the stack's roles, and how far they reach."""

from __future__ import annotations

from pydantic import Field

from provisioner.settings.section import Section


class Roles(Section):
    """IAM roles."""

    bound_trust: bool = Field(
        False, description="only tasks of this account and region take the roles of tasks"
    )
