"""The module debug_window of the collection knows each option of a request: what the command line learns, it learns."""

from __future__ import annotations

import ast
from pathlib import Path

import yaml

from pfremote.options.request import _WORDS

COLLECTION = Path(__file__).parents[3] / "ansible"
#: Named as in playbooks, or the module's own.
OTHERS = {"peers", "instance", "lease", "extend"}


def _assigned(path: Path, name: str) -> object:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return ast.literal_eval(node.value)
    raise AssertionError(f"{path} assigns no {name}")


def test_action_documentation_and_role_have_every_option() -> None:
    expected = set(_WORDS) - {"peer"} | OTHERS
    spec = _assigned(COLLECTION / "plugins/action/debug_window.py", "SPEC")
    assert isinstance(spec, dict) and set(spec) == expected
    documentation = yaml.safe_load(str(_assigned(COLLECTION / "plugins/modules/debug_window.py", "DOCUMENTATION")))
    assert set(documentation["options"]) | {"instance"} == expected
    role = yaml.safe_load((COLLECTION / "roles/debug_window/meta/argument_specs.yml").read_text())
    known = {name.removeprefix("debug_window_") for name in role["argument_specs"]["main"]["options"]}
    assert known - {"dest", "keep", "poll"} == expected - {"extend"}
