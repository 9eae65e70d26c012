"""What compare prints for people: a line per project."""

from ..console import make_console, print_table, print_text
from ..summary.across import Contender
from ..summary.wording import describe_interval, with_provenance


def print_comparison(found: list[Contender]) -> None:
    """A line for the best configuration of each project, the best first."""
    console, objective = make_console(), found[0].project.space.objective
    caption = f"{objective.metric} on the test set, the best confirmed of each project"
    print_text(console, with_provenance(found[0].project, caption))
    rows = []
    for each in found:
        entry, summary = each.entry, each.entry.summary
        spread = "" if summary.sd is None else f" ± {objective.say(summary.sd)}"
        rows.append(
            [
                each.project.name,
                each.asked,
                f"{summary.n} of {entry.epochs}",
                f"{objective.say(summary.mean)}{spread}",
                describe_interval(summary.ci95, objective.form),
                _say_against(each, objective.form),
                f"{each.parameters:,}",
                f"{entry.seconds / 60:.1f}",
            ]
        )
    titles = ["project", "asked for", "runs of epochs", "mean ± SD", "95 % interval"]
    titles += ["against the first", "parameters", "minutes a run"]
    print_table(console, titles, rows, left=2)
    print_text(
        console,
        "mean ± SD: of runs from fresh seeds, and their spread; against the first: the difference "
        "of the means and the verdict (a tie: no difference is shown)",
        indent=2,
    )


def _say_against(each: Contender, form: str) -> str:
    if each.against is None:
        return "-"
    told = f"{each.against.difference:+{form}}"
    return f"{told}, no verdict" if each.against.p is None else f"{told} {each.against.verdict}"
