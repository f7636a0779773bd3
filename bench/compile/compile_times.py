#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""Seconds to include and to compile: what a unit costs that uses luq, beside one that includes <Eigen/Dense>.

    python3 bench/compile/compile_times.py --rounds 5 --json compile.json     the table of bench/RESULTS.md
    python3 bench/compile/compile_times.py --check bench/compile/budget.json  fails if a row takes 1.3 times its budget
    python3 bench/compile/compile_times.py --budget bench/compile/budget.json  a new budget: what is reached
    python3 bench/compile/compile_times.py --units build/test/compile_commands.json   memory of each unit of a build

A figure is the user seconds of the compiler over those of eigen.cpp, optimized alike and compiled in turn on the same
machine: medians of the rounds. Rows of many headers show the worst and the median of them.
"""
import argparse
import functools
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent

MARGIN = 1.3   # machines and libraries differ
RETRIES = 3    # and seconds are noisy

PLAIN = ("-O2", "-c")
NATIVE = ("-O2", "-march=native", "-c")
SYNTAX = ("-fsyntax-only",)
COMPILED = ("-DLUQ_COMPILED",)


@dataclass(frozen=True)
class Row:
    """A program, or headers of which each is a program."""
    name: str
    flags: tuple
    base: tuple
    program: Path = None
    headers: tuple = ()
    ours: bool = True   # held to a budget


def public_headers(include, area):
    """The doors of an area, as they are included."""
    found = sorted((include / "luq" / area).rglob("*.hpp"))
    return tuple(f"luq/{header.relative_to(include / 'luq')}" for header in found
                 if not {"cpu", "detail", "impl", "templates"} & set(header.relative_to(include).parts))


def all_rows(include):
    hello = ROOT / "examples" / "hello.cpp"
    policy = public_headers(include, "policy")
    io = public_headers(include, "io")
    return [
        Row("luq.hpp", SYNTAX, PLAIN, HERE / "everything.cpp"),
        Row("hello", PLAIN, PLAIN, hello),
        Row("hello, compiled", COMPILED + PLAIN, PLAIN, hello),
        Row("matmul of int4", NATIVE, NATIVE, HERE / "matmul_int4.cpp"),
        Row("matmul of signs", NATIVE, NATIVE, HERE / "matmul_signs.cpp"),
        Row("matmul of any codec", NATIVE, NATIVE, HERE / "any_matmul.cpp"),
        Row("matmul of any codec, compiled", COMPILED + NATIVE, NATIVE, HERE / "any_matmul.cpp"),
        Row("GPTQ to two codecs", NATIVE, NATIVE, HERE / "gptq.cpp"),
        Row("headers of policy", SYNTAX, PLAIN, headers=policy),
        Row("headers of policy, compiled", COMPILED + SYNTAX, PLAIN, headers=policy),
        Row("nlohmann/json.hpp alone", SYNTAX, PLAIN, headers=("nlohmann/json.hpp",), ours=False),
        Row("headers of io", SYNTAX, PLAIN, headers=io),
        Row("headers of io, compiled", COMPILED + SYNTAX, PLAIN, headers=io),
    ]


@dataclass
class Cost:
    """What runs of one compilation took."""
    seconds: list = field(default_factory=list)
    megabytes: float = 0

    def add(self, seconds, megabytes):
        self.seconds.append(seconds)
        self.megabytes = max(self.megabytes, megabytes)

    @property
    def median(self):
        return statistics.median(self.seconds)


def run(command, directory=None):
    """User seconds and peak megabytes of a command and of what it starts."""
    process = subprocess.Popen(command, cwd=directory, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    errors = process.stderr.read()
    process.stderr.close()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"compile_times.py: {shlex.join(map(str, command))}\n{errors.decode(errors='replace')}")
    return usage.ru_utime, usage.ru_maxrss / 1024


class Compiler:
    def __init__(self, program, flags, folder):
        self.command = [program, "-std=c++20", *flags]
        self.folder = Path(folder)

    def measure(self, flags, source, cost):
        output = [] if "-fsyntax-only" in flags else ["-o", self.folder / "unit.o"]
        cost.add(*run([*self.command, *flags, source, *output]))

    def includer(self, header):
        source = self.folder / "header.cpp"
        source.write_text(f"#include <{header}>\nint main() {{}}\n", encoding="utf-8")
        return source


@dataclass(frozen=True)
class Figure:
    """Of a row: ratios of all its programs, and what the worst takes."""
    ratios: dict      # of each program to the base
    worst: str
    seconds: float
    megabytes: float

    @property
    def ratio(self):
        return self.ratios[self.worst]

    @property
    def median(self):
        return statistics.median(self.ratios.values())


def measure(compiler, row, rounds, only=None):
    """The figure of a row, or of those of its programs that are named."""
    base = Cost()
    programs = {header: functools.partial(compiler.includer, header) for header in row.headers}
    if row.program:
        programs[row.program.name] = lambda: row.program
    costs = {name: Cost() for name in only or programs}
    for _ in range(rounds):
        compiler.measure(row.base, HERE / "eigen.cpp", base)
        for name, cost in costs.items():
            compiler.measure(row.flags, programs[name](), cost)
        compiler.measure(row.base, HERE / "eigen.cpp", base)
    ratios = {name: cost.median / base.median for name, cost in costs.items()}
    worst = max(ratios, key=ratios.get)
    return Figure(ratios, worst, costs[worst].median, max(cost.megabytes for cost in costs.values()))


def table(figures):
    lines = ["| | flags | × `<Eigen/Dense>` | median | user seconds | peak MB |", "|---|---|---|---|---|---|"]
    for row, figure in figures:
        many = len(figure.ratios) > 1
        worst = f" (`{figure.worst}`)" if many else ""
        median = f"{figure.median:.2f}" if many else ""
        lines.append(f"| {row.name}{worst} | `{' '.join(row.flags)}` | {figure.ratio:.2f} | {median} | "
                     f"{figure.seconds:.2f} | {figure.megabytes:.0f} |")
    return "\n".join(lines)


def as_json(figures):
    rows = {row.name: {"flags": row.flags, "ratio": figure.ratio, "median": figure.median, "ratios": figure.ratios,
                       "user_seconds": figure.seconds, "peak_megabytes": figure.megabytes} for row, figure in figures}
    return json.dumps(rows, indent=1) + "\n"


def as_budget(figures):
    """What was reached, for check()."""
    held = [(row, figure) for row, figure in figures if row.ours]
    budget = {"ratios": {row.name: round(figure.ratio, 2) for row, figure in held},
              "megabytes": round(max(figure.megabytes for _, figure in held))}
    return json.dumps(budget, indent=2) + "\n"


def check(compiler, rows, budget):
    """Complaints about rows that exceed their budget, in each of so many tries."""
    complaints = []
    for row in filter(lambda row: row.ours, rows):
        if row.name not in budget["ratios"]:
            complaints.append(f"{row.name}: there is no budget of it")
            continue
        reached = budget["ratios"][row.name]
        limit = MARGIN * reached
        only = None
        for _ in range(RETRIES):
            figure = measure(compiler, row, 1, only)
            print(f"{row.name}: {figure.ratio:.2f} of {limit:.2f}, {figure.megabytes:.0f} MB, {figure.worst}",
                  flush=True)
            only = [name for name, ratio in figure.ratios.items() if ratio > limit]
            if not only:
                break
        else:
            complaints.append(f"{row.name}: {figure.worst} takes {figure.ratio:.2f} times as long as <Eigen/Dense>, "
                              f"expected at most {MARGIN} x {reached} = {limit:.2f}")
        most = MARGIN * budget["megabytes"]
        if figure.megabytes > most:
            complaints.append(f"{row.name}: takes {figure.megabytes:.0f} MB, "
                              f"expected at most {MARGIN} x {budget['megabytes']} = {most:.0f}")
    return complaints


def print_units(database):
    """Memory and seconds of the units of a build, the largest first."""
    costs = {}
    for entry in json.loads(Path(database).read_text(encoding="utf-8")):
        command = shlex.split(entry["command"])
        if Path(command[0]).name == "ccache":
            command = command[1:]
        with tempfile.NamedTemporaryFile(suffix=".o") as output:
            if "-o" in command:
                command[command.index("-o") + 1] = output.name
            costs[entry.get("output", entry["file"])] = run(command, entry["directory"])
    for name, (seconds, megabytes) in sorted(costs.items(), key=lambda item: -item[1][1]):
        print(f"{megabytes:6.0f} MB {seconds:7.1f} s  {name}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--compiler", default="g++")
    parser.add_argument("--include", type=Path, default=ROOT / "include", help="the folder of luq/")
    parser.add_argument("--system", nargs="*", default=["/usr/include/eigen3"], metavar="FOLDER",
                        help="of Eigen, xsimd and nlohmann-json")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", nargs="+", metavar="NAME", help="only these")
    parser.add_argument("--json", type=Path, help="where figures go, with those of each header")
    parser.add_argument("--budget", type=Path, help="where what was reached goes, as a budget")
    parser.add_argument("--check", type=Path, metavar="BUDGET")
    parser.add_argument("--units", type=Path, metavar="DATABASE", help="measure the units of a build instead")
    arguments = parser.parse_args()
    if arguments.units:
        print_units(arguments.units)
        return
    rows = all_rows(arguments.include)
    unknown = set(arguments.rows or ()) - {row.name for row in rows}
    if unknown:
        sys.exit(f"compile_times.py: no such row: {', '.join(sorted(unknown))}")
    rows = [row for row in rows if not arguments.rows or row.name in arguments.rows]
    flags = [f"-I{arguments.include}"]
    for folder in arguments.system:
        # The compiler's own is to stay where it is among those it searches.
        flags += ["-isystem", folder] if folder not in ("", "/usr/include") else []
    with tempfile.TemporaryDirectory() as folder:
        compiler = Compiler(arguments.compiler, flags, folder)
        if arguments.check:
            complaints = check(compiler, rows, json.loads(arguments.check.read_text(encoding="utf-8")))
            if complaints:
                sys.exit("\n".join(complaints))
            return
        figures = []
        for row in rows:
            figures.append((row, measure(compiler, row, arguments.rounds)))
            print(f"{row.name}: {figures[-1][1].ratio:.2f}", file=sys.stderr, flush=True)
        print(table(figures))
        if arguments.json:
            arguments.json.write_text(as_json(figures), encoding="utf-8")
        if arguments.budget:
            arguments.budget.write_text(as_budget(figures), encoding="utf-8")


if __name__ == "__main__":
    main()
