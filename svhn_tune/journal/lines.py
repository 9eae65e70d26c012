"""results/<project>/journal.jsonl: one JSON object per line, appended, flushed and fsynced.

All that is known of a project follows from it. A last line that a kill cut short is dropped; any
other line that is no JSON object is an error. What lines mean is known to record_types.py.

A project keeps the format that it was begun with. In format 1 a run that failed or diverged has the
worst score, not null: what is read of it is upgraded, what is written downgraded.
"""

import json
import os
from io import FileIO
from pathlib import Path
from typing import Any

from ..errors import InputError, shorten
from ..files import parse_json
from ..space.objective import Objective

FORMAT = 2
READ = (1, FORMAT)
HEADER = b'{"event": "journal", "format": %d}\n' % FORMAT
Line = dict[str, Any]


def create_journal(path: Path) -> None:
    """Begin an empty journal with the line that says its format."""
    with path.open("xb") as file:
        file.write(HEADER)
        file.flush()
        os.fsync(file.fileno())


def append_record(path: Path, record: Line) -> None:
    """Append one record; when this returns it is on the disk, whole.

    Raises:
        OSError: it could not be written (disk full, read-only); the journal is as it was.
    """
    line = json.dumps(record, allow_nan=False).encode() + b"\n"
    # Unbuffered: after a failed write, a buffer would be written again on closing.
    with path.open("r+b", buffering=0) as file:
        end = _cut_torn_line(file)
        if end == 0:
            line = HEADER + line
        try:
            while line:
                line = line[file.write(line) :]
            os.fsync(file.fileno())
        except OSError:
            file.truncate(end)
            raise


def read_journal(path: Path) -> tuple[int, list[Line]]:
    """The journal's format, and the lines below the one that says it.

    There are none where a kill has torn that line.

    Raises:
        InputError: no journal, one of another format, or a line in its middle that is no record.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read the journal {path}: {error.strerror}") from None
    lines = content[: _end_of_whole_lines(content)].splitlines()
    records = [_parse(path, number, line) for number, line in enumerate(lines, start=1)]
    found = records[0].get("format") if records else FORMAT
    if found not in READ or (records and records[0]["event"] != "journal"):
        raise InputError(
            f"{path} has journal format {shorten(found)}, this version reads "
            f"{' and '.join(map(str, READ))}: use "
            f"the version of svhn_tune that wrote it, or another --project"
        )
    return found, records[1:]


def _cut_torn_line(file: FileIO) -> int:
    """Cut off a last line without its newline; returns where the next line begins."""
    end = file.seek(0, os.SEEK_END)
    file.seek(max(end - 1, 0))
    if end and file.read(1) != b"\n":
        file.seek(0)
        end = _end_of_whole_lines(file.read())
        file.truncate(end)
    return file.seek(end)


def _end_of_whole_lines(content: bytes) -> int:
    return content.rfind(b"\n") + 1


def _parse(path: Path, number: int, line: bytes) -> Line:
    try:
        record = parse_json(line)
    except ValueError:
        record = None
    if not isinstance(record, dict) or "event" not in record:
        raise InputError(
            f"{path} line {number} is damaged: restore the file from a copy, or cut it off there "
            f"(head -n {number - 1}) and lose what came after"
        )
    return record


def upgrade(line: Line, objective: Objective) -> Line:
    """A line of format 1 as it would be in today's."""
    if line["event"] != "run" or line.get("score") != objective.worst:
        return line
    if line.get("status") != "failed" and line.get("collapsed") is not True:
        return line
    return line | {"score": None}


def downgrade(line: Line, objective: Objective) -> Line:
    """A line of today's format as it would be in format 1."""
    if line["event"] != "run" or line["score"] is not None:
        return line
    return line | {"score": objective.worst}
