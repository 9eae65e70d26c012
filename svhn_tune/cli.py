"""The command line: names the commands, and is the only place that prints errors for people."""

import os
import signal
import sys
from typing import Any, NoReturn

import typer
from typer.exceptions import TyperException

from .commands.look import check, data, describe, export, report, spaces, status
from .commands.train import confirm, plan, search
from .errors import InputError

INTERRUPTED = 130  # what typer, too, makes of a KeyboardInterrupt

app = typer.Typer(
    help="From a search space to a .keras file that can be handed in.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

for command in (search, confirm, plan, status, report, check, describe, export, spaces, data):
    app.command()(command)


def _interrupt(*_: Any) -> NoReturn:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    raise KeyboardInterrupt


def _leave(*_: Any) -> NoReturn:
    """A second Ctrl-C: at once, and with the cursor that a live picture hides."""
    if sys.stderr.isatty():
        os.write(sys.stderr.fileno(), b"\x1b[?25h\r\n")
    os._exit(INTERRUPTED)


def main() -> NoReturn:
    """Run the command line; every error a person can make is one line and exit status 2."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        code = app(sys.argv[1:] or ["--help"], standalone_mode=False)
    except (InputError, TyperException) as error:
        text = error.format_message() if isinstance(error, TyperException) else str(error)
        # A library's message within ours may have several lines.
        print("error:", *map(str.strip, text.splitlines()), file=sys.stderr)
        code = 2
    except KeyboardInterrupt:
        code = INTERRUPTED
    if code == INTERRUPTED:
        print("stopped; what was trained is saved: the same command goes on", file=sys.stderr)
    sys.exit(code or 0)
