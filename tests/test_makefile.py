"""What ``make`` tells when something is missing, and which Python it takes."""

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TOOLS = ("make", "sh", "awk", "touch", "test")
UNFIT = "exit 127"
NO_VENV = f"""case "$2" in *ensurepip*) exit 1;; esac; exec '{sys.executable}' "$@" """
NO_NETWORK = f"""
if [ "$1" = -m ]; then
    mkdir -p .venv/bin; printf '#!/bin/sh\\nexit 1\\n' > .venv/bin/pip; chmod +x .venv/bin/pip
else
    exec '{sys.executable}' "$@"
fi"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the Makefile and what it reads, where nothing is installed yet."""
    for name in ("Makefile", "setup.cfg", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "bin").mkdir()
    for tool in (*TOOLS, "mkdir", "chmod"):
        (tmp_path / "bin" / tool).symlink_to(str(shutil.which(tool)))
    return tmp_path


def python(checkout: Path, name: str, script: str) -> None:
    """Put a Python on the PATH of a checkout, as a shell script."""
    file = checkout / "bin" / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


def make(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", *arguments],
        cwd=checkout,
        env={"PATH": str(checkout / "bin")},
        capture_output=True,
        text=True,
    )


def said(checkout: Path, *arguments: str) -> str:
    """Return the one line, of ours, that ``make sweep`` fails with."""
    done = make(checkout, "sweep", *arguments)
    assert done.returncode != 0
    line, _ = done.stderr.splitlines()  # The second is make's own, which names the rule.
    return line


def test_the_newest_python_that_works_is_taken(checkout: Path) -> None:
    python(checkout, "python3.13", UNFIT)
    for name in ("python3.12", "python3.11"):
        python(checkout, name, f"exec '{sys.executable}' \"$@\"")
    assert "'python3.12' -m venv .venv" in make(checkout, "-n", "sweep").stdout


def test_python_names_another(checkout: Path) -> None:
    python(checkout, "python3.12", f"exec '{sys.executable}' \"$@\"")
    done = make(checkout, "-n", "sweep", f"PYTHON={sys.executable}")
    assert f"'{sys.executable}' -m venv .venv" in done.stdout


def test_no_python_is_told(checkout: Path) -> None:
    assert said(checkout) == "make: no Python 3.11 to 3.13 on the PATH; name one: make PYTHON=FILE"


def test_a_python_that_does_not_fit_is_told(checkout: Path) -> None:
    python(checkout, "python3.9", "exit 1")
    assert said(checkout, "PYTHON=python3.9") == "make: python3.9 is no Python 3.11 to 3.13"


def test_a_missing_venv_is_told(checkout: Path) -> None:
    python(checkout, "python3.11", NO_VENV)
    line = said(checkout)
    assert line == "make: python3.11 has no venv; on Debian and Ubuntu: apt install python3-venv"


def test_a_missing_network_is_told(checkout: Path) -> None:
    python(checkout, "python3.11", NO_NETWORK)
    assert said(checkout) == "make: pip could not install; is the package index within reach?"


def test_the_pythons_that_fit_are_those_of_setup_cfg() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    low, high = re.findall(r"\((3, \d+)\)", MAKEFILE)
    expected = f">={low},<{high}".replace(", ", ".")
    assert setup["options"]["python_requires"] == expected


def test_help_lists_every_target_a_person_types(checkout: Path) -> None:
    listed = re.findall(r"^make ([a-z-]+) +\S", make(checkout, "help").stdout, re.MULTILINE)
    (typed,) = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert listed == typed.split()


def test_pre_commit_runs_the_linters_of_make() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert [hook["entry"] for repo in config["repos"] for hook in repo["hooks"]] == ["make lint"]
