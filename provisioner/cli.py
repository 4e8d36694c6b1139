"""The entry point of the installed program, `ml-api`, and of a checkout's `cli.py`."""

from __future__ import annotations

from provisioner import stopping


def main() -> None:
    """Run one command and exit with its code; a signal ends the process at once while it still imports."""
    stopping.end_at_once()  # until the command listens itself: its imports take time
    from provisioner.commands.main import main as run_command

    run_command()
