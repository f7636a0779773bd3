# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""Checks that codecs are listed once, in luq/codecs/any_codec.hpp.

    python3 one_catalogue_test.py ROOT PROGRAM    a program that prints codec_families()

Code that names more than half of the codecs within a few lines, by their types or by their families, is a list of them.
Those in SELECTIONS are not to be whole: a new codec is added to them only if it belongs there.
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

CATALOGUE = "include/luq/codecs/any_codec.hpp"

SELECTIONS = {
    "examples/unit_experiment.cpp": "rows of a table, in the order of their bits",
    "examples/vlm/app/frontier.cpp": "recipes along a scale of bits",
    "examples/vlm/tests/synthetic_decoder_test.cpp": "codecs for layers of one model",
    "tests/codecs/any_codec_test.cpp": "examples of names, and nominal bits",
    "tests/codecs/detail/component_form_test.cpp": "what each codec's form is",
    "tests/codecs/recipe_test.cpp": "examples of names",
    "tests/codecs/weight_codec_test.cpp": "what each codec's levels are",
    "tests/io/exports/export_linter_test.cpp": "what each codec becomes in another format",
    "tests/io/gguf/ggml_blocks_test.cpp": "what each codec becomes in another format",
    "tests/io/llama_cpp/llama_quantize_types_test.cpp": "what each codec becomes in another format",
    "tests/kernels/kernel_path_test.cpp": "what each codec's kernels are",
}

LINES = 20
CODE = {".hpp", ".cpp", ".cuh", ".cu", ".py", ".cmake", ".in", ".txt"}


def types_in(catalogue):
    return re.findall(r"^ *([^ ,]+),? +// (?:planes|table|sequence)$", catalogue, re.MULTILINE)


def longest_list(text, types, families):
    """How many types, or families at the beginning of a string, stand together at most, within LINES lines."""
    typed = re.compile(rf"(?<!\w)({'|'.join(map(re.escape, types))})(?![\w.<])")
    quoted = re.compile(rf"[\"']({'|'.join(map(re.escape, families))})(?=[:\"'])")
    longest = 0
    for pattern in (typed, quoted):
        named = [(number, name) for number, line in enumerate(text.splitlines()) for name in pattern.findall(line)]
        for first, _ in named:
            longest = max(longest, len({name for number, name in named if first <= number < first + LINES}))
    return longest


def lists_in(root, types, families):
    """Files of code, from the root, that have a list."""
    found = set()
    for path in root.rglob("*"):
        name = path.relative_to(root)
        if path.suffix not in CODE or name.parts[0] == "build" or name.parts[0].startswith("."):
            continue
        if 2 * longest_list(path.read_text(encoding="utf-8"), types, families) > len(types):
            found.add(name.as_posix())
    return found


class OneCatalogue(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.types = types_in((ROOT / CATALOGUE).read_text(encoding="utf-8"))
        cls.families = subprocess.run([PROGRAM], check=True, capture_output=True, encoding="utf-8").stdout.split()

    def test_the_catalogue_is_read(self):
        self.assertEqual(len(self.types), len(self.families))
        self.assertGreater(len(self.types), 10)
        self.assertEqual(len(set(self.types)), len(self.types))

    def test_another_list_is_found(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            half = len(self.types) // 2
            texts = {
                "types.cmake": " ".join(self.types[: half + 1]),
                "families.py": " ".join(f'"{family}:g128",' for family in self.families[-half - 1 :]),
                "half.cpp": ", ".join(self.types[:half]),
                "headers.hpp": "\n".join(f'#include "luq/codecs/{name}.hpp"' for name in self.types),
                "prose.txt": " ".join(self.families),
                "types.md": " ".join(self.types),
            }
            for name, text in texts.items():
                (root / name).write_text(text, encoding="utf-8")
            self.assertEqual(lists_in(root, self.types, self.families), {"types.cmake", "families.py"})

    def test_there_is_one_list(self):
        found = lists_in(ROOT, self.types, self.families) - {CATALOGUE}
        self.assertEqual(sorted(found), sorted(SELECTIONS), "expected no list beside any_codec.hpp")

    def test_the_fuzzer_of_plans_knows_every_family(self):
        words = (ROOT / "tests/fuzz/plan_json.dict").read_text(encoding="utf-8")
        for family in self.families:
            self.assertRegex(words, rf'"\\"{re.escape(family)}:')


if __name__ == "__main__":
    PROGRAM = sys.argv.pop()
    ROOT = pathlib.Path(sys.argv.pop())
    unittest.main()
