"""A matrix as lines of text no wider than the terminal: blocks of columns when it is wide, a list when it is huge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.text import Text

from swarmlab.reports.matrix import LEGEND, NOTHING, UNPROVEN, VIOLATED, Matrix
from swarmlab.reports.styles import STYLE
from swarmlab.reports.text import shortened

LONGEST_ROW, LONGEST_COLUMN = 22, 14  # characters of a name before its middle is left out
MOST_NAMES = 32  # more than that and nobody reads a matrix
GAP = 2


@dataclass(frozen=True)
class _Names:
    """What stands beside the rows and above the columns."""

    rows: dict[str, str]
    columns: dict[str, str]

    @property
    def room(self) -> int:
        """Columns of the terminal that the row names take."""
        return max(map(len, self.rows.values()), default=0)


def grid(matrix: Matrix, width: int) -> Iterator[Text]:
    """The rows, header first; numbers for columns when names do not fit, then blocks of columns one below the other."""
    names = _Names(shortened(list(matrix.names), LONGEST_ROW), shortened(list(matrix.names), LONGEST_COLUMN))
    if len(matrix.names) > MOST_NAMES:
        yield from _listed(matrix, names)
        return
    blocks = _blocks(matrix, names, width)
    if len(blocks) > 1:
        names = _numbered(names)
        blocks = _blocks(matrix, names, width)
    for number, block in enumerate(blocks):
        if number:
            yield Text()
        yield from _block(matrix, names, block)


def _numbered(names: _Names) -> _Names:
    digits = len(str(len(names.rows)))
    rows = {name: f"{number:>{digits}} {label}" for number, (name, label) in enumerate(names.rows.items(), 1)}
    return _Names(rows, {name: str(number) for number, name in enumerate(names.columns, 1)})


def _column(matrix: Matrix, name: str, header: str) -> int:
    return max(len(header), *(len(matrix.cell(source, name).text) for source in matrix.names)) + GAP


def _blocks(matrix: Matrix, names: _Names, width: int) -> list[list[str]]:
    blocks: list[list[str]] = []
    used = room = width - names.room
    for name in matrix.names:
        need = _column(matrix, name, names.columns[name])
        if not blocks or used + need > room:
            blocks.append([])
            used = 0
        blocks[-1].append(name)
        used += need
    return blocks


def _block(matrix: Matrix, names: _Names, block: Sequence[str]) -> Iterator[Text]:
    widths = {name: _column(matrix, name, names.columns[name]) for name in block}
    gap = " " * GAP
    yield _trimmed(
        Text(" " * names.room), *(Text((gap + names.columns[name]).ljust(widths[name]), "bold") for name in block)
    )
    for source in matrix.names:
        row = [Text(names.rows[source].ljust(names.room), "bold")]
        for name in block:
            cell = matrix.cell(source, name)
            row.append(Text.assemble(gap, (cell.text, STYLE[cell.symbol]), " " * (widths[name] - GAP - len(cell.text))))
        yield _trimmed(*row)


def _trimmed(*parts: Text) -> Text:
    text = Text.assemble(*parts)
    text.rstrip()
    return text


def _listed(matrix: Matrix, names: _Names) -> Iterator[Text]:
    for source in matrix.names:
        count = Counter(matrix.cell(source, target).symbol for target in matrix.names)
        parts = [
            Text(f"  {symbol} {count[symbol]}", STYLE[symbol])
            for symbol in LEGEND
            if count[symbol] and symbol != NOTHING
        ]
        bad = [names.rows[name] for name in matrix.names if matrix.cell(source, name).symbol in (VIOLATED, UNPROVEN)]
        more = f", … {len(bad) - 3} more" if len(bad) > 3 else ""
        tail = f"  ({', '.join(bad[:3])}{more})" if bad else ""
        yield Text.assemble((names.rows[source].ljust(names.room), "bold"), *parts, tail)


def legend(symbols: Sequence[str], width: int) -> Iterator[Text]:
    """What the symbols that occur mean, on as few lines as fit."""
    row = Text()
    for symbol in symbols:
        entry = Text.assemble((symbol, STYLE[symbol]), f" {LEGEND[symbol]}")
        if row and len(row) + 3 + len(entry) > width:
            yield row
            row = Text()
        row = Text.assemble(row, "   " if row else "", entry)
    if row:
        yield row
