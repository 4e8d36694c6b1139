"""What a teardown would do, as a person reads it and as a program does."""

from __future__ import annotations

from dataclasses import asdict

from provisioner.engine.blockers import Blocker, notes_of
from provisioner.engine.ending import Ending, Going
from provisioner.terminal.forecast import Forecast, show_forecast
from provisioner.terminal.say import Say


def show_ending(
    say: Say, suffix: str, ending: Ending, notes: list[str], forecast: Forecast, held: list[Blocker]
) -> None:
    """What goes, wave by wave, and what is lost with it; "No changes." alone where nothing stands."""
    if say.as_json:
        blocking = [asdict(one) for one in held]
        say.record("plan", **_as_record(suffix, ending, notes), held=blocking, **forecast.as_record())
        return
    for note in notes:
        say.data(note)
    _show_waves(say, ending)
    _show_words(say, "Left standing:", "=", [one.stays for one in ending.going])
    show_losses(say, [one.loses for one in ending.going])
    _show_held(say, held)
    count = sum(not one.stays for one in ending.going)
    say.data(f"Plan: 0 to add, 0 to change, {count} to destroy." if count else "No changes.")
    if count:
        show_forecast(say, forecast)


def _show_waves(say: Say, ending: Ending) -> None:
    """What goes, each after what needs it."""
    for number, wave in enumerate(ending.waves, start=1):
        say.data(f"Wave {number}{', at once' if number == 1 else ''}:")
        for one in (one for one in wave if not one.stays):
            say.data(f"  {say.paint('-', 'red')} {one.piece}/{one.node}: {_what(one)}")


def show_losses(say: Say, told: list[str]) -> None:
    """Show the data that is lost for good, a line each; nothing where nothing is told."""
    _show_words(say, "Lost for good:", "!", told)


def _show_words(say: Say, head: str, sign: str, told: list[str]) -> None:
    """A list under its head; nothing where nothing is told."""
    words = [one for one in told if one]
    if words:
        say.data(head)
    for one in words:
        say.data(f"  {say.paint(sign, 'red' if sign == '!' else 'dim')} {one}")


def _show_held(say: Say, held: list[Blocker]) -> None:
    """What keeps some of it, and what to do about that."""
    if held:
        say.data("Held by what is not this stack's:")
    for one in held:
        say.data(f"  {say.paint('!', 'red')} {one}")
    for note in notes_of(held):
        say.data(f"    {note}.")


def _what(one: Going) -> str:
    return f"{one.kind} {one.name or one.id}"


def _as_record(suffix: str, ending: Ending, notes: list[str]) -> dict[str, object]:
    changes = [
        {"action": "delete", "wave": number, **asdict(one)}
        for number, wave in enumerate(ending.waves, start=1)
        for one in wave
    ]
    gone = sum(not one.stays for one in ending.going)
    summary = {"add": 0, "change": 0, "destroy": gone, "finish": 0, "adopt": 0, "release": 0, "refused": 0}
    return {"suffix": suffix, "destroy": True, "notes": notes, "changes": changes, "summary": summary}
