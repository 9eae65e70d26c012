"""Space files that nobody would write: each is a space that can be searched, or one clear line."""

import json
import math
import os
from datetime import date

import keras_tuner as kt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from svhn_tune.errors import CONTROLS, InputError
from svhn_tune.models.domain import TRAINING
from svhn_tune.models.families import FAMILIES
from svhn_tune.models.hypermodel import CNNHyperModel, declare, draw_values
from svhn_tune.models.size import measure_size
from svhn_tune.models.spaces import load_space, parse_space, space_names
from svhn_tune.oracles.ask_tell import Proposal, ask, make_oracle, tell
from svhn_tune.space import space_file
from svhn_tune.space.hyperparameters import MAX_CHOICES, MAX_STEPS

DOMAINS = {name: family.DOMAINS | TRAINING for name, family in FAMILIES.items()}
NAMES = sorted(set().union(*DOMAINS.values()))
TEXTS = [load_space(name).text for name in space_names()]
HEAD, _ = load_space("cnn").text.split("[hyperparameters.blocks]")
UNITS = '[hyperparameters.units]\ntype = "Int"\nmin_value = 32\nmax_value = 64\ndefault = 64\n'
RATES = '[hyperparameters.dropout]\ntype = "Choice"\nvalues = [0.0, 0.5]\ndefault = 0.0\n'
BLOCKS = '[hyperparameters.blocks]\ntype = "Int"\nmin_value = 1\nmax_value = 5\ndefault = 3\n'
QUESTION = """
[[questions]]
number = 1
title = "which"
answer = "best"
configurations = [{}]
"""
POINT = "\n[[points_to_evaluate]]\n{}\n"
DROPOUT = (
    '[hyperparameters.dropout]\ntype = "Float"\nmin_value = {}\nmax_value = 0.5\ndefault = 0.5\n'
)


def refusal(text):
    """The one line by which a file of this text is refused."""
    with pytest.raises(InputError) as refused:
        parse_space(text, "mine", "mine.toml")
    return checked(refused.value)


def checked(error):
    message = str(error)
    assert not CONTROLS.search(message)
    assert len(message) < 1_000
    return message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        # What a parser or a message cannot bear.
        ("a = " + "[\n" * 5_000, "is nested too deeply"),
        ("a.b.c.d.e.f.g = 1", "[a.b.c.d.e.f] g is nested too deeply"),
        (".".join("a" * 20_000) + " = 1", "line 1 has more than 4,000 characters"),
        (HEAD + "# " + "x" * 70_000, "is no space file: it has more than 65,536 characters"),
        (HEAD.replace("= 100", "= " + "9" * 3_000), "[protocol] epochs is beyond 64 bits"),
        (HEAD.replace("= 100", "= 0x" + "F" * 3_000), "[protocol] epochs is beyond 64 bits"),
        ("Int = 1\n" + HEAD, "has no key 'Int'"),
        ("int = 1\n" + HEAD, "has no key 'int'"),
        ("\0", "is not TOML"),
        # Numbers that are none, or too many.
        (HEAD.replace("1e-5", "inf"), "[protocol] learning_rate: Input should be a finite number"),
        (HEAD.replace("= 100", "= 10000000"), "[protocol] epochs: Input should be less than"),
        (HEAD.replace("= 32", "= 10000000"), "[protocol] batch_size: Input should be less than"),
        (
            HEAD.replace("min_epochs = 4", "min_epochs = 101"),
            "[protocol]: min_epochs <= epochs must hold, but got 101 and 100",
        ),
        (HEAD.replace("238.4 MiB", "9 PiB"), "[limits] file_size: Input should be less than"),
        (HEAD + DROPOUT.format("-inf"), "[hyperparameters.dropout] min_value: Input should be a f"),
        (HEAD + DROPOUT.format(0.1) + "step = inf", "[hyperparameters.dropout] step: Input should"),
        (
            HEAD + DROPOUT.format(0.0) + "step = 1e-9",
            f"[hyperparameters.dropout]: from 0 to 0.5 there are more than {MAX_STEPS:,} values",
        ),
        (
            HEAD + DROPOUT.format(0.1) + 'step = 1.0000000000000002\nsampling = "log"',
            f"[hyperparameters.dropout]: from 0.1 to 0.5 there are more than {MAX_STEPS:,} values",
        ),
        (
            HEAD + DROPOUT.format(5e-324) + 'sampling = "log"',
            "[hyperparameters.dropout]: from 4.94066e-324 to 0.5 there are more than",
        ),
        # Choices.
        (
            HEAD + RATES.replace("0.5]", "nan]"),
            "[hyperparameters.dropout] values: nan is no finite number and no word",
        ),
        (
            HEAD + RATES.replace("0.5]", "true]"),
            "[hyperparameters.dropout] values: True is no finite number and no word",
        ),
        (
            HEAD + RATES.replace("0.5]", "-0.0]"),
            "[hyperparameters.dropout]: values has 0.0 2 times",
        ),
        (
            HEAD + RATES.replace("0.5", ",\n".join(map(str, range(MAX_CHOICES)))),
            "[hyperparameters.dropout] values: List should have at most 1000 items",
        ),
        # Parents.
        (
            HEAD + RATES + BLOCKS + 'parent_name = "dropout"\nparent_values = [0.5]',
            "[hyperparameters.blocks] has no parent: all that is per block depends on it",
        ),
        (
            HEAD + RATES + BLOCKS + "[hyperparameters.kernel_size]\n"
            'type = "Fixed"\nvalue = 3\nper = "block"\nparent_name = "dropout"\n'
            "parent_values = [0.5]",
            '[hyperparameters.kernel_size]: per = "block" and parent_name exclude each other',
        ),
        (
            HEAD + UNITS + 'parent_name = "dropout"\nparent_values = []\n' + RATES,
            "[hyperparameters.units] parent_values: List should have at least 1 item",
        ),
        (
            HEAD + UNITS + 'parent_name = "dropout"\nparent_values = ["0.5"]\n' + RATES,
            "[hyperparameters.units]: parent_values has '0.5', which 'dropout' never is",
        ),
        (
            HEAD
            + UNITS
            + 'parent_name = "dropout"\nparent_values = [0.5]\n'
            + RATES
            + 'parent_name = "units"\nparent_values = [32]\n',
            "[hyperparameters.units]: parent_name 'dropout' has a parent itself, 'units'",
        ),
        (
            HEAD
            + UNITS
            + 'parent_name = "batch_normalization"\nparent_values = [1]\n'
            + '[hyperparameters.batch_normalization]\ntype = "Fixed"\nvalue = true\n',
            "[hyperparameters.units]: parent_values has 1, which 'batch_normalization' never is",
        ),
        # Questions are asked of what the family can build.
        (
            HEAD + BLOCKS.replace("= 5", "= 1000000000") + QUESTION.format("{}"),
            "[hyperparameters.blocks]: 1000000000 is outside 1 to 8",
        ),
        (
            HEAD
            + '[hyperparameters.l2]\ntype = "Fixed"\nvalue = 0.0\nper = "block"\n'
            + QUESTION.format("{}"),
            '[hyperparameters.l2]: per = "block" needs a [hyperparameters.blocks]',
        ),
        (
            HEAD + UNITS + QUESTION.format("{ units = [1] }"),
            "[[questions]] 1: units=[1] is not in the space 'mine'",
        ),
        (
            HEAD + UNITS + QUESTION.format("{ units = nan }"),
            "[[questions]] 1: units=nan is not in the space 'mine'",
        ),
        (
            HEAD + UNITS + QUESTION.format("{ a.b.c.d.e = 1 }"),
            "[questions.0.configurations.0.a.b] c is nested too deeply",
        ),
        (
            HEAD + UNITS + QUESTION.format("{}").replace("which", "\\u001b"),
            "[questions.0] title: c",
        ),
        (HEAD + UNITS + QUESTION.format("{}") + "Int = 1", "[questions.0] has no key 'Int'"),
        (
            HEAD + UNITS + POINT.format("units = 32") + POINT.format("units = 65"),
            "[[points_to_evaluate]] 2: units=65 is not in the space 'mine'",
        ),
        (
            HEAD + UNITS + POINT.format("unit = 32"),
            "[[points_to_evaluate]] 1: no hyperparameter 'unit' in the space 'mine'",
        ),
        (
            "points_to_evaluate = 3\n" + HEAD + UNITS,
            "points_to_evaluate: ",
        ),
        # Names, and what a terminal would obey.
        *(
            (
                f'{HEAD}[hyperparameters."{name}"]\ntype = "Fixed"\nvalue = 1',
                f"the model 'cnn' has no hyperparameter '{name}'",
            )
            for name in ("", "a.b", "__proto__", "name", "text", "tuner/epochs", "kernel_size_1")
        ),
        (
            f'{HEAD}[hyperparameters."\\u001b[31m"]\ntype = "Fixed"\nvalue = 1',
            "the model 'cnn' has no hyperparameter '\\x1b[31m'",
        ),
        (HEAD.replace("A4.3", "\\u001b[31m"), "title: control characters and line ends have no "),
        (HEAD.replace("A4.3", "\\u202e"), "title: control characters and line ends have no place "),
        (HEAD.replace("A4.3", "x" * 200), "title: String should have at most 200 characters"),
    ],
    ids=lambda text: text[-60:],
)
def test_a_hostile_file_is_refused_in_one_line(text, message):
    told = refusal(text)
    assert told.startswith("mine.toml ")
    assert message in told


def test_many_tables_and_keys_are_refused_at_once():
    names = "\n".join(f"k{number} = 1" for number in range(5_000))
    assert "has no key 'k0'" in refusal(names)


def test_what_is_no_regular_file_is_refused_unread(tmp_path):
    (tmp_path / "folder.toml").mkdir()
    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "endless.toml").symlink_to("/dev/zero")
    for path in tmp_path.iterdir():
        with pytest.raises(InputError, match="it is no regular file"):
            load_space(path)


def test_a_large_file_is_read_no_further_than_it_must_be(tmp_path):
    path = tmp_path / "large.toml"
    with path.open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(InputError, match="is no space file: it has more than 65,536 characters"):
        load_space(path)


@pytest.mark.parametrize("name", ["..toml", "...toml", "\x1b[31m.toml", "two\nlines.toml"])
def test_a_space_is_not_named_by_what_cannot_name_its_project(tmp_path, name):
    (tmp_path / name).write_text(TEXTS[0])
    with pytest.raises(InputError, match="a space is named by its file") as refused:
        load_space(tmp_path / name)
    checked(refused.value)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "/", "../search_spaces/cnn", "x" * 300, "a\0b", "\x1b[31m", "é", "CNN"]
)
def test_a_name_is_no_path(name):
    with pytest.raises(InputError, match="no space '") as refused:
        load_space(name)
    checked(refused.value)


@pytest.mark.parametrize("name", ["x" * 300 + ".toml", "a\0b/x.toml", "none/x.toml"])
def test_a_path_that_cannot_be(name):
    with pytest.raises(InputError, match="cannot read the space file ") as refused:
        load_space(name)
    checked(refused.value)


def test_a_byte_order_mark_is_no_part_of_a_space(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(TEXTS[0], encoding="utf-8-sig")
    assert load_space(path).text == TEXTS[0]


def test_whole_numbers_among_decimal_ones_are_declared_as_decimal_ones():
    text = HEAD + RATES.replace("default = 0.0", "default = 0")
    text += UNITS + 'parent_name = "dropout"\nparent_values = [0, 0.5]\n'
    space = parse_space(text, "mine", "mine.toml")
    assert repr(space.baseline) == "{'dropout': 0.0, 'units': 64}"
    hp = kt.HyperParameters()
    declare(space, hp)
    drawn = [draw_values(hp, seed) for seed in range(20)]
    assert {values["dropout"] for values in drawn} == {0.0, 0.5}
    assert all("units" in values for values in drawn)


def test_a_stock_tuner_is_told_that_no_model_of_a_space_is_feasible():
    space = parse_space(HEAD.replace("238.4 MiB", "1 kB") + UNITS, "mine", "mine.toml")
    with pytest.raises(InputError, match="drawn from the space 'mine' is feasible"):
        CNNHyperModel(space).build(kt.HyperParameters())


# Any file at all. What follows draws its own.

QUIETLY = settings(
    deadline=None, max_examples=300, suppress_health_check=list(HealthCheck), derandomize=True
)


def read(text):
    """The space of a text, or None where it is refused, as it must be, in one line."""
    try:
        return parse_space(text, "mine", "mine.toml")
    except InputError as error:
        checked(error)
        return None


def use(space):
    """Declare a space as every tuner does, and draw what it says is its own."""
    hp = kt.HyperParameters()
    assert declare(space, hp) == space.baseline
    for seed in range(5):
        values = draw_values(hp, seed)
        assert space.complete(values) == values
        json.dumps(values, allow_nan=False)
        measure_size(space, values)


numbers = (
    st.sampled_from([0, 1, -1, 2, 3, 8, 9, 31, 64, 4096, 65536, 65537, 2**63 - 1, 2**63, -(2**63)])
    | st.integers()
    | st.floats()
    | st.sampled_from([0.0, -0.0, 0.1, 0.5, 0.95, 1.0, 1e-12, 5e-324, 1e308, math.inf, math.nan])
)
words = st.sampled_from(
    ["", "Int", "Float", "Choice", "Boolean", "Fixed", "block", "blocks", "cnn", "svhn", "same"]
) | st.text(max_size=20)
plain = numbers | words | st.booleans() | st.dates() | st.none()
anything = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=3)
)
KEYS = ["type", "per", "parent_name", "parent_values", "min_value", "max_value", "step"]
KEYS += ["sampling", "default", "values", "ordered", "value"]
TOP = ["title", "data", "model", "protocol", "limits", "hyperparameters", "name", "text"]
keys = st.sampled_from([*KEYS, *TOP, *NAMES]) | words


def write(value):
    """A value as TOML; what TOML has none of is a word."""
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return repr(value)
        case date():
            return value.isoformat()
        case list():
            return f"[{', '.join(map(write, value))}]"
        case dict():
            return "{" + ", ".join(f"{write(str(k))} = {write(v)}" for k, v in value.items()) + "}"
        case _:
            return '"' + "".join(map(spell, str(value))) + '"'


def spell(character):
    return character if character.isalnum() else f"\\U{ord(character):08x}"


@QUIETLY
@given(st.dictionaries(keys, anything, max_size=6))
def test_any_tables_are_a_space_or_one_line(tables):
    space = read("\n".join(f"{write(key)} = {write(value)}" for key, value in tables.items()))
    assert space is None


@QUIETLY
@given(
    st.sampled_from(TEXTS),
    st.lists(st.tuples(st.integers(0, 3_000), st.integers(0, 12), st.text(max_size=6)), max_size=4),
)
def test_a_space_file_with_some_characters_changed_is_a_space_or_one_line(text, changes):
    for place, removed, put in changes:
        text = text[:place] + put + text[place + removed :]
    if space := read(text):
        use(space)


@QUIETLY
@given(st.sampled_from(TEXTS), st.randoms(use_true_random=False), st.integers(1, 6))
def test_a_space_file_with_lines_moved_is_a_space_or_one_line(text, random, moves):
    lines = text.splitlines()
    for _ in range(moves):
        line = lines.pop(random.randrange(len(lines)))
        for _ in range(random.randrange(3)):
            lines.insert(random.randrange(len(lines)), line)
    if space := read("\n".join(lines)):
        use(space)


@st.composite
def spaces(draw):
    """A space of its model's own hyperparameters, most of them near to what it allows."""
    model = draw(st.sampled_from(sorted(DOMAINS)))
    domains = DOMAINS[model]
    names = draw(st.lists(st.sampled_from(sorted(domains)), unique=True, min_size=1, max_size=5))
    counts = {f"{domains[name].per}s" for name in names if domains[name].per}
    tables = {}
    shared = [""]
    for name in sorted(counts.difference(names)) + names:
        domain = domains[name]
        tables[name] = table = draw(ranges(domain) | choices(domain) | others(domain))
        parent = draw(st.sampled_from(shared))
        if domain.per:
            table["per"] = domain.per
        elif parent and name not in counts:
            table["parent_name"] = parent
            values = tables[parent].get("values", [1, 0.5, True, "same", 3, 64])
            table["parent_values"] = draw(st.lists(st.sampled_from(values), min_size=1, max_size=3))
        else:
            shared.append(name)
    if draw(st.integers(0, 4)) == 0:
        table[draw(st.sampled_from(KEYS))] = draw(anything)
    text = HEAD.replace('model = "cnn"', f'model = "{model}"') + "\n".join(
        f"[hyperparameters.{name}]\n" + "".join(f"{key} = {write(v)}\n" for key, v in table.items())
        for name, table in tables.items()
    )
    if draw(st.booleans()):
        asked = st.dictionaries(st.sampled_from([*tables, "units_1", "l2_2"]), anything, max_size=2)
        text += '[[questions]]\nnumber = 1\nanswer = "best"\ntitle = "which"\nconfigurations = '
        text += write(draw(st.lists(asked, min_size=1, max_size=2)))
    return text


def near(domain):
    """Numbers of a domain, of its type for the most part, and its ends."""
    low, high = domain.low, min(domain.high, 70_000)
    if isinstance(domain.default, int):
        return st.integers(int(low), int(high)) | st.sampled_from([int(low), int(high)])
    ends = st.sampled_from([float(low), float(high), 0.1, 0.3, 5e-324, 1e-300])
    return st.floats(low, high) | ends


@st.composite
def ranges(draw, domain):
    if isinstance(domain.default, str | bool):
        return {"type": "Fixed", "value": domain.default}
    low, default, high = sorted(draw(st.tuples(*[near(domain)] * 3)))
    whole = isinstance(domain.default, int)
    table = {"type": "Int" if whole else "Float", "min_value": low, "max_value": high}
    table["default"] = default
    steps = st.integers(1, 3) | st.integers(1, 70_000) if whole else st.floats(0.001, 10)
    if draw(st.booleans()):
        table["step"] = draw(steps)
    if low > 0 and draw(st.booleans()):
        table["sampling"] = draw(st.sampled_from(["log", "reverse_log"]))
    return table


@st.composite
def choices(draw, domain):
    given = st.sampled_from(domain.choices) if domain.choices else near(domain)
    values = draw(st.lists(given, min_size=1, max_size=5, unique=True))
    return {"type": "Choice", "values": values, "default": draw(st.sampled_from(values))}


@st.composite
def others(draw, domain):
    if isinstance(domain.default, bool):
        return {"type": "Boolean", "default": draw(st.booleans())}
    return {"type": "Fixed", "value": draw(near(domain) if not domain.choices else words)}


@QUIETLY
@given(spaces())
def test_a_space_that_is_accepted_can_be_drawn_from(text):
    if space := read(text):
        use(space)


@settings(QUIETLY, max_examples=40)
@given(spaces(), st.sampled_from(["hyperband", "bayesian", "tpe", "random"]))
def test_a_space_that_is_accepted_can_be_searched_by_every_tuner(text, tuner):
    space = read(text)
    if space is None:
        return
    try:
        oracle = make_oracle(space, tuner, max_trials=14)
    except InputError as error:
        checked(error)
        return
    for trial in range(14):
        proposal = ask(oracle, 4)
        if not isinstance(proposal, Proposal):
            break
        assert space.complete(proposal.values) == proposal.values
        assert measure_size(space, proposal.values).feasible
        tell(oracle, proposal.trial, trial / 10)


def test_the_limits_of_a_file_are_above_what_a_space_needs():
    assert max(map(len, TEXTS)) < space_file.MAX_LENGTH / 10
