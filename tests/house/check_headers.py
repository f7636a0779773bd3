# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""Rules of the headers: check_headers.py INCLUDE, a directory that holds luq/.

Reads include lines and namespaces, and fails, with a line for each, on

  - an arrow between areas that the house does not have;
  - headers of one area that include each other in a circle: they have no order to be read in;
  - definitions of another area that a header includes;
  - a name of a namespace `detail` outside of private folders, and a public name declared inside one;
  - a door that luq.hpp leaves out, or that is none; definitions that templates.hpp leaves out;
  - a header of more than 300 lines that is not known to do one thing; one without its licence.

Private folders are detail/ and cpu/, for what users never name, impl/ and templates/, for the definitions of what
public headers declare.
"""

import re
import sys
from pathlib import Path

# An area may include itself and these.
ARROWS = {
    "core": [],
    "estimators": ["core"],
    "codecs": ["core"],
    "quantizers": ["core", "estimators", "codecs"],
    "kernels": ["core", "codecs"],
    "models": ["core"],
    "policy": ["core", "estimators", "codecs", "models"],
    "io": ["core", "estimators", "codecs", "quantizers", "kernels", "models", "policy"],
}

PRIVATE = ("detail", "cpu")
DEFINITIONS = ("impl", "templates")

MOST_LINES = 300
# Longer, and one thing each.
LONG = {
    "luq/estimators/impl/kmeans.hpp",  # one run of k-means
    "luq/io/safetensors/impl/safetensors_header.hpp",  # the header of a file, checked
    "luq/kernels/cpu/operands/operand_decoder.hpp",  # codes of a codec as operands of dot products
    "luq/kernels/cpu/stages/activations.hpp",  # activations as integer kernels take them
    "luq/quantizers/templates/gptq.hpp",  # column feedback
    "luq/quantizers/templates/beam_search.hpp",  # column feedback with several codings
}

LICENCE = re.compile(
    r"// SPDX-FileCopyrightText: [^\n]*\n// SPDX-License-Identifier: Apache-2\.0\n"
)
INCLUDE = re.compile(r'^ *# *include ["<]([^">]+)[">]', re.MULTILINE)
PRIVATE_NAMESPACE = re.compile(r"^namespace (luq::)?(\w+::)*detail(::\w+)* \{", re.MULTILINE)
PRIVATE_BLOCK = re.compile(
    r"^namespace (?:\w+::)*detail(?:::\w+)* \{\n.*?^\}  // namespace (?:\w+::)*detail(?:::\w+)*\n",
    re.MULTILINE | re.DOTALL,
)
DECLARED_TYPE = re.compile(
    r"^(?:template <[^\n]*>\n(?:requires[^\n]*\n)?)?"
    r"(?:enum class|enum|struct|class|concept|using|inline constexpr) (\w+)\b(?!::)[^\n(]*[{=;]",
    re.MULTILINE,
)


def folders_of(header: str) -> list[str]:
    return header.split("/")[1:-1]


def is_private(header: str) -> bool:
    return any(folder in PRIVATE for folder in folders_of(header))


def is_definition(header: str) -> bool:
    return any(folder in DEFINITIONS for folder in folders_of(header))


def circle(graph: dict[str, list[str]]) -> list[str]:
    """Headers that include one another, or nothing."""
    state: dict[str, int] = {}
    path: list[str] = []

    def visit(header: str) -> list[str]:
        state[header] = 1
        path.append(header)
        for included in graph[header]:
            if state.get(included) == 1:
                return path[path.index(included) :] + [included]
            if included not in state:
                found = visit(included)
                if found:
                    return found
        state[header] = 2
        path.pop()
        return []

    for header in graph:
        if header not in state:
            found = visit(header)
            if found:
                return found
    return []


def failures(include: Path) -> list[str]:
    result: list[str] = []
    headers = sorted(
        path.relative_to(include).as_posix() for path in include.glob("luq/**/*") if path.suffix in (".hpp", ".cuh")
    )
    texts = {header: (include / header).read_text(encoding="utf-8") for header in headers}
    includes = {header: INCLUDE.findall(text) for header, text in texts.items()}
    umbrellas = {"luq/luq.hpp", "luq/templates.hpp"}
    graph: dict[str, list[str]] = {}

    for header in headers:
        text = texts[header]
        if not LICENCE.match(text):
            result.append(f"{header} does not begin with its SPDX lines")
        lines = text.count("\n")
        if lines > MOST_LINES and header not in LONG:
            result.append(f"{header} has {lines} lines, more than {MOST_LINES}, and is not known to do one thing")
        if header in umbrellas:
            continue
        area = header.split("/")[1]
        if area not in ARROWS:
            result.append(f"{header} is in no area")
            continue

        graph[header] = []
        for included in includes[header]:
            if included.endswith(".cuh") and not header.endswith(".cuh"):
                result.append(f"{header} may not include {included}: the library without CUDA never sees it")
            if re.fullmatch(r"cu[a-z_0-9]*\.h", included) and not header.endswith(".cuh"):
                result.append(f"{header} may not include {included}: only headers that nvcc compiles have CUDA")
            if re.match(r"(nlohmann|CLI)/", included) and area != "io":
                result.append(f"{header} may not include {included}: only io has optional dependencies")
            if not included.startswith("luq/"):
                continue
            if included not in texts:
                result.append(f"{header} includes {included}, which there is not")
                continue
            other = included.split("/")[1]
            if included in umbrellas or (other != area and other not in ARROWS[area]):
                result.append(f"{header} may not include {included}")
                continue
            # A header ends by including its own definitions, which include it.
            if not is_definition(included):
                graph[header].append(included)
            if is_definition(included) and other != area:
                result.append(f"{header} may not include {included}: definitions of another area")

        outside = PRIVATE_BLOCK.sub("", text)
        if not is_private(header) and not is_definition(header):
            if PRIVATE_NAMESPACE.search(text):
                result.append(f"{header} is public and opens a private namespace")
        elif re.search(r"^namespace luq(::(?!detail)\w+)* \{", outside, re.MULTILINE):
            if is_private(header):
                result.append(f"{header} is private and opens a public namespace")
            for match in DECLARED_TYPE.finditer(outside):
                if match.group(1) not in ("namespace",) and not match.group(0).startswith("using namespace"):
                    result.append(f"{header} is private and declares {match.group(1)}")

    found = circle(graph)
    if found:
        result.append("included in a circle: " + " -> ".join(found))

    doors = {
        h
        for h in headers
        if h.endswith(".hpp")
        and h not in umbrellas
        and not is_private(h)
        and not is_definition(h)
        and not h.startswith("luq/io/")
        and "cuda" not in folders_of(h)
    }
    templates = {h for h in headers if "templates" in folders_of(h) and "cuda" not in folders_of(h)}
    for umbrella, wanted in (("luq/luq.hpp", doors), ("luq/templates.hpp", templates)):
        if umbrella not in texts:
            continue
        for header in sorted(wanted - set(includes[umbrella])):
            result.append(f"{umbrella} does not include {header}")
        for header in sorted(set(includes[umbrella]) - wanted):
            result.append(f"{umbrella} includes {header}, which is no such header")
    if not headers:
        result.append(f"{include} has no header")
    return result


def main() -> int:
    found = failures(Path(sys.argv[1]))
    print("\n".join(found) if found else "no failure")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
