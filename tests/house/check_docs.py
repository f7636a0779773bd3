# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""The code in docs/ is code that is compiled: check_docs.py ROOT.

A block of C++ comes after `<!-- FILE -->` and is in that file, letter by letter. It may be a part of the file, such as
all but the licence. And docs/format.md has a row of every stored form of which there is a fixture.
"""

import re
import sys
from pathlib import Path

BLOCK = re.compile(r"(?:<!-- (?P<file>\S+) -->\n)?```cpp\n(?P<code>.*?)```", re.DOTALL)


def main() -> int:
    root = Path(sys.argv[1])
    blocks = 0
    wrong = []
    for page in sorted((root / "docs").glob("*.md")):
        for match in BLOCK.finditer(page.read_text(encoding="utf-8")):
            blocks += 1
            source = root / match["file"] if match["file"] else None
            if source is None or not source.is_file():
                wrong.append(f"{page.name}: a block that names no file")
            elif not match["code"] or match["code"] not in source.read_text(encoding="utf-8"):
                wrong.append(f"{page.name}: this block is not in {match['file']}:\n{match['code']}")
    formats = (root / "docs" / "format.md").read_text(encoding="utf-8")
    for fixture in (root / "tests" / "data" / "format2").iterdir():
        for form in fixture.name.removesuffix(".safetensors").split("-"):
            name, version = form.rsplit(".", 1)
            if not re.search(rf"^\|.*`{re.escape(name)}`.*\| {version} \|", formats, re.MULTILINE):
                wrong.append(f"format.md: no row of form {name}, version {version}")
    for line in wrong:
        print(line)
    print(f"{blocks} blocks, {len(wrong)} wrong")
    return 1 if wrong or blocks < 4 else 0


if __name__ == "__main__":
    sys.exit(main())
