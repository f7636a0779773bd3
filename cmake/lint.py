#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""Format and lint of luq's files, by the tools that cmake/lint-requirements.txt pins.

    python3 cmake/lint.py check [FILES]   clang-format, width of comments, licences, ruff: seconds
    python3 cmake/lint.py fix [FILES]     formats files and mends what ruff can mend
    python3 cmake/lint.py tidy            clang-tidy over everything but CUDA's and Python's units: minutes

Without FILES all files that git tracks are meant. The tools are installed into build/lint/tools when they are first
wanted, or LUQ_LINT_TOOLS names the folder that has them.
"""
import argparse
import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "lint"
REQUIREMENTS = ROOT / "cmake" / "lint-requirements.txt"
CPP = {".hpp", ".cpp", ".cu", ".cuh"}
WIDTH = 120

LICENSED = CPP | {".py", ".sh", ".cmake"}
LICENSE = "SPDX-License-Identifier: Apache-2.0"
# What is shown to readers as a whole, and what they start a project of their own from.
UNLICENSED = ("examples/hello.cpp", "tests/consumers/")

# What is compiled for what the compiler or the linker makes of it.
NOT_TIDIED = ("/alone/", "/two_units_", "/two_instruction_sets/", "/shared_matrices/")


def tool(name):
    """The path of a tool, which is installed if need be."""
    given = os.environ.get("LUQ_LINT_TOOLS")
    if given:
        return str(Path(given) / name)
    folder = BUILD / "tools"
    stamp = folder / "installed.txt"
    wanted = REQUIREMENTS.read_text(encoding="utf-8")
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        print(f"lint: installing {REQUIREMENTS.relative_to(ROOT)} into {folder.relative_to(ROOT)}", flush=True)
        venv.create(folder, clear=True, with_pip=True)
        subprocess.run([folder / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement",
                        REQUIREMENTS], check=True)
        stamp.write_text(wanted, encoding="utf-8")
    return str(folder / "bin" / name)


def tracked_files():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, encoding="utf-8")
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def given_files(names):
    return [str(Path(name).resolve().relative_to(ROOT)) for name in names]


def with_suffix(files, suffixes):
    return [name for name in files if Path(name).suffix in suffixes]


def run(name, arguments, files):
    """Whether the tool is content. No files are no work."""
    return not files or subprocess.run([tool(name), *arguments, *files], cwd=ROOT).returncode == 0


def is_licensed(name, text):
    wants = Path(name).suffix in LICENSED or Path(name).name in ("CMakeLists.txt", "run")
    return not wants or name.startswith(UNLICENSED) or LICENSE in "\n".join(text.splitlines()[:4])


def check_text(files):
    """Whether comments fit and licences are named; says where they do and are not."""
    content = True
    for name in files:
        try:
            text = (ROOT / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # pictures, archives, checkpoints
        if not is_licensed(name, text):
            print(f"{name}:1: expected '{LICENSE}' in the first four lines")
            content = False
        if Path(name).suffix not in CPP:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            # Code is clang-format's; a string that is too long for it is not cut to fit.
            if len(line) > WIDTH and "//" in line and '"' not in line:
                print(f"{name}:{number}: {len(line)} columns, the limit is {WIDTH}")
                content = False
    return content


def check(files):
    return all([
        check_text(files),
        run("clang-format", ["--dry-run", "-Werror"], with_suffix(files, CPP)),
        run("ruff", ["check", "--quiet"], with_suffix(files, {".py"})),
    ])


def fix(files):
    return all([
        run("clang-format", ["-i"], with_suffix(files, CPP)),
        run("ruff", ["check", "--quiet", "--fix"], with_suffix(files, {".py"})),
    ])


def tidied_units():
    """The units of a build that has everything in few: folders as unity units, and all headers in one."""
    # Nothing is run, so that kernels of instruction sets that this machine lacks are seen, too. OpenMP's header comes
    # with a compiler, and is not clang-tidy's.
    native = ["-DCMAKE_CXX_FLAGS=-march=x86-64-v4"] if os.uname().machine == "x86_64" else []
    subprocess.run(["cmake", "-S", ROOT, "-B", BUILD, "-G", "Ninja", "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON",
                    "-DCMAKE_UNITY_BUILD=ON", "-DCMAKE_UNITY_BUILD_BATCH_SIZE=0", "-DCMAKE_BUILD_TYPE=None",
                    "-DCMAKE_DISABLE_FIND_PACKAGE_OpenMP=ON", "-DLUQ_NATIVE=OFF", "-DLUQ_CUDA=OFF", *native],
                   check=True, stdout=subprocess.DEVNULL)
    commands = json.loads((BUILD / "compile_commands.json").read_text(encoding="utf-8"))
    files = dict.fromkeys(command["file"] for command in commands)
    return [file for file in files if not any(part in file for part in NOT_TIDIED)]


def findings_in(output):
    """The findings of clang-tidy's output, each with the lines that show it."""
    parts = re.split(r"(?m)^(?=/\S+:\d+:\d+: (?:warning|error): )", output)
    return [part.rstrip() for part in parts[1:]]


def tidy(jobs, only):
    if not shutil.which("cmake"):
        sys.exit("lint: cmake is not installed")
    program = tool("clang-tidy")
    units = [unit for unit in tidied_units() if re.search(only, unit)]

    def analyse(unit):
        start = time.monotonic()
        done = subprocess.run([program, "-p", BUILD, "--quiet", "--extra-arg=-Wno-unknown-warning-option", unit],
                              capture_output=True, encoding="utf-8")
        return unit, time.monotonic() - start, done

    found = {}
    failed = False
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for unit, seconds, done in pool.map(analyse, units):
            print(f"{seconds:6.1f} s  {os.path.relpath(unit, ROOT)}", flush=True)
            findings = findings_in(done.stdout)
            failed = failed or done.returncode != 0
            if done.returncode != 0 and not findings:
                print(done.stdout + done.stderr)
            found.update((finding.split("\n", 1)[0], finding) for finding in findings)
    for finding in found.values():
        print(finding)
    print(f"lint: {len(units)} units, {len(found)} findings")
    return not failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=["check", "fix", "tidy"])
    parser.add_argument("files", nargs="*", help="of check and fix; all tracked ones by default")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="of tidy, at a time")
    parser.add_argument("--only", default="", metavar="REGEX", help="units of tidy")
    arguments = parser.parse_args()
    if arguments.command == "tidy":
        content = tidy(arguments.jobs, arguments.only)
    else:
        files = given_files(arguments.files) if arguments.files else tracked_files()
        content = (check if arguments.command == "check" else fix)(files)
    if not content:
        hint = "; python3 cmake/lint.py fix mends formatting" if arguments.command == "check" else ""
        sys.exit(f"lint: {arguments.command} failed{hint}")


if __name__ == "__main__":
    main()
