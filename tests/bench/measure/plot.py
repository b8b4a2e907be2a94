"""The plot that `make bench` makes of its results (SVG): bars on a logarithmic scale, one group for each question."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import log10

from contenders import HANDSHAKE, Contender
from results import Key, Results

GROUPS: list[tuple[str, Key, str, float]] = [
    ("tools/call add on stdio, 32 in flight: CPU for each, us", ("stdio 32", HANDSHAKE, "add"), "cpu_us", 1),
    ("tools/list of 20 on stdio, 32 in flight: CPU for each, us", ("stdio 32", HANDSHAKE, "tools/list"), "cpu_us", 1),
    ("tools/call add over HTTP, 16 connections: CPU for each, us", ("http 16", HANDSHAKE, "add"), "cpu_us", 1),
    ("echo of 1 MiB on stdio: CPU for each, us", ("stdio 32", HANDSHAKE, "echo 1 MiB"), "cpu_us", 1),
    ("cold start to tools/list, ms", ("cold", HANDSHAKE, "tools/list"), "cold_ms", 1),
    ("resident when idle, MiB", ("cold", HANDSHAKE, "tools/list"), "resident_kib", 1024),
]
LEFT, WIDTH, STEP = 190, 500, 19
OURS, PEER, FLOOR = "#1b7f5c", "#a7adb3", "#d8dce0"


def ratio(one: Contender, bars: Sequence[tuple[Contender, float]], value: float) -> str:
    """Of a peer: how many times what ours takes, the best of its language; on Express, ours on Express."""
    same = [(other, mine) for other, mine in bars if other.ours and other.language == one.language]
    ours = [mine for other, mine in same if "Express" not in one.name or "Express" in other.name]
    if one.ours or not ours:
        return ""
    times = value / min(ours)
    return f"  ({times:,.0f} times ours)" if times >= 10 else f"  ({times:.1f} times ours)"


def shown(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def plot(chosen: Sequence[Contender], results: Results, captions: Sequence[str]) -> str:
    """The whole picture, with the date and the command under its title."""
    out: list[str] = []
    y = 30 + 16 * len(captions)
    for title, key, figure, scale in GROUPS:
        bars = [(one, value / scale) for one in chosen if (value := results.get(one.name, key, figure))]
        if not bars:
            continue
        low = min(value for _, value in bars) / 1.6
        high = max(value for _, value in bars)
        y += 26
        out.append(f'<text x="8" y="{y}" font-weight="bold">{escape(title)}</text>')
        y += 8
        for one, value in bars:
            long = WIDTH * log10(value / low) / max(log10(high / low), 0.1)
            colour = OURS if one.ours else FLOOR if one.language == "floor" else PEER
            text = escape(shown(value) + ratio(one, bars, value))
            out.append(f'<text x="{LEFT - 6}" y="{y + 12}" text-anchor="end">{escape(one.name)}</text>')
            out.append(
                f'<rect x="{LEFT}" y="{y}" width="{max(long, 2):.1f}" height="{STEP - 4}" rx="2" fill="{colour}"/>'
            )
            out.append(f'<text x="{LEFT + max(long, 2) + 5:.1f}" y="{y + 12}" fill="#333">{text}</text>')
            y += STEP
    size = f'width="{LEFT + WIDTH + 150}" height="{y + 16}" viewBox="0 0 {LEFT + WIDTH + 150} {y + 16}"'
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="system-ui, sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
        '<text x="8" y="22" font-size="15" font-weight="bold">'
        "mcpgraft beside the official servers (shorter is better, logarithmic)</text>",
        *(
            f'<text x="8" y="{40 + 16 * index}" fill="#666" font-size="11">{escape(text)}</text>'
            for index, text in enumerate(captions)
        ),
    ]
    return "\n".join([*head, *out, "</svg>"]) + "\n"
