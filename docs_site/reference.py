"""The other reference pages that are made from the code: settings, exit codes, JSON, resource types, checks."""

from __future__ import annotations

import inspect
import json
from collections import defaultdict
from collections.abc import Iterator

from docs_site.markdown import code, escaped, table
from provisioner import errors
from provisioner.doctor.checks import CHECKS
from provisioner.engine.types.resource_type import ResourceType
from provisioner.iam import reference
from provisioner.report.security_controls import CONTROLS
from provisioner.resources import RESOURCE_TYPES
from provisioner.settings import Settings
from provisioner.settings.schema import SettingSchema, setting_schemas
from state.errors import ProvisionerError

# Exit codes that no error class carries.
_WITHOUT_ERROR = {
    0: "Done. For `plan`: planned.",
    2: "`plan --detailed-exitcode`: there are changes. `drift --detailed-exitcode`: there is drift.",
    130: "Interrupted by SIGINT (Ctrl-C); calls in flight were finished and recorded.",
    143: "Interrupted by SIGTERM; calls in flight were finished and recorded.",
}


def settings_page() -> str:
    """Return the page of all settings, a table for each section."""
    by_section: dict[str, list[SettingSchema]] = defaultdict(list)
    for schema in setting_schemas().values():
        by_section[schema.path.rpartition(".")[0]].append(schema)
    parts = ["# Settings\n", "How values are set: [Settings](../how-to/settings.md).\n"]
    for section, schemas in by_section.items():
        parts += [f"## {section or 'The stack'}\n", _section_help(section), _settings_table(schemas)]
    return "\n".join(parts)


def _section_help(section: str) -> str:
    field = Settings.model_fields.get(section)
    return f"{escaped(field.description)}\n" if field and field.description else ""


def _settings_table(schemas: list[SettingSchema]) -> str:
    rows = [(code(each.path), _default(each), escaped(each.accepted_values), escaped(each.help)) for each in schemas]
    return table(("setting", "default", "takes", "what it is"), rows)


def _default(schema: SettingSchema) -> str:
    if schema.seed_default == schema.default:
        return _value(schema.default)
    return f"{_value(schema.default)}; {_value(schema.seed_default)} in `seed`"


def _value(value: object) -> str:
    if value is None:
        return "unset"
    return code(value if isinstance(value, str) else json.dumps(value)) or '`""`'


def exit_codes_page() -> str:
    """Return the page of all exit codes, read from the error classes."""
    meanings: dict[int, list[tuple[str, str]]] = {number: [("", text)] for number, text in _WITHOUT_ERROR.items()}
    for error in _errors():
        if error.exit_code not in _WITHOUT_ERROR and error is not errors.Interrupted:
            result = code(str(error.result))
            meanings.setdefault(error.exit_code, []).append((result, inspect.cleandoc(error.__doc__ or "")))
    rows = [
        (str(number), result, escaped(" ".join(text.split())))
        for number, texts in sorted(meanings.items())
        for result, text in texts
    ]
    intro = (
        "# Exit codes\n\nThe second column is the `result` of the last line with `--json`. "
        "A command that works on several stacks ends with the highest code of them.\n"
    )
    return f"{intro}\n{table(('code', 'result', 'meaning'), rows)}"


def _errors() -> Iterator[type[ProvisionerError]]:
    """Yield the classes of the error tree, each before those that derive from it."""
    pending = [ProvisionerError]
    while pending:
        error = pending.pop(0)
        yield error
        pending += [each for each in error.__subclasses__() if each.__module__ in ("state.errors", errors.__name__)]


def resource_types_page() -> str:
    """Return the page of all resource types by service, with their calls and the IAM actions for them."""
    by_service: dict[str, list[tuple[str, ResourceType]]] = defaultdict(list)
    for name, resource_type in RESOURCE_TYPES.items():
        by_service[resource_type.service].append((name, resource_type))
    parts = [
        "# Resource types\n",
        "Each type with the calls that read, create, change and delete it, and the IAM actions that these calls "
        "need. `policy` prints them with resources and conditions for a stack.\n",
    ]
    for service in sorted(by_service):
        parts.append(f"## {service}\n")
        parts += [_resource_type(name, each) for name, each in sorted(by_service[service])]
    return "\n".join(parts)


def _resource_type(name: str, resource_type: ResourceType) -> str:
    rows = []
    for method, operations in resource_type.operations.items():
        actions = dict.fromkeys(reference.action_of(resource_type.service, each) for each in operations)
        rows.append((method.replace("_", " "), ", ".join(map(code, operations)), ", ".join(map(code, actions))))
    summary = escaped(inspect.cleandoc(type(resource_type).__doc__ or "").split("\n\n")[0].replace("\n", " "))
    return f"### {name}\n\n{summary}\n\n{table(('what', 'calls', 'IAM actions'), rows)}"


def checks_page() -> str:
    """Return the page of what `doctor` checks, and of the security controls of a report."""
    checks = [(code(each.name), each.stage, escaped(each.claim)) for each in CHECKS]
    controls = [(escaped(each.name), escaped(each.reason), code(each.setting)) for each in CONTROLS]
    return "\n".join(
        [
            "# Checks and controls\n",
            "## What `doctor` checks\n",
            "In this order; it stops at the first that is wrong, `--all` goes on.\n",
            table(("check", "stage", "what is true if nothing is wrong"), checks),
            "## Security controls of a report\n",
            "A control that does not hold is named with the resource that breaks it and the setting that mends it.\n",
            table(("control", "why", "setting"), controls),
        ]
    )
