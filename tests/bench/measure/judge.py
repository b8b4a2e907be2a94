"""Whether the goals were reached."""

from __future__ import annotations

from collections.abc import Sequence

from goals import GOALS, Goal
from results import ANY, Results

SCALES = {"kib": ("bytes", 1024.0), "resident_mib": ("resident_kib", 1024.0), "gb_s": ("bytes_s", 1e9)}
"""What is measured in another unit than it is shown in."""


BELOW = "below the noise"
"""The verdict on a difference of two costs that came out as nothing or less: neither met nor missed."""


def difference(goal: Goal) -> bool:
    """Whether what is measured is what one cost has beyond another; both vary."""
    return goal.request == "share" or goal.way == "state"


def value(results: Results, name: str, goal: Goal, era: str, request: str) -> float | None:
    if request == "share":
        return results.share(name, era, goal.way)
    if request == "growth":
        return growth(results, name)
    figure, scale = SCALES.get(goal.figure, (goal.figure, 1.0))
    found = results.get(name, (goal.way, era, request), figure)
    return None if found is None else found / scale


def growth(results: Results, name: str) -> float | None:
    """CPU for each byte of a list of 1,000 tools, by that for each byte of a list of 20."""
    costs = []
    for count in ("1000", "20"):
        took, sent = (results.get(name, ("tools", ANY, count), what) for what in ("cpu_us", "bytes"))
        if not took or not sent:
            return None
        costs.append(took / sent)
    return costs[0] / costs[1]


def number(value: float | None) -> str:
    if value is None:
        return ""
    digits = 0 if value == int(value) or abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"


def best(values: Sequence[tuple[float, str]], goal: Goal) -> tuple[float, str] | None:
    return (max if goal.at_least else min)(values) if values else None


def as_ratio(results: Results, goal: Goal, name: str, era: str, mine: float, ratio: float | None) -> float | None:
    """How far off the goal is where the machine does not count; None: it is no ratio, or nothing is beside it."""
    if goal.request == "share":
        constant = results.get(name, (goal.way, era, "constant"), "cpu_us")
        ratio = constant / mine if constant and mine > 0 else None
    if not goal.then or ratio is None:
        return None
    return (goal.limit / goal.then if goal.at_least else goal.then / goal.limit) / ratio


def judged(results: Results, goal: Goal) -> list[str]:
    """What, goal, measured, best peer, ratio, verdict, verdict as a ratio."""
    limit = f"{'at least' if goal.at_least or goal.times else 'at most'} {number(goal.limit)}"
    head = [goal.what, f"{limit} times less than the peer" if goal.times else f"{limit} {goal.unit}"]
    worst: tuple[float, list[str]] | None = None
    farthest: float | None = None
    for era in goal.eras:
        for name in goal.ours:
            mine = value(results, name, goal, era, goal.request)
            if mine is None:
                continue
            told = [
                (found, peer)
                for peer in goal.peers
                if (found := value(results, peer, goal, era, goal.peer_request or goal.request)) is not None
            ]
            beside = best(told, goal)
            ratio = None if beside is None or mine <= 0 or beside[0] <= 0 else beside[0] / mine
            if goal.at_least and ratio:
                ratio = 1 / ratio
            measured = f"{number(mine)} {goal.unit}" + (f" ({era})" if len(goal.eras) > 1 else "")
            shown = "" if beside is None else f"{number(beside[0])} ({label(beside[1], goal)})"
            cells = [measured, shown, number(ratio)]
            relative = as_ratio(results, goal, name, era, mine, ratio)
            if relative is not None:
                farthest = max(relative, farthest or 0)
            if goal.times:
                # How many times too little.
                off = float("inf") if ratio is None else goal.limit / ratio
                cells.append(verdict(off, "no peer was measured" if ratio is None else ""))
            else:
                off = goal.limit / max(mine, 1e-9) if goal.at_least else mine / goal.limit if goal.limit else mine + 1
                said = verdict(off, f"{number(mine)} too many" if not goal.limit else "")
                cells.append(BELOW if mine <= 0 and difference(goal) else said)
            if worst is None or off > worst[0]:
                worst = off, cells
    cells = worst[1] if worst else ["", "", "", "not measured"]
    return [*head, *cells, cells[-1] if goal.times else "" if farthest is None else verdict(farthest, "")]


def label(peer: str, goal: Goal) -> str:
    return "serde_json" if goal.peer_request else peer


def verdict(off: float, why: str) -> str:
    """`off`: measured by the goal; up to 1 it is met."""
    if off <= 1:
        return "met"
    return (
        f"missed: {why}"
        if why
        else f"missed by {number((off - 1) * 100)} %"
        if off < 2
        else f"missed {number(off)} times"
    )


def table(results: Results) -> tuple[list[str], list[list[str]]]:
    """All goals: the head, and the rows."""
    head = ["what", "goal", "measured", "best peer", "peer / ours", "verdict", "as a ratio"]
    return head, [judged(results, goal) for goal in GOALS]
