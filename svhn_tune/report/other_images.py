"""The part of the page about the same configurations on other images."""

from dataclasses import dataclass

from ..project.project import Project
from ..project.transfer import list_others
from ..summary.transfer import say_transfer, show_mean, title_transfer, transfers
from ..summary.wording import as_sentence
from .tables import MISSING, Cell, Column, Table, list_confirm_runs, name_trial, show_number


@dataclass(frozen=True)
class OtherImages:
    """A comparison: whether the order holds, in a sentence, and the table of both."""

    sentence: str
    table: Table


def compare_images(project: Project) -> list[OtherImages]:
    """A comparison for each other data set and length that confirm has trained."""
    columns = [
        Column("trial"),
        *(Column(title) for title in ("there", "runs there", "rank there")),
        *(Column(title) for title in ("here", "runs here", "rank here")),
        Column("differs from the baseline in", is_number=False),
    ]
    found = []
    for number, each in enumerate(transfers(project)):
        rows = []
        for row in each.rows:
            cells = [name_trial(row.trial)]
            for place, side in ((1, row.there), (0, row.here)):
                cells.append(Cell(show_mean(side), side.mean) if side else MISSING)
                cells.append(show_number(side.n if side else 0, "d"))
                cells.append(show_number(row.ranks and row.ranks[place], "g"))
            rows.append([*cells, Cell(row.changes)])
        caption = as_sentence(title_transfer(each)).removesuffix(".")
        table = Table(f"other-images-{number}", caption, columns, rows)
        found.append(OtherImages(as_sentence(say_transfer(each)), table))
    return found


def list_all_runs(project: Project) -> list[Table]:
    """Every run of confirm, a table for each data set that it has trained on."""
    tables = (list_confirm_runs(each) for each in (project, *list_others(project)))
    return [table for table in tables if table is not None]
