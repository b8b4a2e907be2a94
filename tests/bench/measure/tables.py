"""The tables that `make bench` makes of its results, as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import judge
from contenders import BOTH, HANDSHAKE, Contender
from parts import REQUESTS
from results import ANY, Key, Results

Cell = Callable[[Contender], str]


def number(value: float | None, digits: int = 1) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.{digits}f}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def section(
    title: str, chosen: Sequence[Contender], results: Results, columns: Sequence[tuple[str, Cell]], keys: Sequence[Key]
) -> str:
    """A table of those who have any of the keys."""
    rows = [[one.name, *(cell(one) for _, cell in columns)] for one in chosen if results.has(one.name, keys)]
    return f"## {title}\n\n" + table(["", *(head for head, _ in columns)], rows) if rows else ""


def report(chosen: Sequence[Contender], results: Results) -> str:
    """All tables."""

    def of(key: Key, figure: str, scale: float = 1.0, digits: int = 1) -> Cell:
        def cell(one: Contender) -> str:
            value = results.get(one.name, key, figure)
            if value is None:
                return "failed" if (one.name, key) in results.failures else ""
            return number(value / scale, digits)

        return cell

    def share(era: str) -> Cell:
        return lambda one: number(results.share(one.name, era))

    def per_kib(count: int) -> Cell:
        def cell(one: Contender) -> str:
            took, sent = (results.get(one.name, ("tools", ANY, str(count)), what) for what in ("cpu_us", "bytes"))
            return number(took / sent * 1024, 2) if took and sent else ""

        return cell

    def shown(title: str, columns: Sequence[tuple[str, Cell]], keys: Sequence[Key]) -> str:
        return section(title, chosen, results, columns, keys)

    parts = ["## Goals\n\n" + table(*judge.table(results))]
    for era in BOTH:
        keys = [("stdio 32", era, request) for request in REQUESTS]
        columns = [(key[2], of(key, "cpu_us")) for key in keys]
        parts.append(shown(f"stdio, 32 in flight, {era}: CPU for each request, us", columns, keys))
    wide: list[Key] = [("stdio 32", era, "add") for era in BOTH] + [("http 16", era, "add") for era in BOTH]
    columns = [
        (f"{key[0].split()[0]} {key[1]}: {what}", of(key, figure))
        for key in wide
        for what, figure in (("a second", "per_second"), ("p50 us", "p50_us"), ("p99 us", "p99_us"))
    ]
    parts.append(
        shown("`add`, stdio with 32 in flight and HTTP with 16 connections: throughput and latency", columns, wide)
    )
    keys = [("http 16", era, "add") for era in BOTH]
    columns = [
        (f"{era}: {what}", cell)
        for era in BOTH
        for what, cell in (
            ("whole", of(("http 16", era, "add"), "cpu_us")),
            ("a constant", of(("http 16", era, "constant"), "cpu_us")),
            ("our share", share(era)),
        )
    ]
    parts.append(shown("HTTP, 16 connections, `add`: CPU for each request, us", columns, keys))
    sequential: list[Key] = [(way, era, "add") for way in ("stdio 1", "http 1") for era in BOTH]
    columns = [
        (f"{key[0].split()[0]} {key[1]}: {what}", of(key, figure))
        for key in sequential
        for what, figure in (("p50 us", "p50_us"), ("p99 us", "p99_us"), ("CPU us", "cpu_us"))
    ]
    parts.append(shown("`add`, one at a time, client and server on one core: latency", columns, sequential))
    cold: list[Key] = [("cold", era, "tools/list") for era in BOTH]
    loaded, size = ("import", ANY, ""), ("size", ANY, "")
    columns = [
        *((f"cold start to tools/list, {key[1]}, ms", of(key, "cold_ms")) for key in cold),
        ("of it CPU, ms", of(cold[0], "cpu_ms")),
        ("resident when idle, MiB", of(cold[0], "resident_kib", 1024)),
        ("import, ms", of(loaded, "import_ms")),
        ("installed, MiB", of(size, "total_mib")),
        ("its own, MiB", of(size, "own_mib")),
        ("packages", of(size, "packages", 1, 0)),
    ]
    parts.append(shown("Start, memory, import, installed size", columns, [*cold, loaded, size]))
    ours = [
        f"{one.name}: {what} {number(value)} MiB"
        for one in chosen
        for what, figure in (("wheel", "wheel_mib"), ("addon", "addon_mib"))
        if (value := results.get(one.name, size, figure)) is not None
    ]
    if ours:
        parts.append(", ".join(ours) + ".")
    inside: list[Key] = [
        (f"inproc {way}", era, request)
        for way in ("messages", "HTTP")
        for request in ("add", "tools/list")
        for era in BOTH
    ]
    columns = [(f"{key[0].split()[1]}, {key[2]}, {key[1]}", of(key, "cpu_us", 1, 2)) for key in inside]
    parts.append(shown("In process, request bytes to response bytes: CPU, us", columns, inside))
    left: list[Key] = [("state", HANDSHAKE, "session"), *(("state", era, "listen") for era in BOTH)]
    columns = [
        ("a session, KiB", of(left[0], "bytes", 1024, 2)),
        ("opening it, CPU us", of(left[0], "open_us")),
        *(
            (f"a listen stream, {key[1]}, {what}", of(key, figure, scale, 2))
            for key in left[1:]
            for what, figure, scale in (
                ("KiB", "bytes", 1024),
                ("opening it, CPU us", "open_us", 1),
                ("beyond a constant", "beside_us", 1),
            )
        ),
    ]
    parts.append(shown("What an old client leaves, and what one that listens costs beside its socket", columns, left))
    many: list[Key] = [("tools", ANY, "20"), ("tools", ANY, "1000")]
    columns = [
        ("registering one of 20, CPU us", of(many[0], "register_us")),
        ("one of 1,000", of(many[1], "register_us")),
        ("tools/list of 20, CPU us", of(many[0], "cpu_us")),
        ("of 1,000", of(many[1], "cpu_us")),
        ("of 20, KiB", of(many[0], "bytes", 1024)),
        ("of 1,000, KiB", of(many[1], "bytes", 1024)),
        ("of 20, us a KiB", per_kib(20)),
        ("of 1,000, us a KiB", per_kib(1000)),
    ]
    parts.append(shown("1,000 tools, in process", columns, many))
    parts.append("## CPU of a peer by ours, `add` and `tools/list`\n\n" + ratios(chosen, results))
    failed = [
        f"- {name}: {' '.join(filter(None, key))}: `{why.replace('`', '')}`"
        for (name, key), why in results.failures.items()
    ]
    if failed:
        parts.append("## Not measured\n\n" + "\n".join(failed))
    return "\n\n".join(part for part in parts if part)


def ratios(chosen: Sequence[Contender], results: Results) -> str:
    """How many times the CPU of ours each peer takes."""
    rows = []
    ways = (("stdio 32", "add"), ("stdio 32", "tools/list"), ("http 16", "add"))
    for ours in (one for one in chosen if one.ours):
        for peer in (one for one in chosen if not one.ours and one.language == ours.language):
            cells = []
            for era in BOTH:
                for way, request in ways:
                    mine, theirs = (results.get(one.name, (way, era, request), "cpu_us") for one in (ours, peer))
                    cells.append(f"{theirs / mine:.1f}" if mine and theirs else "")
            if any(cells):
                rows.append([ours.name, peer.name, *cells])
    heads = [f"{era} {way.split()[0]} {request}" for era in BOTH for way, request in ways]
    return table(["ours", "peer", *heads], rows)
