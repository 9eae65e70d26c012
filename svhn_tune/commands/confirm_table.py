"""What confirm prints for people: the table, the verdict, the file's own accuracy."""

from itertools import groupby
from typing import Any

from rich.console import Console

from ..console import make_table
from ..project.project import Project
from ..summary.confirmed import Confirmed, compare_class_weights, summarize_confirmed
from ..summary.wording import conclude, describe_interval, describe_used, with_provenance

WIDE = 115  # characters that all columns take, and how many fit into 80
SPLIT = 5


def print_summaries(console: Console, project: Project, status: dict[str, Any]) -> None:
    """A table for each number of epochs, the longest first, and what follows from the first."""
    objective = project.space.objective.metric
    entries = summarize_confirmed(project)
    for epochs, group in groupby(entries, key=lambda entry: entry.epochs):
        heading = f"\nconfirmed: {objective} on the test set, {epochs} epochs, fresh seeds"
        console.print(with_provenance(project, heading))
        _print_table(console, list(group))
    longest = [entry for entry in entries if entry.epochs == entries[0].epochs]
    for line in conclude(longest, status):
        console.print(line)


def _print_table(console: Console, entries: list[Confirmed]) -> None:
    titles = ["trial", "runs", "mean ± sd", "95 % interval", "against the baseline", "P(beats it)"]
    titles += ["col-\nlapsed", "search said\n(epochs)", "drop"]
    rows = [_list_cells(entry) for entry in entries]
    # Where nine columns do not fit there are two tables, each with the trials.
    split = len(titles) if console.width >= WIDE else SPLIT
    for columns in ([*range(split)], [0, *range(split, len(titles))]):
        if len(columns) > 1:
            table = make_table(*[titles[column] for column in columns])
            table.padding = (0, 1, 0, 0)
            for row in rows:
                table.add_row(*[row[column] for column in columns])
            console.print(table)
    for line in describe_used(entries):
        console.print(line)


def _list_cells(entry: Confirmed) -> list[str]:
    spread = "" if entry.summary.sd is None else f"±{entry.summary.sd:.4f}"
    said = entry.search_score
    return [
        f"{entry.trial:03d}",
        str(entry.summary.n),
        f"{entry.summary.mean:.4f}{spread}",
        describe_interval(entry.summary.ci95, ".4f"),
        *_describe_against(entry),
        str(entry.collapsed),
        "-" if said is None else f"{said:.4f} ({entry.search_epochs})",
        "-" if said is None else f"{entry.drop:+.4f}",
    ]


def _describe_against(entry: Confirmed) -> tuple[str, str]:
    """The difference with its interval and the verdict; the probability with its interval."""
    against = entry.against_baseline
    if entry.baseline:
        return "the baseline", "-"
    if entry.left_out:
        return "not chosen", "-"
    if against is None:
        return "-", "-"
    interval = describe_interval(against.ci95, "+.4f")
    bounds = describe_interval(against.probability_ci95, ".2f")
    return (
        f"{against.difference:+.4f} ({interval}) {against.verdict:6}",
        f"{against.probability:.2f} ({bounds})",
    )


def print_answers(console: Console, project: Project, status: dict[str, Any]) -> None:
    """The answer of each question of the space in its form, and what it rests on."""
    if status["answers"]:
        console.print(with_provenance(project, "\nanswers to the questions of the space"))
    for each in status["answers"]:
        console.print(f"question {each['question']}: {each['title']}")
        for line in filter(None, [each["answer"], *each["notes"]]):
            console.print(f"  {line}")


def print_class_weights(console: Console, project: Project) -> None:
    """Confusion without and with class weights, side by side, where both are confirmed."""
    compared = compare_class_weights(project)
    if not compared:
        return
    says = [
        f"{word} class weights: trial {each['trial']:03d} (class_weight={each['class_weight']})"
        for word, each in zip(("without", "with"), compared, strict=True)
    ]
    console.print(f"\n{'; '.join(says)}")
    console.print("means over runs; rows: true class; columns: predicted class")
    labels = [str(index) for index in range(len(compared[0]["confusion"]))]
    table = make_table("class", *labels, "accuracy", *labels, "accuracy")
    for index, label in enumerate(labels):
        cells = []
        for each in compared:
            cells += [f"{count:.0f}" for count in each["confusion"][index]]
            share = each["accuracy"][index]
            cells.append("-" if share is None else f"{share:.3f}")
        table.add_row(label, *cells)
    console.print(table)
