"""README and docs cannot drift: every block of code runs, every file has its place in the tree."""

import ast
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import TENSORFLOW, train_by
from forked import start_command

from svhn_tune import confirm, search
from svhn_tune.models.domain import TRAINING, Domain
from svhn_tune.models.families import FAMILIES
from svhn_tune.space import reading as space_tables
from svhn_tune.space.hyperparameters import TYPES
from svhn_tune.space.task import SOURCES

ROOT = Path(__file__).parents[1]
PAGES = {path.name: path.read_text() for path in (ROOT / "README.md", *ROOT.glob("docs/*.md"))}
README, ARCHITECTURE, SPACES = (
    PAGES[f"{name}.md"] for name in ("README", "ARCHITECTURE", "SPACES")
)


def list_blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", PAGES[page], re.MULTILINE | re.DOTALL)


def list_commands(page):
    """The commands of a page's console blocks, in their order."""
    blocks = "".join(list_blocks(page, "console"))
    return re.findall(r"^\$ python -m (svhn_tune .*)$", blocks, re.MULTILINE)


WITH_COMMANDS = [page for page in PAGES if list_commands(page)]
CODE = [(page, block) for page in PAGES for block in list_blocks(page, "python")]

# The whole job takes days; what is cut short here is the training, not the command.
SHORTER = {
    "svhn_tune search": "--max-epochs 1 --train-images 64 --max-trials 6",
    "svhn_tune plan": "--max-epochs 4 --epochs 4 --max-trials 12",
    "svhn_tune confirm": "--top 1 --runs 1 --epochs 1 --no-baseline",
}


@pytest.fixture
def place(archives, tmp_path):
    """A folder with ./data, where a reader would stand."""
    (tmp_path / "data").symlink_to(archives)
    return tmp_path


def shorten(command):
    """The arguments of a command, with what cuts its training short."""
    added = next((added for key, added in SHORTER.items() if command.startswith(key)), "")
    return shlex.split(command) + shlex.split(added)


def run_all(page, run):
    """Run every command of a page; `run` returns its exit status and what it printed."""
    for command in list_commands(page):
        status, told = run(command)
        # A file trained for one epoch may not be handed in, and check says so.
        assert status == (1 if " check " in command else 0), (command, told)
        assert "Traceback" not in told


def test_every_block_is_of_a_kind_that_runs_here():
    for page, text in PAGES.items():
        kinds = re.findall(r"^```(.*)$", text, re.MULTILINE)[::2]
        assert set(kinds) <= {"console", "python", "toml", "sh"}, page
        for block in list_blocks(page, "console"):
            lines = block.splitlines()
            assert all(line.startswith("$ python -m svhn_tune ") for line in lines), page
    assert [page for page in PAGES if list_blocks(page, "sh")] == ["README.md"]
    assert [page for page in PAGES if list_blocks(page, "toml")] == ["SPACES.md"]


@pytest.mark.slow
@pytest.mark.parametrize("page", WITH_COMMANDS)
def test_every_command_runs(page, place):
    """In forked processes, by softmax; by TensorFlow what makes the file that `check` looks at."""
    told = place / "told.txt"

    def run(command):
        with train_by(TENSORFLOW if " confirm " in command else "softmax_engine"):
            process = start_command(shorten(command)[1:], place, stdout=told, stderr=told)
            return process.wait(), told.read_text()

    run_all(page, run)


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("page", WITH_COMMANDS)
def test_every_command_runs_as_it_stands(page, place):
    def run(command):
        arguments = [sys.executable, "-m", *shorten(command)]
        done = subprocess.run(arguments, cwd=place, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    run_all(page, run)


@pytest.mark.parametrize(
    ("page", "block"), CODE, ids=[f"{page} {n}" for n, (page, _) in enumerate(CODE)]
)
def test_the_code_runs(page, block, place, monkeypatch):
    monkeypatch.chdir(place)
    exec(compile(block, page, "exec"), {})


@pytest.mark.soak
@pytest.mark.network
@pytest.mark.timeout(1800)
def test_the_set_up_works_as_it_stands(tmp_path):
    """From a clone of this checkout, in an environment of its own: what is committed counts."""
    (block,) = list_blocks("README.md", "sh")
    address = "https://github.com/YOUR-NAME/svhn_tune"
    assert block.count(address) == 1
    script = block.replace(address, f"{shlex.quote(str(ROOT))} svhn_tune")
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run(
        ["sh", "-ec", script + "cd /\npython -m svhn_tune spaces\n"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "A4.3: the CNN of the assignment" in done.stdout


def test_the_complete_example_is_searched_and_its_questions_are_answered(archives, tmp_path):
    (block,) = list_blocks("SPACES.md", "toml")
    path = tmp_path / "mine.toml"
    path.write_text(block)
    settings = {"max_epochs": 1, "train_images": 64, "max_trials": 6}
    project = search(path, archives, project=tmp_path / "mine", tuner="random", **settings)
    named = [*project.space.listed, *project.space.points]
    assert [project.values(record.trial) for record in project.ended("search")] == named
    confirm(project, archives, question=1, runs=1, epochs=1)
    assert len(project.ended("confirm")) == 2


def test_the_complete_example_has_every_table_and_every_type():
    (block,) = list_blocks("SPACES.md", "toml")
    tables = set(re.findall(r"^\[+(\w+)\]+", block, re.MULTILINE)) | {"hyperparameters"}
    fields = {name for name in space_tables.Space.model_fields if name not in ("name", "text")}
    # A target is of clocks alone.
    assert tables | {"title", "data", "model", "target"} == fields
    assert set(re.findall(r'^type = "(\w+)"', block, re.MULTILINE)) == set(TYPES)


def list_rows(text):
    """What a page's tables say of each name in a first cell: name -> its row."""
    rows = {}
    for line in re.findall(r"^\| .*\|$", text, re.MULTILINE):
        for name in re.findall(r"`(\w+)`", line.split("|")[1]):
            rows[name] = line
    return rows


@pytest.mark.parametrize("family", [*FAMILIES, "any model"])
def test_every_hyperparameter_is_in_the_docs_with_what_it_allows(family):
    domains = TRAINING if family == "any model" else FAMILIES[family].DOMAINS
    title = family if family == "any model" else f"`{family}`"
    rows = list_rows(SPACES[SPACES.index(f"| {title} | allowed |") :].split("\n\n")[0])
    rows.pop(family, None)
    assert set(rows) == set(domains), f"docs/SPACES.md, the table of {family}"
    for name, domain in domains.items():
        assert isinstance(domain, Domain)
        row = rows[name]
        assert bool(domain.per) == ("per " in row.split("|")[1]), row
        if isinstance(domain.default, bool) or domain.choices:
            wanted = str(domain.default).lower()
        else:
            wanted = f"{domain.low:g} to {domain.high:g}"
        assert wanted in row, row
        assert all(choice in SPACES for choice in domain.choices), row


def test_every_key_of_a_space_file_is_in_the_docs():
    tables = [*TYPES.values(), *space_tables._TABLES.values()]
    keys = {key for table in tables for key in table.model_fields} - {"name", "text", "type"}
    missing = {key for key in keys if f"`{key}" not in SPACES and f"`[{key}]`" not in SPACES}
    missing = {key for key in missing if f"[[{key}]]" not in SPACES and f"[{key}." not in SPACES}
    assert not missing
    assert not {name for name in SOURCES if f"`{name}`" not in SPACES}


def test_every_figure_has_a_script():
    for page, text in PAGES.items():
        for script in re.findall(r"benchmarks/\w+\.py", text):
            assert (ROOT / script).is_file(), (page, script)
    for table in PAGES["BENCHMARKS.md"].split("\n## ")[1:]:
        assert "benchmarks/" in table


def test_links_lead_somewhere():
    for page, text in PAGES.items():
        folder = ROOT if page == "README.md" else ROOT / "docs"
        for link in re.findall(r"\]\(([^)#:]+)\)", text):
            assert (folder / link).exists(), (page, link)


def test_the_readme_is_short():
    assert len(README.splitlines()) < 150


def list_paths(tree):
    """The relative paths of a tree drawn by indentation; folders end with a slash."""
    above = []
    for indent, name in re.findall(r"^ {4}((?:  )*)(\S+)  ", tree, re.MULTILINE):
        above[len(indent) // 2 :] = [name]
        yield "".join(above)


def test_a_path_in_the_tree_is_where_its_line_stands():
    tree = "    a/  b\n      c.py  of a\n      d/  e\n        c.py  of d\n    c.py  of none\n"
    assert list(list_paths(tree)) == ["a/", "a/c.py", "a/d/", "a/d/c.py", "c.py"]


def says_more_than_a_docstring(path):
    return len(ast.parse(path.read_text()).body) > 1


def test_the_tree_has_every_module_and_folder_where_it_is():
    listed = list(list_paths(ARCHITECTURE[ARCHITECTURE.index("## The modules") :]))
    assert len(listed) == len(set(listed))
    modules = set()
    for path in (ROOT / "svhn_tune").rglob("*.py"):
        modules.add(f"{path.parent.relative_to(ROOT).as_posix()}/")
        if path.name != "__init__.py" or says_more_than_a_docstring(path):
            modules.add(path.relative_to(ROOT).as_posix())
    assert not modules - set(listed), "not in docs/ARCHITECTURE.md"
    gone = {name for name in listed if not (ROOT / name).exists()}
    assert not gone, "in docs/ARCHITECTURE.md, but not there"
    assert {"search_spaces/", "results/", "benchmarks/", "tests/", "docs/"} <= set(listed)


def test_every_command_has_help_and_a_line_in_the_readme():
    from typer.main import get_command

    from svhn_tune.cli import app

    commands = get_command(app).commands
    for name, command in commands.items():
        assert command.help, name
        assert f"svhn_tune {name}" in README, name
        for parameter in command.params:
            assert getattr(parameter, "help", None), (name, parameter.name)
