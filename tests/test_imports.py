"""The house: which room may import which, and which may import Keras and TensorFlow.

So what reads a results folder answers at once, and anywhere.
"""

import ast
import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

HEAVY = {"jax", "keras", "keras_tuner", "tensorflow"}
# What `--help` can do without.
BULKY = {"matplotlib", "numpy", "pandas", "pydantic", "rich", "scipy", "sklearn"}
LIGHT = [
    "space.space",
    "journal.lines",
    "project.project",
    "statistics.samples",
    "report",
    "commands.tables",
    "cli",
]
COMMANDS = [
    ["--help"],
    ["search", "--help"],
    ["status"],
    ["status", "--json"],
    ["spaces"],
    ["report"],
]

# The rooms of svhn_tune/, from the door to the cellar, and what belongs in each. What stands in one
# row imports rows further down, never its own row's other rooms. A module at the root is a room.
HOUSE = [
    {"": "the names for a notebook", "__main__": "python -m svhn_tune"},
    {"cli": "the command line"},
    {"commands": "what people type, and what is printed"},
    {"report": "the page", "stages": "what trains: search and confirm"},
    {
        "figures": "every figure, for a notebook and for the page",
        "exports": "a project for other tools",
        "progress": "what is told while runs train",
    },
    {"summary": "what a journal says, read", "cost": "what it costs, and what fits"},
    {"project": "results/<project>/: kept, and nothing more"},
    {"machines": "where runs execute: this machine, or a cluster"},
    {"training": "runs, and the processes of this machine"},
    {"engines": "what trains a model"},
    {
        "submission": "the file to hand in",
        "oracles": "what is proposed",
        "journal": "what a project writes down, as types",
    },
    {"models": "model families, sized and built from one list of layers"},
    {"space": "what a space file says; knows no family", "data": "where images come from"},
    {"zips": "zip archives of strangers", "statistics": "of lists of scores; reads nothing"},
    {
        "files": "files that are whole or not there",
        "errors": "what a person did wrong, in one line",
        "console": "words and tables for people",
        "bounds": "the largest numbers that may be asked for",
    },
]
LEVELS = {room: level for level, row in enumerate(HOUSE) for room in row}
# What may import Keras, TensorFlow or KerasTuner: a room, or a module of one.
MAY_BE_HEAVY = {
    "engines.chunks",
    "engines.engine_jax",
    "engines.engine_tensorflow",
    "engines.maps",
    "engines.programs",
    "engines.seeds",
    "models.hypermodel",
    "oracles",
    "submission.check",
    "submission.compiled",
    "submission.layer_settings",
    "submission.loading",
    "submission.portable",
    "submission.rules",
    "submission.save",
}
PACKAGE = Path(__file__).parents[1] / "svhn_tune"


def read_imports(package):
    """Every module of a package, and what each imports: its own modules, and other packages.

    Names have no "svhn_tune." before them. Imports in functions and for the type checker count.
    """
    files = {}
    for path in package.rglob("*.py"):
        parts = path.relative_to(package).with_suffix("").parts
        files[".".join(part for part in parts if part != "__init__")] = path
    return {name: set(list_imports(name, path, files)) for name, path in files.items()}


def list_imports(name, path, files):
    """The imports of one file."""
    folder = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            wanted = [(alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = [*filter(None, folder)][: len(folder) - node.level + 1] if node.level else []
            home = ".".join([*(["svhn_tune"] if node.level else []), *above])
            module = ".".join(filter(None, [home, node.module]))
            wanted = [(module, alias.name) for alias in node.names]
        else:
            continue
        for module, imported_name in wanted:
            package, _, inside = module.partition(".")
            if package != "svhn_tune":
                yield package
            else:
                deeper = f"{inside}.{imported_name}".strip(".")
                yield deeper if deeper in files else inside


def find_circles(imports):
    """The sets of modules each of which imports, by way of others, every other."""
    reached = {}
    for name in imports:
        reached[name], waiting = set(), [name]
        while waiting:
            more = imports[waiting.pop()] & set(imports) - reached[name]
            reached[name] |= more
            waiting += more
    circles = {
        frozenset(other for other in seen if name in reached[other])
        for name, seen in reached.items()
    }
    return {circle for circle in circles if circle}


def room(module):
    """The room that a module stands in."""
    return module.partition(".")[0]


def find_upward(imports):
    """(who, what) of imports that do not go down, and of heavy ones that have no right to be."""
    for who, what in ((who, what) for who, wanted in imports.items() for what in wanted):
        if what in HEAVY:
            is_allowed = {who, room(who)} & MAY_BE_HEAVY
        else:
            is_ours = what in imports and room(who) != room(what)
            is_allowed = not is_ours or LEVELS[room(who)] < LEVELS[room(what)]
        if not is_allowed:
            yield who, what


def explain(found):
    """What to do about an import or a circle, in a sentence."""
    if isinstance(found, frozenset):
        return f"{' and '.join(sorted(found))} import one another: one of them should not need it"
    who, what = found
    if what in HEAVY:
        return (
            f"{who} imports {what}: only {', '.join(sorted(MAY_BE_HEAVY))} may; "
            f"what needs it belongs there"
        )
    here, there = room(who), room(what)
    return (
        f"{who} imports {what}, which stands no lower in the house: {here or 'the root'} is "
        f"'{HOUSE[LEVELS[here]][here]}', {there or 'the root'} is "
        f"'{HOUSE[LEVELS[there]][there]}'; what {here} needs of it belongs in a room below both"
    )


def find_misplaced(package):
    """What breaks the order of the house."""
    imports = read_imports(package)
    return {*find_upward(imports), *find_circles(imports)}


def test_every_module_stands_in_a_room():
    homeless = {room(name) for name in read_imports(PACKAGE)} - set(LEVELS)
    assert not homeless, f"give {', '.join(homeless)} a place in HOUSE: what may it import?"
    assert set(LEVELS) <= {room(name) for name in read_imports(PACKAGE)}


def test_no_import_goes_upward_and_there_is_no_circle():
    found = find_misplaced(PACKAGE)
    assert not found, "\n".join(map(explain, found))


def test_the_page_on_the_architecture_has_the_rooms_in_this_order():
    page = (PACKAGE.parent / "docs" / "ARCHITECTURE.md").read_text()
    assert "\n".join("    " + ", ".join(row) for row in HOUSE[1:]) in page


MISPLACED = {
    "upward, in a function": ("summary/a.py", "def f():\n    from ..figures import b\n", "below"),
    "upward, for types": ("files.py", "if TYPE_CHECKING:\n    from .space.b import C\n", "below"),
    "by its full name": ("space/a.py", "import svhn_tune.models.cnn\n", "below"),
    "in its own row": ("report/a.py", "from ..stages.b import c\n", "below"),
    "a circle": ("data/a.py", "from . import b\n", "import one another"),
    "heavy": ("summary/a.py", "from tensorflow import Tensor\n", "tensorflow: only"),
}


@pytest.mark.parametrize(("file", "text", "said"), MISPLACED.values(), ids=MISPLACED)
def test_what_is_misplaced_is_found_and_said(file, text, said, tmp_path):
    heavy = "engines/engine_tensorflow.py"
    others = ("figures/b.py", "space/b.py", "models/cnn.py", "stages/b.py", heavy)
    for path in (*others, "data/b.py", file):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).touch()
    (tmp_path / "data/b.py").write_text("from .a import c\n" if "data" in file else "")
    (tmp_path / heavy).write_text("import keras\nfrom ..models import cnn\n")
    assert not find_misplaced(tmp_path) or file == "data/a.py"
    (tmp_path / file).write_text(text)
    (found,) = find_misplaced(tmp_path)
    assert said in explain(found)


def imported(code, folder):
    """The names of the modules that a fresh Python has imported after running `code`."""
    program = f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize("name", [n for n in LIGHT if find_spec(f"svhn_tune.{n}")])
def test_module_imports_neither_keras_nor_tensorflow(name, tmp_path):
    modules = imported(f"import svhn_tune.{name}", tmp_path)
    assert f"svhn_tune.{name}" in modules
    assert not modules & HEAVY


def test_the_package_imports_neither_keras_nor_tensorflow(tmp_path):
    assert not imported("import svhn_tune", tmp_path) & HEAVY


def test_a_worker_on_tensorflow_imports_nothing_that_it_has_no_use_for(tmp_path, monkeypatch):
    """TensorFlow and Keras would, where it is installed; nor does it heed the user's backend."""
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    code = """
from svhn_tune.engines.engine import DEFAULT, load_engine
load_engine(DEFAULT)
import keras
assert keras.backend.backend() == "tensorflow"
"""
    modules = imported(code, tmp_path)
    assert "tensorflow" in modules
    unused = {"jax.numpy", "jaxlib", "matplotlib", "pandas", "scipy", "sklearn"}
    assert not modules & unused


def running(arguments):
    """The code that runs a command."""
    return f"""
import sys
from svhn_tune.cli import main
sys.argv[1:] = {arguments}
try:
    main()
except SystemExit as done:
    assert done.code == 0, done.code
"""


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_command_imports_neither_keras_nor_tensorflow(arguments, tmp_path, make_project):
    make_project(tmp_path / "results" / "cnn", [{"score": 0.5}])
    assert not imported(running(arguments), tmp_path) & HEAVY


def test_help_imports_next_to_nothing(tmp_path):
    assert not imported(running(["--help"]), tmp_path) & (HEAVY | BULKY)
    # Of a command's options typer asks pydantic.
    assert not imported(running(["search", "--help"]), tmp_path) & (HEAVY | BULKY - {"pydantic"})


def test_status_of_a_project_at_rest_imports_no_numpy(tmp_path, make_project):
    make_project(tmp_path / "results" / "cnn", [{"score": 0.5}])
    bulky = BULKY - {"pydantic", "rich"}
    assert not imported(running(["status"]), tmp_path) & (HEAVY | bulky)


def test_status_of_confirmed_runs_imports_no_more_of_scipy_than_it_needs(tmp_path, make_project):
    project = make_project(tmp_path / "results" / "cnn", [{}, {}])
    for record in project.ended("search"):
        for run, score in enumerate((0.4, 0.5)):
            changes = {"stage": "confirm", "run": run, "score": score}
            project.record(record.model_copy(update=changes))
    modules = imported(running(["status"]), tmp_path)
    assert "scipy.special" in modules
    assert "scipy.stats" not in modules


def test_a_name_of_the_package_is_a_function_imported_when_asked_for(tmp_path):
    code = """
from svhn_tune import confirm, plan, search
import svhn_tune
assert all(map(callable, (confirm, plan, search, svhn_tune.search)))
assert set(svhn_tune.__all__) <= set(dir(svhn_tune))
"""
    assert not imported(code, tmp_path) & HEAVY


def test_tables_for_pandas_import_neither_keras_nor_tensorflow(tmp_path, make_project):
    make_project(tmp_path / "results" / "cnn", [{"score": 0.5}])
    modules = imported("import svhn_tune; svhn_tune.open_project().trials", tmp_path)
    assert "pandas" in modules
    assert not modules & HEAVY
