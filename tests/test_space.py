"""space: what a file declares, and one line that names file, table and key for what it may not."""

import hashlib

import pytest

from svhn_tune.errors import InputError
from svhn_tune.models.domain import TRAINING
from svhn_tune.models.families import FAMILIES, list_layers
from svhn_tune.models.size import measure_size
from svhn_tune.models.spaces import (
    copy_space,
    load_space,
    parse_space,
    space_names,
    spaces_folder,
)

TEXT = (spaces_folder() / "cnn.toml").read_text()
BLOCKS = '[hyperparameters.blocks]\ntype = "Int"\nmin_value = 1\nmax_value = 5\ndefault = 3\n'
MINIMAL = f"""
title = "a small space"
data = "svhn"
model = "cnn"

[protocol]
epochs = 100
learning_rate = 1e-5

[limits]
file_size = "238.4 MiB"

{BLOCKS}
"""


@pytest.fixture(params=space_names())
def space(request):
    return load_space(request.param)


def write(folder, text):
    """The text as a space file, by its path."""
    path = folder / "mine.toml"
    path.write_text(text)
    return path


def test_the_spaces_are_found():
    assert set(LIMITS) <= set(space_names())


def test_space_is_read_whole_and_hashed_as_it_lies_on_the_disk(space):
    content = (spaces_folder() / f"{space.name}.toml").read_bytes()
    assert space.text.encode() == content
    assert space.sha256 == hashlib.sha256(content).hexdigest()


def test_space_declares_parents_before_children_and_no_name_twice(space):
    seen = []
    for declaration in space.declarations:
        assert set(declaration.parents) <= set(seen)
        seen.append(declaration.name)
    assert len(seen) == len(set(seen))


def test_space_has_a_feasible_baseline_of_active_defaults(space):
    assert measure_size(space, space.baseline).feasible
    assert space.complete(space.baseline) == space.baseline
    for declaration in space.declarations:
        active = declaration.is_active(space.baseline)
        assert (declaration.name in space.baseline) == active
        if active:
            assert space.baseline[declaration.name] == declaration.hyperparameter.default


def test_space_allows_every_extreme_of_every_hyperparameter(space):
    for declaration in space.declarations:
        parents = {name: allowed[-1] for name, allowed in declaration.parents.items()}
        for value in declaration.hyperparameter.extremes:
            chosen = parents | {declaration.name: value}
            assert space.complete(chosen)[declaration.name] == value


LIMITS = {
    "cnn": 249_980_518,
    "cnn_open": 249_980_518,
    "linear": 5_033_164,
    "mlp": 24_956_108,
}
NO_FILE = 104_857_600  # where a report is handed in, not a file


def test_space_limits_the_file_to_what_may_be_handed_in(space):
    assert space.limits.file_size == LIMITS.get(space.name, NO_FILE)


def test_space_names_only_what_its_model_knows(space):
    assert set(space.hyperparameters) <= {*FAMILIES[space.model].DOMAINS, *TRAINING}


def test_space_says_what_differs_from_the_baseline(space):
    assert space.changes(space.baseline) == "baseline"


def test_a_question_says_what_differs_from_the_baseline():
    space = load_space("mlp")
    assert space.changes(space.complete({"units_1": 64, "layers": 1})) == "units_1=64"
    assert [space.changes(values) for values in space.listed][:3] == [
        "baseline",
        "activation=relu",
        "activation=relu units_1=64",
    ]
    assert len(space.listed) == 12


def test_a_point_to_evaluate_says_what_differs_from_the_baseline_and_counts_once():
    text = load_space("cnn").text + 2 * "\n[[points_to_evaluate]]\nunits = 128\n"
    space = parse_space(text + "\n[[points_to_evaluate]]\nunits = 64\n", "mine", "mine.toml")
    assert [space.changes(values) for values in space.points] == [
        "blocks=4 units=256 dropout=0.3",
        "units=128",
    ]


def test_the_baseline_of_cnn_is_the_model_of_question_1():
    space = load_space("cnn")
    layers = [(layer.type, layer.arguments) for layer in list_layers(space, space.baseline)]
    blocks = []
    for filters in (16, 32, 64):
        convolution = {"filters": filters, "kernel_size": 3, "padding": "same"}
        convolution |= {"kernel_initializer": "glorot_uniform", "activation": "relu"}
        blocks += [("Conv2D", convolution), ("MaxPooling2D", {"pool_size": 2})]
    assert layers == [
        *blocks,
        ("Flatten", {}),
        ("Dense", {"units": 64, "activation": "relu"}),
        ("Dense", {"units": 10, "activation": "softmax"}),
    ]


def test_the_protocol_of_cnn_is_the_assignments():
    protocol = load_space("cnn").protocol
    assert (protocol.epochs, protocol.batch_size) == (100, 32)
    assert (protocol.optimizer, protocol.learning_rate) == ("adam", 1e-5)
    assert protocol.loss == "categorical_crossentropy"
    assert protocol.objective == "val_categorical_accuracy"


def test_what_each_block_or_layer_has_is_active_only_while_it_exists(space):
    for name, given in space.hyperparameters.items():
        if given.per is None:
            continue
        counts = space.hyperparameters[f"{given.per}s"]
        for count in range(counts.min_value, counts.max_value + 1):
            values = space.complete({f"{given.per}s": count})
            existing = {f"{name}_{number}" for number in range(1, count + 1)}
            assert {key for key in values if key.startswith(f"{name}_")} == existing


def test_a_hyperparameter_per_block_needs_the_number_of_blocks():
    kernels = '[hyperparameters.kernel_size]\nper = "block"\ntype = "Choice"\nvalues = [3, 5]\n'
    with pytest.raises(InputError, match=r'per = "block" needs a \[hyperparameters.blocks\]'):
        parse_space(MINIMAL.replace(BLOCKS, f"{kernels}default = 5\n"), "mine", "mine.toml")


def test_a_child_is_active_only_with_its_parents_values_wherever_it_stands():
    child = """
[hyperparameters.dropout]
type = "Choice"
values = [0.0, 0.5]
default = 0.5
parent_name = "padding"
parent_values = ["valid"]

[hyperparameters.padding]
type = "Choice"
values = ["same", "valid"]
default = "same"
"""
    space = parse_space(MINIMAL + child, "mine", "mine.toml")
    assert "dropout" not in space.baseline
    assert space.complete({"padding": "valid"})["dropout"] == 0.5
    with pytest.raises(InputError, match="dropout is not active with padding=same"):
        space.complete({"dropout": 0.0})


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (
            {"kernel_siz_1": 5},
            "no hyperparameter 'kernel_siz_1' in the space 'cnn'. Did you mean 'kernel_size_1'?",
        ),
        ({"zzz": 1}, "no hyperparameter 'zzz' in the space 'cnn'."),
        ({"blocks": 3, "l2_4": 1e-3}, "l2_4 is not active with blocks=3"),
        ({"blocks": 6}, "blocks=6 is not in the space 'cnn' (min_value 1, max_value 5)"),
        ({"blocks": 2.0}, "blocks=2.0 is not in the space 'cnn' (min_value 1, max_value 5)"),
        ({"blocks": True}, "blocks=True is not in the space 'cnn' (min_value 1, max_value 5)"),
        ({"blocks": "3"}, "blocks='3' is not in the space 'cnn' (min_value 1, max_value 5)"),
        ({"kernel_size_1": 4}, "kernel_size_1=4 is not in the space 'cnn' (values [3, 5, 7])"),
        ({"kernel_size_1": 5.0}, "kernel_size_1=5.0 is not in the space 'cnn' (values [3, 5, 7])"),
        ({"pool_size_1": True}, "pool_size_1=True is not in the space 'cnn' (values [1, 2, 3])"),
        ({"padding": None}, "padding=None is not in the space 'cnn' (values ['same', 'valid'])"),
        ({"padding": ["same"]}, "padding=['same'] is not in the space 'cnn' (values ['same', "),
        ({"padding": "full"}, "padding='full' is not in the space 'cnn' (values ['same', "),
        ({"units": float("nan")}, "units=nan is not in the space 'cnn' (min_value 32, max_value"),
    ],
)
def test_complete_refuses(chosen, message):
    with pytest.raises(InputError) as refused:
        load_space("cnn").complete(chosen)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_whole_number_will_do_for_a_decimal_one():
    assert load_space("cnn").complete({"dropout": 0, "class_weight": 1})["class_weight"] == 1


def test_values_to_begin_with_are_left_out_where_the_chosen_ones_switch_them_off():
    space = load_space("cnn")
    base = space.complete({"blocks": 4, "l2_1": 1e-3, "l2_4": 1e-3})
    values = space.complete({"blocks": 3, "units": 128}, base)
    assert values == space.complete({"blocks": 3, "l2_1": 1e-3, "units": 128})
    with pytest.raises(InputError, match="l2_4 is not active with blocks=3"):
        space.complete({"blocks": 3, "l2_4": 1e-2}, base)


def test_a_path_to_a_toml_file_is_a_space(tmp_path):
    space = load_space(write(tmp_path, TEXT))
    assert (space.name, space.sha256) == ("mine", load_space("cnn").sha256)


def test_a_copy_is_the_space_under_its_own_name(tmp_path):
    space = copy_space("cnn", tmp_path / "mine.toml")
    assert (space.name, space.text) == ("mine", load_space("cnn").text)
    again = copy_space(tmp_path / "mine.toml", tmp_path / "again.toml")
    assert (again.name, again.text) == ("again", space.text)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("there.toml", "{place} is there already, and is left alone: copy to another name"),
        ("link.toml", "{place} is there already, and is left alone: copy to another name"),
        ("mine", "cannot copy to {place}: a space file ends in .toml"),
        ("none/mine.toml", "cannot copy to {place}: No such file or directory"),
        (".mine.toml", "a space is named by its file: '.mine' must not begin with a dot or have "),
    ],
)
def test_a_copy_overwrites_nothing_and_says_why_not(target, message, tmp_path):
    (tmp_path / "there.toml").write_text("mine")
    (tmp_path / "link.toml").symlink_to("nowhere.toml")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(InputError) as refused:
        copy_space("cnn", tmp_path / target)
    assert str(refused.value).startswith(message.format(place=tmp_path / target))
    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / "there.toml").read_text() == "mine"


def test_one_byte_more_is_another_space(tmp_path):
    assert load_space(write(tmp_path, TEXT + "\n")).sha256 != load_space("cnn").sha256


def test_a_missing_space_is_refused_with_those_there_are():
    with pytest.raises(InputError) as refused:
        load_space("cnnn")
    found = ", ".join(space_names())
    assert str(refused.value) == (
        f"no space 'cnnn' in search_spaces/ (found: {found}). Did you mean 'cnn'?"
    )


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    binary = write(tmp_path, "")
    binary.write_bytes(b"\xff\xfe")
    for path in (binary, tmp_path / "none.toml"):
        with pytest.raises(InputError, match=f"cannot read the space file {path}: "):
            load_space(path)


CHOICE = '[hyperparameters.dropout]\ntype = "Choice"\n'


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        # A misspelt key, in every table.
        ("title =", "titel =", "has no key 'titel'. Did you mean 'title'?"),
        ("epochs =", "epoch =", "[protocol] has no key 'epoch'. Did you mean 'epochs'?"),
        ("file_size =", "filesize =", "[limits] has no key 'filesize'. Did you mean 'file_size'?"),
        (
            "min_value =",
            "minvalue =",
            "[hyperparameters.blocks] has no key 'minvalue'. Did you mean 'min_value'?",
        ),
        ("[limits]", "[limit]", "has no key 'limit'. Did you mean 'limits'?"),
        ("type =", "typ =", "[hyperparameters.blocks] needs a type, one of Int, Float, Choice, "),
        ("title =", 'name = "x"\ntitle =', "has no key 'name'"),
        ("title =", 'text = "x"\ntitle =', "has no key 'text'"),
        # A key that is missing.
        ('title = "a small space"', "", "title is missing"),
        ("epochs = 100", "", "[protocol] epochs is missing"),
        ("default = 3", "", "[hyperparameters.blocks] default is missing"),
        ('file_size = "238.4 MiB"', "", "[limits] file_size is missing"),
        # A value out of its range, or of another type.
        ("epochs = 100", "epochs = 0", "[protocol] epochs: Input should be greater than or equal"),
        ("epochs = 100", 'epochs = "100"', "[protocol] epochs: Input should be a valid integer"),
        ("epochs = 100", "epochs = true", "[protocol] epochs: Input should be a valid integer"),
        ("1e-5", "-1e-5", "[protocol] learning_rate: Input should be greater than 0 (got -1e-05)"),
        ("1e-5", "nan", "[protocol] learning_rate: Input should be"),
        ("1e-5", "1e-5\noptimizer = 'adm'", "[protocol] optimizer: Input should be 'adam', "),
        ('"svhn"', '"cifar"', "data: Input should be 'svhn'"),
        ('"cnn"', '"mpl"', "model: 'mpl' is none of cnn, mlp, vgg. Did you mean 'mlp'?"),
        ('"cnn"', '"mlp"', "the model 'mlp' has no hyperparameter 'blocks'"),
        ('"238.4 MiB"', '"big"', "[limits] file_size: could not parse value and unit"),
        ('"238.4 MiB"', "-5", "[limits] file_size"),
        ('"238.4 MiB"', "0", "[limits] file_size"),
        (
            '"Int"',
            '"Integer"',
            "[hyperparameters.blocks] type: 'Integer' is none of Int, Float, Choice, Boolean, "
            "Fixed. Did you mean 'Int'?",
        ),
        (BLOCKS, "[hyperparameters]\nblocks = 3", "[hyperparameters] blocks: Input should be a "),
        ("[protocol]", "protocol = 5\n[protocols]", "has no key 'protocols'"),
        ("[protocol]", "[[protocol]]", "protocol: Input should be"),
        # A range that is none.
        (
            "min_value = 1",
            "min_value = 6",
            "[hyperparameters.blocks]: min_value <= max_value must hold, but got 6 and 5",
        ),
        ("default = 3", "default = 9", "[hyperparameters.blocks]: default 9 is outside 1 to 5"),
        ("default = 3", "default = 3.0", "[hyperparameters.blocks] default: Input should be a "),
        ("default = 3", "default = 3\nstep = 0", "[hyperparameters.blocks] step: Input should be "),
        (
            "default = 3",
            'default = 3\nstep = 1\nsampling = "log"',
            "[hyperparameters.blocks]: sampling 'log' multiplies by step, which must be above 1",
        ),
        # What the model cannot be built from.
        ("max_value = 5", "max_value = 9", "[hyperparameters.blocks]: 9 is outside 1 to 8"),
        ("min_value = 1", "min_value = 0", "[hyperparameters.blocks]: 0 is outside 1 to 8"),
        (
            "blocks]",
            "block]",
            "[hyperparameters.block]: the model 'cnn' has no hyperparameter 'block'. "
            "Did you mean 'blocks'?",
        ),
        (
            "default = 3",
            'default = 3\nper = "block"',
            "[hyperparameters.blocks]: per = \"block\" must not be given for 'blocks'",
        ),
        ("default = 3", 'default = 3\nper = "row"', "[hyperparameters.blocks] per: Input should"),
        (
            BLOCKS,
            '[hyperparameters.l2]\ntype = "Fixed"\nvalue = 0.0',
            "[hyperparameters.l2]: per = \"block\" must be given for 'l2'",
        ),
        (
            BLOCKS,
            '[hyperparameters.padding]\ntype = "Choice"\nvalues = ["full"]\ndefault = "full"',
            "[hyperparameters.padding]: 'full' is none of same, valid",
        ),
        # Choices that are none.
        (
            BLOCKS,
            f"{CHOICE}values = [0.0, 0.5]\ndefault = 0.3",
            "[hyperparameters.dropout]: default 0.3 is none of values [0.0, 0.5]",
        ),
        (
            BLOCKS,
            f"{CHOICE}values = [0, 0.5]\ndefault = 0.5",
            "[hyperparameters.dropout]: values [0, 0.5] must be all whole numbers, all decimal "
            "ones (0.0, not 0) or all words",
        ),
        (BLOCKS, f"{CHOICE}values = []\ndefault = 0.5", "[hyperparameters.dropout] values: List "),
        (
            BLOCKS,
            '[hyperparameters.padding]\ntype = "Choice"\nvalues = ["same"]\ndefault = "same"\n'
            "ordered = true",
            "[hyperparameters.padding]: ordered = true is for numbers; words have no order",
        ),
        # Parents that are none.
        (
            BLOCKS,
            f"{BLOCKS}parent_name = 'padding'",
            "[hyperparameters.blocks]: parent_name and parent_values go together",
        ),
        (
            BLOCKS,
            f"{BLOCKS}parent_name = 'block'\nparent_values = [1]",
            "[hyperparameters.blocks]: parent_name 'block' is no hyperparameter of this file that "
            "all blocks share. Did you mean 'blocks'?",
        ),
        (
            BLOCKS,
            f"{BLOCKS}parent_name = 'blocks'\nparent_values = [1]",
            "[hyperparameters.blocks]: parent_name 'blocks' has a parent itself, 'blocks'",
        ),
        (
            BLOCKS,
            f"{BLOCKS}{CHOICE}values = [0.5]\ndefault = 0.5\nparent_name = 'blocks'\n"
            "parent_values = [1, 7]",
            "[hyperparameters.dropout]: parent_values has 7, which 'blocks' never is (min_value 1, "
            "max_value 5)",
        ),
        # No TOML at all.
        ("[limits]", "[limits", "is not TOML: Expected ']' at the end of a table declaration"),
    ],
)
def test_a_space_file_is_refused_by_file_table_and_key(tmp_path, old, new, message):
    assert old in MINIMAL
    path = write(tmp_path, MINIMAL.replace(old, new, 1))
    with pytest.raises(InputError) as refused:
        load_space(path)
    text = str(refused.value)
    assert text.startswith(str(path))
    assert message in text
    assert "\n" not in text
