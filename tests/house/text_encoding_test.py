# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""Checks that no script of the repository reads or writes text in whatever encoding the locale has.

    python3 text_encoding_test.py ROOT

Every call that opens text must name its encoding: open(), Path.open() and NamedTemporaryFile() in a mode without "b",
read_text(), write_text(), and processes of subprocess whose output is text. Functions are known by name alone: what
another library calls open() is taken for one of these, unless the library is named here.
"""

import ast
import pathlib
import sys
import tempfile
import unittest

ALWAYS_TEXT = {"read_text", "write_text"}
#: The place of the mode among the arguments, and the mode where it is absent.
OPENING = {"open": (1, "r"), "NamedTemporaryFile": (0, "w+b")}
PROCESSES = {"run", "Popen", "check_output"}
#: Of modules whose open() is of no text, or takes a number for the flags.
OTHERS = {"os", "Image", "safetensors"}


def name_of(call):
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def owner_of(call):
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    return owner.id if isinstance(owner, ast.Name) else ""


def mode_of(call):
    """The mode that a call opens in; text if it is not written there as a constant."""
    place, usual = OPENING[name_of(call)]
    if name_of(call) == "open" and isinstance(call.func, ast.Attribute):
        place = 0  # of a path that opens itself
    modes = [keyword.value for keyword in call.keywords if keyword.arg == "mode"] or call.args[place : place + 1]
    if not modes:
        return usual
    return modes[0].value if isinstance(modes[0], ast.Constant) else "r"


def opens_text_as_the_locale_has_it(call):
    given = {keyword.arg for keyword in call.keywords}
    if "encoding" in given or owner_of(call) in OTHERS:
        return False
    name = name_of(call)
    if name in OPENING:
        return "b" not in mode_of(call)
    return name in ALWAYS_TEXT or (name in PROCESSES and not given.isdisjoint({"text", "universal_newlines"}))


def calls_in(source):
    """Lines of the calls in a source that open text without an encoding."""
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    return sorted(call.lineno for call in calls if opens_text_as_the_locale_has_it(call))


def scripts_in(root):
    folders = {path: path.relative_to(root).parts[0] for path in sorted(root.rglob("*.py"))}
    return [path for path, folder in folders.items() if folder != "build" and not folder.startswith(".")]


class Encodings(unittest.TestCase):
    def test_calls_without_an_encoding_are_found(self):
        wrong = ["open(p)", "open(p, 'w')", "p.open()", "open(p, mode)", "p.read_text()", "p.write_text(s)",
                 "subprocess.run(c, text=True)", "tempfile.NamedTemporaryFile('w')"]
        right = ["open(p, 'rb')", "p.open('ab')", "open(p, encoding='utf-8')", "p.read_text(encoding='utf-8')",
                 "subprocess.run(c)", "subprocess.run(c, text=True, encoding='utf-8')", "os.open(p, flags)",
                 "tempfile.NamedTemporaryFile()", "Image.open(p)", "open(p, mode='wb')"]
        self.assertEqual(calls_in("\n".join(wrong)), list(range(1, len(wrong) + 1)))
        self.assertEqual(calls_in("\n".join(right)), [])

    def test_scripts_are_found(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name in ("a.py", "deep/er/b.py", "build/c.py", ".venv/d.py", "e.txt"):
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_bytes(b"")
            self.assertEqual(scripts_in(root), [root / "a.py", root / "deep/er/b.py"])

    def test_all_scripts_name_their_encodings(self):
        scripts = scripts_in(ROOT)
        self.assertGreater(len(scripts), 20)
        found = [f"{path}:{line}" for path in scripts for line in calls_in(path.read_text(encoding="utf-8"))]
        self.assertEqual(found, [])


if __name__ == "__main__":
    ROOT = pathlib.Path(sys.argv.pop())
    unittest.main()
