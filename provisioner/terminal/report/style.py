"""The CSS of the report and its diagram, in a light and a dark colour scheme."""

from __future__ import annotations

from provisioner.terminal.graph_svg import css_for_both_schemes

# Each text colour has a contrast of 4.5 or more to its background (WCAG 2.2, 1.4.3).
_LIGHT = {
    "ground": "#fff",
    "ink": "#1b1f24",
    "pale": "#5b6472",
    "line": "#d5dae1",
    "card": "#f6f7f9",
    "box": "#fff",
    "zone": "#eef2f8",
    "good": "#15703a",
    "busy": "#92540a",
    "changed": "#6d28d9",
    "bad": "#b91c1c",
    "unknown": "#5b6472",
    "work": "#2563eb",
    "wait": "#bfdbfe",
    "note": "#fff7e6",
}
_DARK = {
    "ground": "#14171c",
    "ink": "#e6e8eb",
    "pale": "#a3acb8",
    "line": "#363d48",
    "card": "#1b1f26",
    "box": "#232831",
    "zone": "#1a212c",
    "good": "#4ade80",
    "busy": "#fbbf24",
    "changed": "#c4b5fd",
    "bad": "#fca5a5",
    "unknown": "#a3acb8",
    "work": "#60a5fa",
    "wait": "#274a78",
    "note": "#33280f",
}


def color_variables(selector: str) -> str:
    """Return the CSS rule that sets the colours of both schemes as variables for a selector."""
    light, dark = ("; ".join(f"--{name}:{value}" for name, value in colors.items()) for colors in (_LIGHT, _DARK))
    return f"{selector} {{ color-scheme: light dark; {light} }}\n" + (
        f"@media screen and (prefers-color-scheme: dark) {{ {selector} {{ {dark} }} }}\n"
    )


_STATUSES = ("good", "busy", "changed", "bad", "unknown")

# The rules from which words and bars of the page get their colours.
STATUS_CSS = "\n".join(f".{state} {{ --state: var(--{state}) }}" for state in _STATUSES)

_DIAGRAM_STATUS_RULES = "\n".join(
    f".map .{state} .mark, .map .{state} .word, .map .word.{state} {{ fill: var(--{state}) }}" for state in _STATUSES
)
DIAGRAM_CSS = css_for_both_schemes(
    f"""
.map {{ background: var(--ground); font-family: system-ui, sans-serif }}
.map .ground {{ fill: var(--ground) }}
.map text {{ fill: var(--ink) }} .map .title {{ font-weight: 600 }} .map .pale {{ fill: var(--pale) }}
.map .head {{ font-size: 16px; font-weight: 600 }}
.map .region {{ fill: var(--card); stroke: var(--line); stroke-dasharray: 5 4 }}
.map .network {{ fill: var(--ground); stroke: var(--line) }}
.map .zone {{ fill: var(--zone) }} .map .subnet {{ fill: none; stroke: var(--line) }}
.map .box {{ fill: var(--box); stroke: var(--line) }}
.map .way {{ fill: none; stroke: var(--pale); stroke-width: 1.5 }} .map .tip {{ fill: var(--pale) }}
{_DIAGRAM_STATUS_RULES}
""",
    _LIGHT,
    _DARK,
)

PAGE_CSS = """
* { box-sizing: border-box }
body { background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; margin: 0 }
.sheet { max-width: 1020px; margin: 0 auto; padding: 20px 14px 40px }
h1 { font-size: 1.5rem; line-height: 1.2; margin: 0 0 .2rem; overflow-wrap: anywhere }
h2 { font-size: 1.1rem; margin: 2.2rem 0 .6rem } p { margin: 0 0 .6rem } .pale { color: var(--pale) }
.small { font-size: .85rem } code { font: .9em ui-monospace, monospace; overflow-wrap: anywhere }
.warning { background: var(--note); border: 1px solid var(--busy); border-radius: 6px; padding: .6rem .8rem }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 10px;
  margin: 1rem 0 0 }
.figures div { background: var(--card); border-radius: 6px; padding: .5rem .8rem }
.figures dt { color: var(--pale); font-size: .85rem }
.figures dd { margin: 0; font-size: 1.15rem; font-weight: 600 }
.state { color: var(--state); font-weight: 600 } .state::before { content: "\\25CF\\00A0" }
.met::before { content: "\\2713\\00A0"; color: var(--good) }
.topics { display: grid; grid-template-columns: repeat(auto-fit, minmax(290px, 1fr)); gap: 0 2rem }
.topics > :last-child { grid-column: 1 / -1 }
h3 { font-size: .9rem; margin: .6rem 0 0; color: var(--pale); font-weight: 600 }
.topics li { padding: .15rem 0; border: 0; font-size: .9rem }
dl.pairs { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: 0 }
dl.pairs dt { color: var(--pale) } dl.pairs dd { margin: 0; overflow-wrap: anywhere }
ul { list-style: none; margin: 0; padding: 0 } li { padding: .35rem 0; border-top: 1px solid var(--line) }
li:first-child { border-top: 0 } li .pale { font-size: .85rem } li, td { overflow-wrap: anywhere }
.row { display: flex; flex-wrap: wrap; gap: 0 1rem; justify-content: space-between }
.columns { columns: 300px; column-gap: 2rem } .columns li { break-inside: avoid; border: 0; padding: .1rem 0 }
table { border-collapse: collapse; width: 100% } td, th { text-align: left; padding: .25rem .6rem .25rem 0 }
td, th { border-top: 1px solid var(--line); vertical-align: bottom } tr:first-child > * { border-top: 0 }
.n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums;
  padding: .25rem 0 .25rem .8rem }
tr.sum td { font-weight: 600 } details { margin: .6rem 0 } summary { cursor: pointer; color: var(--pale) }
.bar { height: 8px; background: var(--card); border-radius: 4px; margin: .2rem 0; overflow: hidden }
.bar i { display: block; height: 100%; min-width: 3px; background: var(--state); border-radius: 4px }
.gantt .row2 { display: grid; grid-template-columns: minmax(6rem, 11rem) 1fr 4rem; gap: .5rem;
  align-items: center }
.gantt .name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-size: .85rem }
.gantt .longest .name { font-weight: 700 }
.track { position: relative; height: 10px; background: var(--card); border-radius: 3px }
.track i { position: absolute; top: 0; height: 100%; min-width: 2px; border-radius: 2px;
  background: var(--work) }
.track i.wait { background: var(--wait) }
.map { display: block; width: 100%; height: auto } .map.narrow { display: none }
@media (max-width: 640px) { .map.wide { display: none } .map.narrow { display: block }
  dl.pairs { grid-template-columns: 1fr; gap: 0 } dl.pairs dd { margin-bottom: .5rem } }
@media print { .map.wide { display: block } .map.narrow { display: none }
  details::details-content { content-visibility: visible; display: block; block-size: auto } }
"""
