"""Runs the lines of adapters' README.md as a reader would, and compares what they say with ensayo's own predictions.

    pip install torch transformers peft && python run_readme.py RUN_FOLDER...

A run's folder is where `adapter/` and `predictions.csv` are. Each adapter's Python block runs twice: in the adapter's folder as
it stands, and in an empty folder with the adapter's path in `adapter`. The class names must be those of the run, in its order;
and with a text of `predictions.csv` in place of the example's, so must be the probabilities, to 1e-4.
"""

import ast
import csv
import re
import subprocess
import sys
import tempfile
from pathlib import Path


def said(lines, folder):
    with tempfile.TemporaryDirectory() as elsewhere:
        script = Path(elsewhere) / "lines.py"
        script.write_text(lines)
        answer = subprocess.run([sys.executable, script], cwd=folder or elsewhere, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    return ast.literal_eval(answer.stdout.strip().splitlines()[-1])


def check(run):
    adapter = (run / "adapter").resolve()
    (lines,) = re.findall(r"```python\n(.*?)```", (adapter / "README.md").read_text(), re.S)
    with open(run / "predictions.csv", newline="") as file:
        row = next(row for row in csv.DictReader(file) if len(row["text"]) < 400)
    expected = {name.removeprefix("probability_"): float(share) for name, share in row.items() if name.startswith("probability_")}
    example = '"a text"'
    assert example in lines
    lines = lines.replace(example, repr(row["text"]))
    moved = lines.replace(', "."\n', f", {str(adapter)!r}\n")
    assert moved != lines
    for shares in [said(lines, adapter), said(moved, None)]:
        assert list(shares) == list(expected), f"{list(shares)} instead of {list(expected)}"
        difference = max(abs(shares[name] - expected[name]) for name in expected)
        assert difference < 1e-4, f"probabilities differ by {difference}"
    print(f"{run}: {len(expected)} classes, probabilities within {difference:.1e}")


if __name__ == "__main__":
    for folder in sys.argv[1:]:
        check(Path(folder))
