#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of bench/report.py: every figure of an input lands in the row, the column and the table that its name says.

    python3 tests/house/bench_report_test.py bench/report.py
"""
import importlib.util
import itertools
import json
import subprocess
import sys
import tempfile
import unittest

SCRIPT = sys.argv.pop(1)
spec = importlib.util.spec_from_file_location("report", SCRIPT)
report = importlib.util.module_from_spec(spec)
spec.loader.exec_module(report)

CONTEXT = {
    "date": "2026-01-02T03:04:05+00:00",
    "num_cpus": 2,
    "load_avg": [0.25, 0.5, 1.0],
    "caches": [{"type": "Data", "level": 1, "size": 32768}, {"type": "Unified", "level": 2, "size": 1048576}],
    "processor": "Some Processor 9",
    "command": "LUQ_BENCH_SET=full bench.kernels.matmul --benchmark_out=x.json",
}


def result(name, real_time, **counters):
    name += "/iterations:1/manual_time"
    return {"name": name, "run_name": name, "run_type": "iteration", "real_time": real_time, "time_unit": "us",
            **counters}


def with_spread(name, median):
    return {name: median, name + "_least": median - 0.05, name + "_greatest": median + 0.05}


def decode(codec, shape, threads, fraction, time, bits=4.125, details=""):
    return result(f"matmul/decode/{codec}/{shape}/{details}threads:{threads}", time, bits=bits,
                  **with_spread("fraction_of_bandwidth", fraction))


def prefill(codec, tokens, threads, time, peak=0.5, single=0.7):
    return result(f"matmul/prefill/{codec}/4096x4096/tokens:{tokens}/threads:{threads}", time, bits=1.125,
                  **with_spread("fraction_of_vpdpbusd_peak", peak), **with_spread("of_single_tokens", single))


def tables(*results):
    """{title of the table: its lines} of a report."""
    blocks = report.report({"context": CONTEXT, "benchmarks": list(results)}).strip().split("\n\n")
    return {title.split("**")[1]: lines.split("\n") for title, lines in itertools.pairwise(blocks) if "**" in title}


class Report(unittest.TestCase):
    def test_the_machine_and_the_command_come_first(self):
        text = report.report({"context": CONTEXT, "benchmarks": []})
        self.assertEqual(text, "Machine: Some Processor 9, 2 processors, L1 data 32 KiB, L2 unified 1024 KiB; "
                               "2026-01-02T03:04:05+00:00, load 0.25 0.50 1.00\n\n"
                               "Command: `LUQ_BENCH_SET=full bench.kernels.matmul --benchmark_out=x.json`\n")

    def test_decode_puts_each_fraction_into_its_codec_shape_and_threads(self):
        found = tables(decode("int4:g128:sym", "4096x4096", 1, 0.81, 214.4),
                       decode("int4:g128:sym", "4096x4096", 2, 0.82, 143.0),
                       decode("int4:g128:sym", "11008x4096", 1, 0.83, 584.0),
                       decode("sign:g128", "4096x4096", 1, 0.84, 62.25, bits=1.125),
                       decode("sign:g128", "11008x4096", 1, 0.85, 178.0, bits=1.125))
        self.assertEqual(found["One token, weights streamed, 1 thread"],
                         ["| codec | bits | 4096x4096 | 11008x4096 |",
                          "|---|---|---|---|",
                          "| int4:g128:sym | 4.125 | 0.81 (0.76–0.86), 214 µs | 0.83 (0.78–0.88), 584 µs |",
                          "| sign:g128 | 1.125 | 0.84 (0.79–0.89), 62.2 µs | 0.85 (0.80–0.90), 178 µs |"])
        self.assertEqual(found["One token, weights streamed, 2 threads"],
                         ["| codec | bits | 4096x4096 |",
                          "|---|---|---|",
                          "| int4:g128:sym | 4.125 | 0.82 (0.77–0.87), 143 µs |"])

    def test_a_cell_without_a_result_stays_empty(self):
        found = tables(decode("sign:g128", "4096x4096", 1, 0.5, 10.0), decode("bcq2:g128", "64x64", 1, 0.6, 20.0))
        self.assertEqual(found["One token, weights streamed, 1 thread"][2:],
                         ["| sign:g128 | 4.125 | 0.50 (0.45–0.55), 10 µs |  |",
                          "| bcq2:g128 | 4.125 |  | 0.60 (0.55–0.65), 20 µs |"])

    def test_bits_that_differ_between_shapes_are_shown_as_a_range(self):
        found = tables(decode("trellis1:g0", "4096x4096", 1, 0.5, 1.0, bits=1.0039),
                       decode("trellis1:g0", "4096x11008", 1, 0.5, 1.0, bits=1.0015),
                       decode("trellis1:g0", "18944x3584", 1, 0.5, 1.0, bits=1.0045))
        self.assertIn("| trellis1:g0 | 1.002–1.004 |", found["One token, weights streamed, 1 thread"][2])

    def test_other_activations_are_another_row(self):
        found = tables(decode("sign:g128", "4096x4096", 1, 0.5, 10.0),
                       decode("sign:g128", "4096x4096", 1, 0.6, 20.0, details="activations:float32/"))
        rows = found["One token, weights streamed, 1 thread"][2:]
        self.assertEqual([row.split(" | ")[0] for row in rows], ["| sign:g128", "| sign:g128, float32 activations"])
        self.assertIn("0.60", rows[1])

    def test_times_of_every_unit_are_shown_in_microseconds(self):
        for unit, shown in (("ns", "0.012 µs"), ("us", "12 µs"), ("ms", "12000 µs"), ("s", "12000000 µs")):
            entry = decode("sign:g128", "4096x4096", 1, 0.5, 12.0)
            entry["time_unit"] = unit
            self.assertIn(f", {shown} |", tables(entry)["One token, weights streamed, 1 thread"][2])

    def test_resident_weights_are_a_table_of_caches(self):
        def resident(cache, shape, threads, rate):
            return result(f"matmul/resident-{cache}/sign:g128/{shape}/threads:{threads}", 5.0, bits=1.125,
                          weights_per_second=rate)
        found = tables(resident("l2", "2176x2048", 1, 612.4e9), resident("l3", "21760x4096", 1, 55.12e9),
                       resident("l2", "2176x2048", 2, 7e9))
        self.assertEqual(found["One token, weights in a cache, 1 thread"],
                         ["| codec | bits | L2 | L3 |", "|---|---|---|---|", "| sign:g128 | 1.125 | 612 | 55.1 |"])
        self.assertEqual(found["One token, weights in a cache, 2 threads"][2], "| sign:g128 | 1.125 | 7 |")

    def test_few_and_many_tokens_are_two_tables(self):
        found = tables(prefill("sign:g128", 2, 1, 100.0, single=0.71), prefill("sign:g128", 16, 1, 300.0, single=0.41),
                       prefill("sign:g128", 24, 1, 400.0, peak=0.61), prefill("sign:g128", 512, 1, 9000.0, peak=0.81))
        self.assertEqual(found["Several tokens, 4096x4096, 1 thread"],
                         ["| codec | bits | 2 | 16 |", "|---|---|---|---|",
                          "| sign:g128 | 1.125 | 0.71 (0.66–0.76), 100 µs | 0.41 (0.36–0.46), 300 µs |"])
        self.assertEqual(found["Many tokens, 4096x4096, 1 thread"],
                         ["| codec | bits | 24 | 512 |", "|---|---|---|---|",
                          "| sign:g128 | 1.125 | 0.61 (0.56–0.66) | 0.81 (0.76–0.86) |"])

    def test_the_peak_is_called_by_its_instruction(self):
        text = report.report({"context": CONTEXT, "benchmarks": [prefill("sign:g128", 32, 1, 1.0)]})
        self.assertIn("fraction of the measured vpdpbusd peak", text)

    def test_a_time_below_that_of_fewer_tokens_is_marked(self):
        found = tables(prefill("sign:g128", 2, 1, 100.0), prefill("sign:g128", 3, 1, 90.0),
                       prefill("sign:g128", 4, 1, 95.0), prefill("sign:g128", 6, 1, 120.0))
        cells = found["Several tokens, 4096x4096, 1 thread"][2].strip("| ").split(" | ")[2:]
        self.assertEqual(["↓" in cell for cell in cells], [False, True, True, False])

    def test_of_repetitions_the_median_is_taken(self):
        entries = []
        for aggregate, fraction in (("mean", 0.3), ("median", 0.4), ("stddev", 0.1)):
            entry = decode("sign:g128", "4096x4096", 1, fraction, 10.0)
            entries.append({**entry, "name": f"{entry['name']}_{aggregate}", "run_type": "aggregate",
                            "aggregate_name": aggregate})
        self.assertIn("| 0.40 ", tables(*entries)["One token, weights streamed, 1 thread"][2])

    def test_two_results_for_one_cell_are_refused(self):
        with self.assertRaisesRegex(ValueError, "occurs twice"):
            tables(decode("sign:g128", "64x64", 1, 0.3, 1.0), decode("sign:g128", "64x64", 1, 0.4, 1.0))

    def test_failures_and_other_benchmarks_are_told(self):
        failed = {**decode("sign:g128", "64x64", 1, 0.3, 1.0), "error_occurred": True, "error_message": "no memory"}
        other = {"name": "pack/int4:g128", "run_type": "iteration", "real_time": 1.0, "time_unit": "ms"}
        text = report.report({"context": CONTEXT, "benchmarks": [failed, other]})
        self.assertIn("Failed:\n- matmul/decode/sign:g128/64x64/threads:1/iterations:1/manual_time: no memory", text)
        self.assertIn("Results of other benchmarks, left out: 1", text)

    def test_the_program_says_which_file_it_cannot_read(self):
        with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
            json.dump({"context": CONTEXT, "benchmarks": [result("matmul/decode/a/1x1/threads:1", 1.0)]}, file)
            file.flush()
            run = subprocess.run([sys.executable, SCRIPT, file.name], capture_output=True, encoding="utf-8")
        self.assertEqual(run.returncode, 1)
        self.assertRegex(run.stderr, r"^report.py: .*\.json: KeyError: ")


if __name__ == "__main__":
    unittest.main()
