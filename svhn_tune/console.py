"""How tables look on stdout: one console, one kind of table, one way to say durations."""

from rich.console import Console
from rich.table import Table


def make_console() -> Console:
    """Stdout, unwrapped."""
    # Values such as [3, 5] are no markup, and a pipe has no width to wrap at.
    console = Console(highlight=False, markup=False, soft_wrap=True)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, soft_wrap=True, width=120)
    return console


def make_table(*columns: str) -> Table:
    """A table without lines: the first column to the left, the others to the right."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for index, column in enumerate(columns):
        table.add_column(column, justify="left" if index == 0 else "right", no_wrap=True)
    return table


def format_seconds(seconds: float) -> str:
    """`42 s`, `12.3 min` or `8.1 h`."""
    for size, unit in ((3600.0, "h"), (60.0, "min")):
        # 59.96 minutes would read 60.0.
        if seconds >= 0.999 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"
