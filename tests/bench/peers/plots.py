"""Plots as SVG: bars beside each other, drawn from the rows and from nothing else."""

from collections.abc import Mapping, Sequence
from html import escape

WIDTH, LEFT, RIGHT = 720, 170, 60
BAR, GAP, GROUP_GAP, TOP = 16, 3, 14, 44
COLORS = ("#1d4ed8", "#64748b", "#94a3b8", "#b45309", "#047857", "#7e22ce", "#be123c", "#0e7490")


def bars(title: str, groups: Mapping[str, Mapping[str, float]], names: Sequence[str]) -> str:
    """Draw a bar for each value of each group, a line where the value is 1."""
    greatest = max((value for group in groups.values() for value in group.values()), default=1.0)
    scale = (WIDTH - LEFT - RIGHT) / max(greatest, 1.0)
    parts, y = [], TOP
    for group, values in groups.items():
        parts.append(_text(8, y + BAR - 4, group, weight="bold"))
        for name in names:
            if name not in values:
                continue
            value, color = values[name], COLORS[names.index(name) % len(COLORS)]
            width = value * scale
            parts.append(f'<rect x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR}" fill="{color}"/>')
            parts.append(_text(LEFT - 6, y + BAR - 4, name, anchor="end"))
            parts.append(_text(round(LEFT + width + 4, 1), y + BAR - 4, f"{value:g}"))
            y += BAR + GAP
        y += GROUP_GAP
    one = LEFT + scale
    line = f'<line x1="{one:.1f}" y1="{TOP - 8}" x2="{one:.1f}" y2="{y - GROUP_GAP}" stroke="#111827"'
    parts.append(f'{line} stroke-dasharray="3 3"/>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" font-family="sans-serif" '
        f'font-size="11" fill="#111827" role="img" aria-label="{escape(title)}">\n'
        f'<rect width="{WIDTH}" height="{y}" fill="#ffffff"/>\n'
        + _text(8, 20, title, weight="bold", size=14)
        + "\n"
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _text(
    x: float, y: float, text: str, *, anchor: str = "start", weight: str = "normal", size: int = 11
) -> str:
    how = f'text-anchor="{anchor}" font-weight="{weight}" font-size="{size}"'
    return f'<text x="{x:g}" y="{y:g}" {how}>{escape(text)}</text>'
