"""A data analyst's server: clean, analyse and transform records; sample data as a resource; the whole way as a prompt.

On standard input and output:   python data_analytics.py
Over HTTP, at /mcp:             python data_analytics.py http [PORT]     (or MCP_TRANSPORT=http)
"""

from __future__ import annotations

import json
import math
import os
import random
import re
import statistics
import sys
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any, Literal, TypedDict

from mcpgraft import Server, ToolError

Record = dict[str, Any]
server = Server("data-analytics", version="1.0.0")
NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,2}(,[0-9]{3})+|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")
MISSING = (None, "", "n/a", "N/A", "null", "NaN")


class CleanReport(TypedDict):
    rows_in: int
    rows_out: int
    duplicates_removed: int
    values_filled: int
    rows_dropped: int
    numbers_parsed: int


class Cleaned(TypedDict):
    records: list[Record]
    report: CleanReport


class Analysis(TypedDict):
    rows: int
    columns: dict[str, dict[str, Any]]
    correlations: dict[str, float]


def is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def as_number(text: str) -> int | float | None:
    """The number a text stands for ("1,204", "3.5"), or None. A leading zero makes it a code, not a number."""
    if not NUMBER.fullmatch(text):
        return None
    digits = text.replace(",", "")
    value = float(digits)
    if not math.isfinite(value):
        return None
    return int(digits) if digits.lstrip("-").isdigit() else value


def column_names(records: list[Record]) -> list[str]:
    """All columns, in the order in which they first occur."""
    return list(dict.fromkeys(name for record in records for name in record))


@server.tool
def clean_json_data(
    records: list[Record],
    missing: Literal["keep", "drop", "fill"] = "keep",
    drop_duplicates: bool = True,
) -> Cleaned:
    """Clean a list of JSON records: trims texts, reads numbers written as text, unifies missing values.

    Args:
        records: The records, one object a row
        missing: What happens to missing values: keep them as null, drop the row, or fill in the column's median
            (numbers) or most frequent value (anything else)
        drop_duplicates: Remove rows that are equal to an earlier one
    """
    names = column_names(records)
    parsed = 0
    rows: list[Record] = []
    for record in records:
        row: Record = {}
        for name in names:
            value = record.get(name)
            if isinstance(value, str):
                value = value.strip()
                number = as_number(value)
                if number is not None:
                    value, parsed = number, parsed + 1
            row[name] = None if isinstance(value, (str, type(None))) and value in MISSING else value
        rows.append(row)
    unique = list({json.dumps(row, sort_keys=True): row for row in rows}.values()) if drop_duplicates else rows
    dropped = filled = 0
    if missing == "drop":
        complete = [row for row in unique if None not in row.values()]
        dropped = len(unique) - len(complete)
    elif missing == "fill":
        complete = unique
        for name in names:
            known = [row[name] for row in unique if row[name] is not None]
            if not known:
                continue
            if all(map(is_number, known)):
                filler = statistics.median(known)
            else:
                filler = json.loads(Counter(json.dumps(value) for value in known).most_common(1)[0][0])
            for row in unique:
                if row[name] is None:
                    row[name], filled = filler, filled + 1
    else:
        complete = unique
    return {
        "records": complete,
        "report": {
            "rows_in": len(records),
            "rows_out": len(complete),
            "duplicates_removed": len(rows) - len(unique),
            "values_filled": filled,
            "rows_dropped": dropped,
            "numbers_parsed": parsed,
        },
    }


def describe(values: list[Any]) -> dict[str, Any]:
    """What one column holds."""
    known = [value for value in values if value is not None]
    summary: dict[str, Any] = {"count": len(known), "missing": len(values) - len(known)}
    if known and all(map(is_number, known)):
        quartiles = statistics.quantiles(known, n=4, method="inclusive") if len(known) > 1 else [known[0]] * 3
        return summary | {
            "type": "number",
            "min": min(known),
            "max": max(known),
            "mean": round(statistics.fmean(known), 6),
            "median": statistics.median(known),
            "quartiles": [round(q, 6) for q in quartiles],
            "stdev": round(statistics.stdev(known), 6) if len(known) > 1 else 0.0,
        }
    texts = [value if isinstance(value, str) else json.dumps(value, sort_keys=True) for value in known]
    top = Counter(texts).most_common(5)
    return summary | {"type": "category", "distinct": len(set(texts)), "most_frequent": [list(pair) for pair in top]}


def correlation(left: list[Any], right: list[Any]) -> float | None:
    """Pearson's correlation over the rows in which both are numbers, or None where it has no meaning."""
    pairs = [(a, b) for a, b in zip(left, right, strict=True) if is_number(a) and is_number(b)]
    if len(pairs) < 3:
        return None
    try:
        return round(statistics.correlation([a for a, _ in pairs], [b for _, b in pairs]), 6)
    except statistics.StatisticsError:  # a column that never changes
        return None


@server.tool
def analyze_dataset(records: list[Record], columns: list[str] | None = None) -> Analysis:
    """Describe a dataset: for each column its kind, spread and most frequent values, and how numbers go together.

    Args:
        records: The records, one object a row
        columns: Only these columns; all of them when left out
    """
    names = column_names(records)
    unknown = sorted(set(columns or ()) - set(names))
    if unknown:
        raise ToolError(f"unknown columns {', '.join(unknown)}; the records have {', '.join(names) or 'none'}")
    chosen = columns or names
    data = {name: [record.get(name) for record in records] for name in chosen}
    described = {name: describe(values) for name, values in data.items()}
    numeric = [name for name in chosen if described[name].get("type") == "number"]
    correlations: dict[str, float] = {}
    for index, first in enumerate(numeric):
        for second in numeric[index + 1 :]:
            value = correlation(data[first], data[second])
            if value is not None:
                correlations[f"{first}~{second}"] = value
    return {"rows": len(records), "columns": described, "correlations": correlations}


AGGREGATES: dict[str, Callable[[list[Any]], Any]] = {
    "count": len,
    "sum": math.fsum,
    "mean": statistics.fmean,
    "min": min,
    "max": max,
}


def grouped(rows: list[Record], by: str, aggregate: str, column: str | None) -> list[Record]:
    """One row a group: the group's value and the aggregate of a column (the number of rows for "count")."""
    if aggregate != "count" and column is None:
        raise ToolError(f"aggregate {aggregate!r} needs value_column, the column to take it of")
    groups: dict[str, list[Record]] = defaultdict(list)
    for row in rows:
        groups[json.dumps(row.get(by), sort_keys=True)].append(row)
    result: list[Record] = []
    for key, members in groups.items():
        values: list[Any] = members
        if aggregate != "count" and column is not None:
            values = [member[column] for member in members if is_number(member.get(column))]
        label = aggregate if column is None or aggregate == "count" else f"{aggregate}_{column}"
        result.append({by: json.loads(key), label: AGGREGATES[aggregate](values) if values else None})
    return result


@server.tool
def transform_data(
    records: list[Record],
    where: dict[str, Any] | None = None,
    select: list[str] | None = None,
    rename: dict[str, str] | None = None,
    group_by: str | None = None,
    aggregate: Literal["count", "sum", "mean", "min", "max"] = "count",
    value_column: str | None = None,
    sort_by: str | None = None,
    descending: bool = False,
    limit: int | None = None,
) -> list[Record]:
    """Filter, group, select, rename, sort and cut records, in this order.

    Args:
        records: The records, one object a row
        where: Keep the rows in which each of these columns has this value, or one of these when it is a list
        select: Keep only these columns
        rename: New names of columns, by old name
        group_by: One row for each value of this column
        aggregate: What is computed for each group
        value_column: The column the aggregate is taken of
        sort_by: Sort by this column; rows without it come last
        descending: Greatest first
        limit: The most rows to return
    """
    rows = [dict(record) for record in records]
    for name, wanted in (where or {}).items():
        accepted = wanted if isinstance(wanted, list) else [wanted]
        rows = [row for row in rows if row.get(name) in accepted]
    if group_by is not None:
        rows = grouped(rows, group_by, aggregate, value_column)
    if select is not None:
        rows = [{name: row.get(name) for name in select} for row in rows]
    if rename:
        rows = [{rename.get(name, name): value for name, value in row.items()} for row in rows]
    if sort_by is not None:
        present = [row for row in rows if row.get(sort_by) is not None]
        absent = [row for row in rows if row.get(sort_by) is None]
        # Numbers first, by value, then texts: values of different kinds are never compared with each other.
        present.sort(
            key=lambda row: (0, row[sort_by], "") if is_number(row[sort_by]) else (1, 0, str(row[sort_by])),
            reverse=descending,
        )
        rows = present + absent
    return rows[:limit]


@server.resource("dataset://sample/{rows}", mime_type="application/json")
def sample_dataset(rows: int) -> list[Record]:
    """Sample sales data; the same for the same number of rows (1 to 10,000)."""
    if not 1 <= rows <= 10_000:
        raise ToolError("rows has to be between 1 and 10,000")
    dice = random.Random(42)
    products = {"notebook": 2.5, "pen": 1.2, "stapler": 8.9, "lamp": 24.0}
    sales: list[Record] = []
    for number in range(1, rows + 1):
        product = dice.choice(sorted(products))
        units = dice.randint(1, 40)
        sales.append(
            {
                "id": number,
                "region": dice.choice(["north", "south", "east", "west"]),
                "product": product,
                "units": units if dice.random() > 0.05 else None,
                "revenue": round(units * products[product] * dice.uniform(0.9, 1.1), 2),
            }
        )
    return sales


@server.prompt
def data_analysis_workflow(goal: str, rows: int = 100) -> str:
    """A way through a data analysis with this server's tools.

    Args:
        goal: The question to answer
        rows: How much sample data to use
    """
    return (
        f"Answer this question about the data: {goal}\n\n"
        f"1. Read the resource dataset://sample/{rows} (or ask for the user's own records).\n"
        "2. Call clean_json_data; use missing='fill' unless gaps matter to the question.\n"
        "3. Call analyze_dataset and name the columns that matter, with their spread and correlations.\n"
        "4. Call transform_data to group and sort by what the question asks.\n"
        "5. Answer in three sentences, with the numbers that carry the answer and what they cannot show."
    )


if __name__ == "__main__":
    transport = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("MCP_TRANSPORT", "stdio")
    if transport == "http":
        server.run("http", port=int(sys.argv[2]) if len(sys.argv) > 2 else 8000)
    else:
        server.run(transport)
