"""What the commands share: where the data are, and what is said beside the result."""

import json
import shutil
import sys
import textwrap
from typing import Any

from ..errors import InputError


def load_data(where: str | None, source: str, quiet: bool = False) -> Any:
    """The data of `--data`, and a note if they only stand in for those of the source."""
    from .. import data

    found = data.load_data(where, source)
    if found.synthetic and not quiet:
        missing = data.SOURCES[source].missing
        note(f"the data are the {found.name}" + ("" if where else f" ({missing})"))
    return found


def try_report(project: Any, quiet: bool = False) -> None:
    """Write the report of what search or confirm did, whose results stand in any case."""
    try:
        from ..report import write_report

        path = write_report(project)
        if not quiet:
            note(f"the report is {path}")
    except Exception as error:
        reason = str(error) if isinstance(error, InputError) else repr(error)
        note(
            f"the report could not be written, all results are saved: {reason}; "
            f"`python -m svhn_tune report --project {project.folder}` tries again"
        )


def note(text: str) -> None:
    """Tell a person on stderr."""
    tell(f"note: {text}")


def tell(text: str) -> None:
    """Print on stderr: one line, which a terminal gets wrapped at spaces."""
    if sys.stderr.isatty():
        width = shutil.get_terminal_size().columns
        text = textwrap.fill(text, width, break_long_words=False, break_on_hyphens=False)
    print(text, file=sys.stderr)


def print_json(document: Any) -> None:
    """One document on stdout."""
    print(json.dumps(document, indent=2))
