#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""Markdown tables from the JSON of bench.kernels.matmul and of its peers.

    build/bench/bench/bench.kernels.matmul --benchmark_out=matmul.json
    python3 bench/report.py matmul.json

Of each file: the processor and the command, then for each number of threads a table of single tokens with streamed
weights, one of weights that stay in a cache, and two of several tokens. A row is a codec with its true bits a weight
(from ... to, where shapes differ). Results of other benchmarks are left out and counted.
"""
import argparse
import json
import re
import sys


def spread(counters, name, digits=2):
    """'median (least–greatest)' of a counter that was reported with its spread."""
    least, greatest = counters[name + "_least"], counters[name + "_greatest"]
    return f"{counters[name]:.{digits}f} ({least:.{digits}f}–{greatest:.{digits}f})"


def microseconds(counters):
    units = {"ns": 1e-3, "us": 1.0, "ms": 1e3, "s": 1e6}
    time = counters["real_time"] * units[counters["time_unit"]]
    return f"{time:.0f} µs" if time >= 100 else f"{time:.3g} µs"


def parse_name(name):
    """('decode', 'int4:g128', '4096x4096', {'threads': '1'}) of a product's name, None of any other."""
    parts = [part for part in name.split("/") if part != "manual_time" and not part.startswith("iterations:")]
    if len(parts) < 5 or parts[0] != "matmul":
        return None
    details = dict(part.split(":", 1) for part in parts[4:])
    return parts[1], parts[2], parts[3], details


class Products:
    """The results of one file: cells[kind, threads][row][column] = counters, in order of appearance."""

    def __init__(self, document):
        self.cells = {}
        self.failures = []
        self.others = 0
        for result in document["benchmarks"]:
            self.add(result)

    def add(self, result):
        name = parse_name(result.get("run_name", result["name"]))
        if result.get("run_type") == "aggregate" and result["aggregate_name"] != "median":
            return
        if name is None:
            self.others += 1
            return
        if result.get("error_occurred"):
            self.failures.append(f"{result['name']}: {result.get('error_message', 'failed')}")
            return
        kind, codec, shape, details = name
        row = codec + (f", {details['activations']} activations" if "activations" in details else "")
        column = shape
        if kind.startswith("resident-"):
            kind, column = "resident", kind.removeprefix("resident-").upper()
        elif kind == "prefill":
            kind, column = f"prefill {shape}", int(details["tokens"])
        columns = self.cells.setdefault((kind, int(details["threads"])), {}).setdefault(row, {})
        if column in columns and result.get("run_type") != "aggregate":
            raise ValueError(f"{result['name']} occurs twice; --benchmark_report_aggregates_only=true keeps medians")
        columns[column] = result

    def table(self, key, cell, wanted=lambda column: True):
        """Lines of a table: a row for each codec, a column for each shape, cache or number of tokens."""
        rows = self.cells[key]
        columns = list(dict.fromkeys(column for cells in rows.values() for column in cells if wanted(column)))
        if not columns:
            return []
        lines = ["| codec | bits | " + " | ".join(f"{column}" for column in columns) + " |",
                 "|---|---|" + "---|" * len(columns)]
        for row, cells in rows.items():
            chosen = {column: cells[column] for column in columns if column in cells}
            bits = sorted({f"{counters['bits']:.3f}" for counters in chosen.values()}, key=float)
            texts = [cell(chosen, column) if column in chosen else "" for column in columns]
            lines.append(f"| {row} | {'–'.join(bits[:1] + bits[1:][-1:])} | " + " | ".join(texts) + " |")
        return lines


def decode_cell(cells, column):
    return f"{spread(cells[column], 'fraction_of_bandwidth')}, {microseconds(cells[column])}"


def resident_cell(cells, column):
    weights = cells[column]["weights_per_second"] * 1e-9
    return f"{weights:.0f}" if weights >= 100 else f"{weights:.3g}"


def peak_counter(counters):
    """Name of the counter that is relative to the peak of an instruction, and the instruction."""
    for name in counters:
        match = re.fullmatch(r"fraction_of_(\w+)_peak", name)
        if match:
            return name, match.group(1)
    raise ValueError(f"{counters['name']} has no fraction of a peak")


def peak_cell(cells, column):
    return spread(cells[column], peak_counter(cells[column])[0])


def tokens_cell(cells, column):
    """Share of the time of single tokens, and the time; marked where fewer tokens took longer."""
    fewer = [cells[tokens]["real_time"] for tokens in cells if tokens < column]
    mark = " ↓" if fewer and cells[column]["real_time"] < max(fewer) else ""
    return f"{spread(cells[column], 'of_single_tokens')}, {microseconds(cells[column])}{mark}"


def machine_lines(context):
    caches = ", ".join(f"L{cache['level']} {cache['type'].lower()} {cache['size'] // 1024} KiB"
                       for cache in context.get("caches", []))
    return [f"Machine: {context.get('processor', 'unknown')}, {context['num_cpus']} processors, {caches}; "
            f"{context.get('date', 'no date')}, load {' '.join(f'{load:.2f}' for load in context.get('load_avg', []))}",
            "", f"Command: `{context.get('command', context.get('executable', 'unknown'))}`"]


def report(document):
    """The report of one file as one string."""
    products = Products(document)
    blocks = [machine_lines(document["context"])]
    for key in sorted(products.cells, key=lambda key: (key[0].startswith("prefill "), key)):
        kind, threads = key
        title = f"{threads} thread{'s' if threads != 1 else ''}"
        if kind == "decode":
            blocks.append([f"**One token, weights streamed, {title}**: fraction of the read bandwidth of the same "
                           "buffers (median of turns, least–greatest), time of a product"])
            blocks.append(products.table(key, decode_cell))
        elif kind == "resident":
            blocks.append([f"**One token, weights in a cache, {title}**: 10⁹ weights a second"])
            blocks.append(products.table(key, resident_cell))
        elif kind.startswith("prefill "):
            first = next(counters for cells in products.cells[key].values() for counters in cells.values())
            few = products.table(key, tokens_cell, lambda tokens: tokens <= 16)
            many = products.table(key, peak_cell, lambda tokens: tokens > 16)
            shape = kind.removeprefix("prefill ")
            if few:
                blocks.append([f"**Several tokens, {shape}, {title}**: time over that of as many single tokens, "
                               "time of a product; ↓ where fewer tokens took longer"])
                blocks.append(few)
            if many:
                blocks.append([f"**Many tokens, {shape}, {title}**: fraction of the measured "
                               f"{peak_counter(first)[1]} peak"])
                blocks.append(many)
        else:
            raise ValueError(f"unknown kind of product: {kind}")
    if products.failures:
        blocks.append(["Failed:"] + [f"- {failure}" for failure in products.failures])
    if products.others:
        blocks.append([f"Results of other benchmarks, left out: {products.others}"])
    return "\n\n".join("\n".join(lines) for lines in blocks) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", help="what --benchmark_out wrote")
    for path in parser.parse_args().files:
        with open(path, encoding="utf-8") as file:
            try:
                document = json.load(file)
                print(report(document))
            except (KeyError, ValueError) as error:
                sys.exit(f"report.py: {path}: {type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
