"""report.html: one file that opens offline and asks nothing of the network.

It reads a project; beside the page it writes the spreadsheets. All text of space files, values and
folders is escaped.
"""

import base64
import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from html import unescape
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ..console import format_seconds
from ..errors import cannot_write
from ..files import write_atomically
from ..project.project import Project
from ..summary.status import status as read_status
from ..summary.wording import as_sentence, say_cap, say_provenance
from .answer import answer
from .other_images import compare_images, list_all_runs
from .repetition import list_facts, repeat_commands
from .spreadsheets import write_spreadsheets
from .tables import list_trials, tabulate_architectures

TEMPLATES = Path(__file__).parent / "templates"
REM_PER_AXIS = 6


@dataclass(frozen=True)
class Picture:
    """A figure of the page: its drawing, and where it is interactive, what plotly draws.

    `folded` is a drawing that is shown when it is asked for, `hint` how to use the interactive one,
    `width` what that needs at least, in rem.
    """

    name: str
    title: str
    caption: str
    svg: str
    folded: str | None = None
    interactive: str | None = None
    headline: str = ""
    hint: str = ""
    width: float = 0


def write_report(project: Project) -> Path:
    """Write results/<project>/report.html, whole or not at all, and the tables as .csv.

    Returns:
        The path of the page.

    Raises:
        InputError: it cannot be written.
    """
    path = project.folder / "report.html"
    page = render(project)
    try:
        write_atomically(path, page)
    except OSError as error:
        raise cannot_write(path, error.strerror) from None
    write_spreadsheets(project)
    return path


def render(project: Project) -> str:
    """The page as text."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    status = read_status(project)
    pictures = draw_pictures(project)
    script = (TEMPLATES / "report.js").read_text(encoding="utf-8")
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html").render(
        project=project,
        banners=_list_banners(project),
        answer=answer(project, status),
        counts=_count(project, status),
        pictures=[
            {
                **vars(picture),
                "svg": Markup(picture.svg),
                "folded": picture.folded and Markup(picture.folded),
                "interactive": picture.interactive and Markup(picture.interactive),
            }
            for picture in pictures
        ],
        trials=list_trials(project),
        architectures=tabulate_architectures(project),
        other_images=compare_images(project),
        confirm_runs=list_all_runs(project),
        commands=repeat_commands(project),
        facts=list_facts(project, status),
        policy=_forbid_network(script),
        style=Markup((TEMPLATES / "report.css").read_text(encoding="utf-8")),
        script=Markup(script),
        packed_plotly=Markup(_pack_plotly(pictures)),
        written=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        version=version("svhn_tune"),
    )


def draw_pictures(project: Project) -> list[Picture]:
    """All figures that have something to show, in their order."""
    from ..figures import FIGURES, Figures
    from ..figures.parallel import draw_still
    from .drawings import draw_svg

    figures = Figures(project)
    pictures = []
    for entry in FIGURES:
        figure = getattr(figures, entry.name)()
        if figure is None:
            continue
        still = figure if hasattr(figure, "savefig") else draw_still(figure)
        others = getattr(figures, entry.folded)() if entry.folded else None
        picture = Picture(
            entry.name,
            entry.title,
            " ".join(filter(None, [entry.reading, as_sentence(say_provenance(project))])),
            draw_svg(still, entry.name),
            draw_svg(others, f"{entry.name}-folded") if others else None,
        )
        explored = getattr(figures, entry.explored)() if entry.explored else None
        pictures.append(picture if explored is None else _add_interactive(picture, explored))
    return pictures


def _add_interactive(picture: Picture, figure: Any) -> Picture:
    """The picture with what plotly draws; its headline is the page's, which breaks lines."""
    from ..figures import HOW_TO_ZOOM
    from .drawings import pack_figure

    headline = unescape(figure.layout.title.text)
    figure.update_layout(title=None, margin_t=30)
    dimensions = getattr(figure.data[0], "dimensions", ())
    return replace(
        picture,
        interactive=pack_figure(figure),
        headline=headline,
        hint="" if dimensions else HOW_TO_ZOOM,
        width=REM_PER_AXIS * len(dimensions),
    )


def _pack_plotly(pictures: list[Picture]) -> str:
    from .drawings import pack_plotly

    return pack_plotly() if any(picture.interactive for picture in pictures) else ""


def _list_banners(project: Project) -> list[str]:
    banners = []
    data = project.settings.data
    if data.synthetic:
        banners.append(as_sentence(f"{data.name}: no number here is about real images"))
    if project.settings.validate_on == "test":
        banners.append(
            "The search validated on the test set: what it chose has optimistic scores there."
        )
    return banners


def _count(project: Project, status: dict[str, Any]) -> list[tuple[str, str]]:
    trials = status["trials"]
    counts = [
        ("trials completed", f"{trials['completed']:,}"),
        ("of them collapsed", f"{trials['collapsed']:,}"),
        ("running", f"{trials['running']:,}"),
        ("failed", f"{trials['failed']:,}"),
        ("epochs trained", f"{status['epochs_trained']:,}"),
        ("time of training", format_seconds(status["seconds_trained"])),
    ]
    if status["seconds_spent"]:
        counts.append(("time on the clock", format_seconds(status["seconds_spent"])))
    if status["cap"]:
        told = say_cap(project.space.objective, **status["cap"])
        counts.append(("left out as too dear", as_sentence(told)))
    if status["submission"] and status["handed_in"] and not status["answers"]:
        file = "the file to hand in" if status["handed_in"]["final"] else "the best file"
        counts.append((file, status["submission"]))
    counts += [
        (f"the file of question {each['question']}", each["file"])
        for each in status["answers"]
        if each["file"]
    ]
    return counts


def _forbid_network(script: str) -> str:
    """A policy under which the browser loads nothing, and runs no script but the page's own.

    plotly.js makes functions from text when it draws on a GPU, which is what 'unsafe-eval' allows.
    """
    own = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{own}' 'unsafe-eval'; "
        f"style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
