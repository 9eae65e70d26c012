"""The command line: names the commands, and is the only place that prints errors for people."""

import os
import signal
import sys
import threading
from importlib.metadata import version
from typing import Annotated, Any, NoReturn

import typer
from typer.exceptions import TyperException

from .commands.look import check, compare, data, describe, export, report, spaces, status
from .commands.output import tell
from .commands.streams import guard_streams
from .commands.train import confirm, plan, search
from .errors import InputError, one_line

INTERRUPTED = 130  # what typer, too, makes of a KeyboardInterrupt

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"svhn_tune {version('svhn_tune')}")
        raise typer.Exit


@app.callback()
def _main(
    _: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """From a search space to a .keras file that can be handed in."""


COMMANDS = (search, confirm, plan, status, report, compare, check, describe, export, spaces, data)
for command in COMMANDS:
    app.command()(command)


def _interrupt(*_: Any) -> NoReturn:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    raise KeyboardInterrupt


def _interrupt_again(lost: "sys.UnraisableHookArgs") -> None:
    """Raise a KeyboardInterrupt again that fell into a destructor or a weak reference's callback.

    Python prints what is raised there and goes on, so that a Ctrl-C would be lost.
    """
    if not isinstance(lost.exc_value, KeyboardInterrupt):
        sys.__unraisablehook__(lost)
        return
    signal.signal(signal.SIGINT, _interrupt)
    main_thread = threading.main_thread().ident
    again = threading.Timer(0.01, signal.pthread_kill, (main_thread, signal.SIGINT))
    again.daemon = True
    again.start()


def _leave(*_: Any) -> NoReturn:
    """A second Ctrl-C: at once, and with the cursor that a live picture hides."""
    if sys.stderr.isatty():
        os.write(sys.stderr.fileno(), b"\x1b[?25h\r\n")
    os._exit(INTERRUPTED)


def main() -> NoReturn:
    """Run the command line; every error a person can make is one line and exit status 2."""
    guard_streams()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    sys.unraisablehook = _interrupt_again
    try:
        try:
            code = app(sys.argv[1:] or ["--help"], standalone_mode=False)
        finally:
            sys.stdout.flush()
    except TyperException as error:
        code = _refuse(error.format_message())
    except InputError as error:
        code = _refuse(str(error))
    except BrokenPipeError:
        code = 1
    except OSError as error:
        # What no module foresaw: a disk that fails, a name that is too long for it.
        code = _refuse(f"cannot read or write {error.filename or 'a file'}: {error.strerror}")
    except MemoryError:
        code = _refuse("this machine has not enough memory for that")
    except KeyboardInterrupt:
        code = INTERRUPTED
    if code == INTERRUPTED:
        print("stopped; what was trained is saved: the same command goes on", file=sys.stderr)
    sys.exit(code or 0)


def _refuse(text: str) -> int:
    tell(f"error: {one_line(text)}")
    return 2
