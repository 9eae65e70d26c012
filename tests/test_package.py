"""The installed package: the spaces travel in the wheel, and commands work from anywhere."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
@pytest.mark.network
def test_the_installed_package_works_from_any_folder(tmp_path):
    site, place = tmp_path / "site", tmp_path / "place"
    place.mkdir()
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", site]
    subprocess.run([*install, ROOT], check=True, capture_output=True)
    spaces = sorted(path.name for path in (ROOT / "search_spaces").iterdir())
    assert sorted(path.name for path in (site / "svhn_tune" / "search_spaces").iterdir()) == spaces
    templates = site / "svhn_tune" / "report" / "templates"
    assert {path.suffix for path in templates.iterdir()} == {".html", ".css", ".js"}
    done = subprocess.run(
        [sys.executable, "-c", "import svhn_tune.models.spaces as s; print(s.spaces_folder())"],
        cwd=place,
        env={"PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(done.stdout.strip()) == site / "svhn_tune" / "search_spaces"
    described = subprocess.run(
        [sys.executable, "-m", "svhn_tune", "describe", "--space", "cnn"],
        cwd=place,
        env={"PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "89,834 parameters" in described.stdout


@pytest.mark.soak
@pytest.mark.network
@pytest.mark.timeout(600)
def test_make_dist_makes_a_wheel_and_an_sdist_for_an_index(tmp_path):
    """Of what is committed; twine's check fails the target."""
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
    done = subprocess.run(["make", "dist"], cwd=clone, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (wheel,) = (clone / "dist").glob("*.whl")
    (sdist,) = (clone / "dist").glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "svhn_tune").rglob("*.py")}
    assert modules <= packed
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"README.md", "LICENSE", "docs/SPACES.md", "tests/conftest.py"} <= names
