"""The tables and the plot that `make bench` makes of its measurements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from contenders import HANDSHAKE, Contender

Key = tuple[str, str, str]
Results = Mapping[str, Mapping[Key, Mapping[str, float]]]


def number(value: float | None, digits: int = 1) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.{digits}f}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def figure(results: Results, one: Contender, key: Key, name: str) -> float | None:
    found = results[one.name].get(key)
    return None if found is None else found.get(name)


def report(chosen: Sequence[Contender], results: Results, requests: Sequence[str], eras: Sequence[str]) -> str:
    """All tables as Markdown."""
    parts: list[str] = []
    for era in eras:
        keys: list[Key] = [("stdio 32", era, request) for request in requests]
        rows = [
            [one.name, *(number(figure(results, one, key, "cpu_us")) for key in keys)]
            for one in chosen
            if any(key in results[one.name] for key in keys)
        ]
        parts.append(f"## stdio, 32 in flight, {era}: CPU for each request, in us\n\n" + table(["", *requests], rows))
    ways = [(way, era) for era in eras for way in ("http 1", "http 16")]
    rows = [
        [one.name, *(number(figure(results, one, (way, era, "add"), "cpu_us")) for way, era in ways)]
        for one in chosen
        if any((way, era, "add") in results[one.name] for way, era in ways)
    ]
    head = ["", *(f"{era}, {way.split()[1]} connections" for way, era in ways)]
    parts.append("## HTTP, `add`: CPU for each request, in us\n\n" + table(head, rows))
    rows = []
    for one in chosen:
        sequential = ("stdio 1", HANDSHAKE, "add")
        wide, cold = ("stdio 32", HANDSHAKE, "add"), ("cold", HANDSHAKE, "tools/list")
        if wide not in results[one.name]:
            continue
        rows.append(
            [
                one.name,
                number(figure(results, one, wide, "per_second")),
                number(figure(results, one, sequential, "p50_us")),
                number(figure(results, one, sequential, "p99_us")),
                number(figure(results, one, cold, "cold_ms")),
                number(figure(results, one, cold, "cpu_ms")),
                number((figure(results, one, cold, "resident_kib") or 0) / 1024),
            ]
        )
    head = ["stdio", "`add` a second", "p50 us, one core", "p99 us", "cold start ms", "of it CPU ms", "resident MiB"]
    parts.append("## stdio: throughput, latency, start, memory\n\n" + table(head, rows))
    parts.append("## Ratios: CPU of a peer by ours, `add` (and `tools/list`)\n\n" + ratios(chosen, results, eras))
    return "\n\n".join(parts)


def ratios(chosen: Sequence[Contender], results: Results, eras: Sequence[str]) -> str:
    rows = []
    for ours in (one for one in chosen if one.ours):
        for peer in (one for one in chosen if not one.ours and one.language in (ours.language, "floor")):
            cells = []
            for era in eras:
                for key in (("stdio 32", era, "add"), ("stdio 32", era, "tools/list"), ("http 16", era, "add")):
                    mine, theirs = figure(results, ours, key, "cpu_us"), figure(results, peer, key, "cpu_us")
                    cells.append(f"{theirs / mine:.1f}" if mine and theirs else "")
            if any(cells):
                rows.append([ours.name, peer.name, *cells])
    head = [
        "ours",
        "peer",
        *(f"{era} {what}" for era in eras for what in ("stdio add", "stdio tools/list", "HTTP add")),
    ]
    return table(head, rows)


def plot(chosen: Sequence[Contender], results: Results, caption: str) -> str:
    """CPU for each `add` on stdio and over HTTP, as bars on a logarithmic scale (SVG)."""
    from math import log10

    bars = [
        (f"{one.name}, {way}", value, one)
        for way, key in (("stdio", ("stdio 32", HANDSHAKE, "add")), ("HTTP", ("http 16", HANDSHAKE, "add")))
        for one in chosen
        if (value := figure(results, one, key, "cpu_us"))
    ]
    left, width, step = 230, 520, 22
    low, high = -1.0, 4.0
    height = 60 + step * len(bars)

    def x(value: float) -> float:
        return left + width * (min(max(log10(value), low), high) - low) / (high - low)

    size = f'width="{left + width + 70}" height="{height}"'
    title = f"CPU for each tools/call add, in us (less is better). {escape(caption)}"
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12">',
        f'<rect width="100%" height="100%" fill="white"/><text x="8" y="16">{title}</text>',
    ]
    for power in range(int(low), int(high) + 1):
        at = x(10.0**power)
        out.append(f'<line x1="{at:.1f}" y1="28" x2="{at:.1f}" y2="{height - 20}" stroke="#ddd"/>')
        out.append(f'<text x="{at:.1f}" y="{height - 6}" text-anchor="middle" fill="#666">{10.0**power:g}</text>')
    for index, (label, value, one) in enumerate(bars):
        y = 32 + step * index
        colour = "#1b7f5c" if one.ours else "#999" if one.language != "floor" else "#ccc"
        out.append(f'<text x="{left - 6}" y="{y + 12}" text-anchor="end">{escape(label)}</text>')
        out.append(f'<rect x="{left}" y="{y}" width="{x(value) - left:.1f}" height="16" fill="{colour}"/>')
        out.append(f'<text x="{x(value) + 4:.1f}" y="{y + 12}">{number(value)}</text>')
    out.append("</svg>")
    return "\n".join(out) + "\n"
