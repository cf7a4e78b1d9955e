"""What the tests say of themselves: which break turns each red, and which promise each proves.

`breaks/run` tries the breaks; here it is only looked at whether all that they name is there.
"""

import ast
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.server import ROOT

HERE = Path(__file__).parent
PATCHES = sorted((HERE / "breaks").glob("*.patch"))


def conformance_tests():
    """All conformance tests by `file.py::name`, with what their docstrings say."""
    found = {}
    for file in HERE.glob("test_*.py"):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                found[f"{file.name}::{node.name}"] = ast.get_docstring(node) or ""
    return found


def test_every_test_names_a_break_of_its_own():
    """Break: none of the server: a test without a break in its docstring, or with another's."""
    said = conformance_tests()
    assert [test for test, doc in said.items() if not re.match(r"Break: \S+ \S+", doc)] == []
    breaks = list(said.values())
    assert [test for test, doc in said.items() if breaks.count(doc) > 1] == []


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.stem)
def test_a_patch_of_a_break_applies_and_names_tests_that_are_there(patch):
    """Break: none of the server: a change of a source that leaves a patch behind."""
    named = re.findall(r"^Red: (\S+)$", patch.read_text(), re.MULTILINE)
    assert named and [test for test in named if test not in conformance_tests()] == []
    if shutil.which("git"):
        command = ["git", "apply", "--check", str(patch)]
        applied = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert applied.returncode == 0, applied.stderr


def test_every_promise_names_tests_that_are_there():
    """Break: none of the server: a promise in docs/GUARANTEES.md without a test, or a test renamed."""
    text = (ROOT / "docs/GUARANTEES.md").read_text()
    promises = re.findall(r"^- (.+?)(?=^- |^#|\Z)", text.partition("## What is not")[0], re.M | re.S)
    proof = r"`(test_\w+|\w+(?:Test|Contract)\.\w+)`"
    assert promises and [promise for promise in promises if not re.search(proof, promise)] == []
    known = {name.partition("::")[2] for name in conformance_tests()}
    for named in re.findall(proof, text):
        class_name, _, method = named.rpartition(".")
        if class_name:
            (file,) = ROOT.glob(f"*/src/test/java/**/{class_name}.java")
            assert f"void {method}(" in file.read_text(), named
        else:
            assert named in known, named
