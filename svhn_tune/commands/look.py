"""status, report, compare, check, describe, export, spaces, data: what is there, untrained."""

from pathlib import Path
from typing import Annotated

import typer

from ..errors import one_line
from .options import (
    AsJson,
    DataFolder,
    ProjectName,
    SpaceName,
    parse_assignments,
)
from .output import load_data, print_json


def status(project: ProjectName = None, as_json: AsJson = False) -> None:
    """Where the project stands."""
    from ..project.results import open_project
    from ..summary.status import status as read_status
    from .tables import print_status

    opened = open_project(project)
    if as_json:
        print_json(read_status(opened))
    else:
        print_status(opened)


def report(project: ProjectName = None) -> None:
    """Write results/<project>/report.html again, for a browser."""
    from ..project.results import open_project
    from ..report import write_report

    print(write_report(open_project(project)))


def compare(
    projects: Annotated[
        list[str], typer.Argument(metavar="PROJECT...", help="Names in results/, or folders.")
    ],
    as_json: AsJson = False,
) -> None:
    """The best confirmed configurations of several projects in one table, with their spread."""
    from ..project.results import open_project
    from ..summary.across import compare_projects
    from .compare_table import print_comparison

    found = compare_projects([open_project(name) for name in projects])
    if as_json:
        print_json([each.as_dict() for each in found])
    else:
        print_comparison(found)


def check(
    file: Annotated[Path, typer.Argument(help="A .keras file.")],
    space: SpaceName = "cnn",
    data: Annotated[
        str | None, typer.Option(help="Classify the test set of this folder, or of 'builtin'.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """May this file be handed in? Exit status 1 if not."""
    from ..models.spaces import load_space
    from ..submission.archive import require_file

    loaded = load_space(space)
    require_file(file)
    found = None if data is None else load_data(data, loaded.data)
    from ..project.results import find_origin
    from ..submission.check import check_submission
    from .tables import print_check

    result = check_submission(file, loaded, found, find_origin(file))
    if as_json:
        print_json(result)
    else:
        print_check(file, result)
    if not result["ok"]:
        raise typer.Exit(1)


def describe(
    space: SpaceName = "cnn",
    trial: Annotated[int | None, typer.Option(help="A trial of the space's project.")] = None,
    assign: Annotated[
        list[str] | None, typer.Option("--set", help="NAME=VALUE; may be given again.")
    ] = None,
    project: ProjectName = None,
    shape: Annotated[
        str, typer.Option("--input", help="Of --layer: HEIGHTxWIDTHxCHANNELS, or a length.")
    ] = "32x32x3",
    layer: Annotated[
        list[str] | None,
        typer.Option(help="No space: 'CONV D=2, w=h=3, S=1, P=0', and after it maybe others."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Layers, shapes, parameters and bytes of a model, without building it."""
    from .tables import print_convolutions, print_description

    if layer:
        from ..models.convolutions import explain_layers

        explained = explain_layers(shape, layer)
        if as_json:
            print_json(explained)
        else:
            print_convolutions(explained)
        return
    from ..models.describe import describe_values
    from ..models.spaces import load_space

    if trial is not None or project is not None:
        from ..project.results import open_project

        opened = open_project(project or Path(space).stem)
        loaded = opened.space
        base = loaded.baseline if trial is None else opened.values(trial)
    else:
        loaded = load_space(space)
        base = loaded.baseline
    chosen = parse_assignments(assign or [])
    description = describe_values(loaded, loaded.complete(chosen, base))
    if as_json:
        print_json(description)
    else:
        print_description(loaded, description)


def export(
    target: Annotated[Path, typer.Argument(help="The file, or for tensorboard the folder.")],
    to: Annotated[str, typer.Option(help="optuna (an SQLite storage) or tensorboard (logs).")],
    project: ProjectName = None,
) -> None:
    """Write the project for Optuna's dashboard or TensorBoard."""
    from ..exports import export as run_export
    from ..project.results import open_project

    shown_by = run_export(open_project(project), to, target)
    print(one_line(f"wrote {target}; to look at it: {shown_by}"))


def spaces(
    copy: Annotated[
        tuple[str, Path] | None,
        typer.Option(metavar="SPACE FILE.toml", help="Write a space's file there, to be changed."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """The spaces there are, or a copy of one's file."""
    from ..models.spaces import copy_space, load_space, space_names
    from .tables import print_spaces

    if copy:
        space, target = copy
        copy_space(space, target)
        if as_json:
            print_json({"space": space, "file": str(target)})
            return
        print(
            one_line(f"wrote {target}; to search it: python -m svhn_tune search --space {target}")
        )
        return
    loaded = [load_space(name) for name in space_names()]
    if as_json:
        print_json(
            [
                {
                    "name": space.name,
                    "title": space.title,
                    "hyperparameters": len(space.declarations),
                }
                for space in loaded
            ]
        )
    else:
        print_spaces(loaded)


def data(
    folder: DataFolder = None,
    space: SpaceName = "cnn",
    sheet: Annotated[Path, typer.Option(help="Where the contact sheet goes.")] = Path(
        "contact_sheet.png"
    ),
    as_json: AsJson = False,
) -> None:
    """What data is found for a space; writes a contact sheet to look at."""
    from ..models.spaces import load_space

    found = load_data(folder, load_space(space).data)
    from ..data.sheet import write_contact_sheet
    from .tables import print_data

    write_contact_sheet(found, sheet)
    names, train, test = found.sort()
    summary = {
        "name": found.name,
        "fingerprint": found.fingerprint,
        "synthetic": found.synthetic,
        "source": found.source,
        "classes": list(names),
        "train": train.counts(len(names)),
        "test": test.counts(len(names)),
        "contact_sheet": str(sheet),
    }
    if as_json:
        print_json(summary)
    else:
        print_data(summary, "class" if found.classes else "time")
