"""journal: a torn last line is forgiven, and nothing else that is no record."""

import json
import math
import subprocess
import sys

import pytest

from svhn_tune.errors import InputError
from svhn_tune.journal.lines import append_record, create_journal, read_journal

RECORDS = [
    {"event": "trial", "trial": 0, "values": {"padding": "same", "l2_1": 1e-5}},
    {"event": "run", "trial": 0, "score": 0.1 + 0.2, "metrics": {"loss": [2.5, None]}},
    {"event": "trial", "trial": 1, "values": {"name": "é\n\u2028"}},
]


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "journal.jsonl"
    create_journal(path)
    for record in RECORDS:
        append_record(path, record)
    return path


def test_records_are_read_as_they_were_appended(path):
    assert read_journal(path) == (2, RECORDS)


def test_every_line_is_one_json_object_and_the_first_says_the_format(path):
    lines = [json.loads(line) for line in path.read_text().split("\n")[:-1]]
    assert lines == [{"event": "journal", "format": 2}, *RECORDS]


def test_a_journal_is_not_created_over_another(path):
    with pytest.raises(FileExistsError):
        create_journal(path)
    assert read_journal(path) == (2, RECORDS)


def test_a_torn_last_line_is_forgiven_at_every_byte(path):
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        whole = max(content[:length].count(b"\n") - 1, 0)
        assert read_journal(path) == (2, RECORDS[:whole])


def test_appending_after_a_torn_line_leaves_whole_records_at_every_byte(path):
    content = path.read_bytes()
    added = {"event": "run", "trial": 7}
    for length in range(len(content) + 1):
        path.write_bytes(content[:length])
        whole = max(content[:length].count(b"\n") - 1, 0)
        append_record(path, added)
        assert read_journal(path) == (2, [*RECORDS[:whole], added])


@pytest.mark.parametrize("damage", [b'{"event": "ru', b"", b"[1, 2]", b"7", b'{"trial": 3}'])
@pytest.mark.parametrize("line", [1, 2, 3])
def test_a_damaged_middle_is_an_error_that_names_the_line(path, line, damage):
    lines = path.read_bytes().split(b"\n")
    lines[line - 1] = damage
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(
        InputError, match=rf"journal\.jsonl line {line} is damaged: .*-n {line - 1}"
    ):
        read_journal(path)


def test_bytes_that_are_no_text_are_an_error_that_names_the_line(path):
    lines = path.read_bytes().split(b"\n")
    lines[1] = b"\xff\xfe\x00"
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(InputError, match="line 2 is damaged"):
        read_journal(path)


@pytest.mark.parametrize("first", [{"event": "journal", "format": 3}, {"event": "trial"}])
def test_another_format_is_refused(path, first):
    lines = path.read_bytes().split(b"\n")
    lines[0] = json.dumps(first).encode()
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(
        InputError, match=f"format {first.get('format')}, this version reads 1 and 2"
    ):
        read_journal(path)


def test_a_missing_journal_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match=r"cannot read the journal .*none\.jsonl"):
        read_journal(tmp_path / "none.jsonl")


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_what_is_no_json_number_is_not_written(path, number):
    before = path.read_bytes()
    with pytest.raises(ValueError, match="not JSON compliant"):
        append_record(path, {"event": "run", "score": number})
    assert path.read_bytes() == before


def test_a_record_that_does_not_fit_on_the_disk_leaves_the_journal_as_it_was(path):
    pytest.importorskip("resource")
    before = path.read_bytes()
    program = """
import resource, sys
from pathlib import Path
from svhn_tune.journal.lines import append_record

path = Path(sys.argv[1])
limit = path.stat().st_size + 20
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
try:
    append_record(path, {"event": "run", "values": "x" * 100})
except OSError:
    sys.exit(7)
"""
    done = subprocess.run([sys.executable, "-c", program, path], capture_output=True)
    assert (done.returncode, done.stderr) == (7, b"")
    assert path.read_bytes() == before
