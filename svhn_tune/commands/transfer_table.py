"""What confirm and status print of the same configurations on other images."""

from rich.console import Console

from ..console import print_table, print_text
from ..project.project import Project
from ..summary.transfer import say_transfer, show_mean, title_transfer, transfers
from ..summary.wording import as_sentence

TITLES = ["trial", "there", "runs", "rank", "here", "runs", "rank", "differs from the baseline in"]


def print_transfers(console: Console, project: Project) -> None:
    """A table for each other data set and length, and whether the order holds."""
    for found in transfers(project):
        rows = []
        for row in found.rows:
            ranks = ["-", "-"] if row.ranks is None else [f"{each:g}" for each in row.ranks]
            sides = [(row.there, ranks[1]), (row.here, ranks[0])]
            cells = [
                cell
                for side, rank in sides
                for cell in (show_mean(side), str(side.n if side else 0), rank)
            ]
            rows.append([f"{row.trial:03d}", *cells, row.changes])
        console.print()
        print_text(console, title_transfer(found))
        print_table(console, TITLES, rows, words=True)
        print_text(console, as_sentence(say_transfer(found)))
