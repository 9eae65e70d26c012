"""console: at any width no number is cut, and words wrap at spaces."""

import pytest

from svhn_tune.console import make_console, print_table, print_text, say_count

TITLES = ["trial", "mean ± SD", "against the baseline", "bytes"]
ROWS = [["000", "0.3264 ± 0.2350", "the baseline", "401,613"]]
ROWS += [["017", "0.1596 ± 0.0144", "+0.1668 (-0.8532..+1.0000) tie", "13,120,744"]]
VALUES = "learning_rate=0.001464445620234129 kernel_initializer=lecun_uniform units=512"


@pytest.fixture
def printed(monkeypatch, capsys):
    """What is printed at a width, or in a pipe (None): its lines."""

    def show(width, *args, table=True, **options):
        if width is None:
            monkeypatch.delenv("COLUMNS", raising=False)
        else:
            monkeypatch.setenv("COLUMNS", str(width))
        (print_table if table else print_text)(make_console(), *args, **options)
        return capsys.readouterr().out.splitlines()

    return show


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120, None])
def test_every_cell_is_whole_at_every_width(printed, width):
    text = "\n".join(printed(width, TITLES, ROWS))
    for cell in [*TITLES, *ROWS[0], *ROWS[1]]:
        assert cell in text
    assert "…" not in text


@pytest.mark.parametrize("width", [44, 60, 80, 120])
def test_a_table_is_no_wider_than_the_terminal_and_names_its_rows_in_each_part(printed, width):
    lines = printed(width, TITLES, ROWS)
    assert max(map(len, lines)) <= width
    parts = sum(line.startswith("trial") for line in lines)
    assert parts == sum(line.startswith("017") for line in lines) == (1 if width >= 80 else parts)
    assert (parts > 1) == (width < 70)


def test_columns_to_the_right_end_at_one_place(printed):
    lines = printed(80, TITLES, ROWS)
    assert len({len(line) for line in lines}) == 1
    assert lines[2].startswith("017    0.1596 ± 0.0144  +0.1668")


@pytest.mark.parametrize("width", [50, 80])
def test_words_without_room_beside_stand_below_their_row_whole(printed, width):
    rows = [[*row, VALUES] for row in ROWS]
    lines = printed(width, [*TITLES, "differs in"], rows, words=True)
    place = next(n for n, line in enumerate(lines) if line.startswith("017"))
    below = [line for line in lines[place + 1 :] if line.startswith("  ")]
    assert " ".join(" ".join(below).split()) == VALUES
    assert max(map(len, below)) <= width


def test_words_with_room_stand_beside_their_row(printed):
    rows = [["000", VALUES]]
    lines = printed(60, ["trial", "differs in"], rows, words=True)
    assert lines[1].startswith("000    learning_rate=0.001464445620234129")
    assert lines[2].startswith(" " * 7 + "kernel_initializer=lecun_uniform")


def test_text_wraps_at_spaces_and_a_long_word_is_whole(printed):
    text = "validated on held-out training images; " + "x" * 50
    lines = printed(30, text, table=False, indent=2)
    assert lines == ["  validated on held-out", "  training images;", f"  {'x' * 50}"]


def test_in_a_pipe_text_is_one_line(printed):
    text = "word " * 60
    assert printed(None, text, table=False) == [text]


def test_one_is_singular():
    assert say_count(1, "epoch") == "1 epoch"
    assert [say_count(0, "run"), say_count(2_102, "epoch")] == ["0 runs", "2,102 epochs"]
