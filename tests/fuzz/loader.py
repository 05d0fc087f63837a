"""The long fuzzing loop over everything that batchctl reads: stack files, manifests, rows.

    python tests/fuzz/loader.py --seconds 600 --seed 1

Damages the corpus of broken input and the examples, loads what comes out, and keeps each input that makes the loader do
anything but give a stack or a ManifestError with sound faults, in time and within memory. Ends with its figures, and with
exit code 1 if anything was kept. One seed gives one series of inputs, though how far it gets depends on the machine.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import FrameType

import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from tests.support.broken_manifests import BROKEN, STACK_FILE, arrange, cases, complaints, found_faults  # noqa: E402
from tests.support.random_damage import DAMAGES, damaged_tree  # noqa: E402

EXAMPLES = ROOT / "specs" / "examples"
MOST_SECONDS = 5
MOST_MEGABYTES = 500
MOST_BYTES = 2_000_000
"""Damage that doubles parts can go on and on; larger inputs have a place of their own (`hostile_inputs`)."""


class TooSlow(BaseException):  # not to be caught by what is tested
    """The watchdog's bite."""


@dataclass
class Figures:
    """What the loop has seen so far."""

    inputs: int = 0
    refused: int = 0
    faults: int = 0
    slowest: float = 0.0
    codes: dict[str, int] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)
    """By what went wrong: one input is kept of each kind."""

    def text(self, seconds: float) -> str:
        codes = ", ".join(f"{code} {count}" for code, count in sorted(self.codes.items()))
        return (
            f"{self.inputs:,} inputs in {seconds:.0f} s: {self.inputs / max(seconds, 0.1):.0f} a second\n"
            f"refused {self.refused:,} with {self.faults:,} faults; slowest {self.slowest:.2f} s; "
            f"peak memory {peak_megabytes()} MB\n{codes}\nkept: {len(self.kept)}"
        )


def peak_megabytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def bite(_signal: int, _frame: FrameType | None) -> None:
    raise TooSlow


def damaged_file(random: Random, path: Path) -> None:
    """Damage one file one to five times, as a tree where it can be read as one."""
    data = path.read_bytes()
    tree = as_tree(data) if path.suffix in {".yaml", ".yml", ".json"} and random.random() < 0.3 else None
    for _ in range(random.choice([1, 1, 2, 3, 5])):
        if tree is not None:
            tree = damaged_tree(random, tree)
            data = json.dumps(tree).encode()
        else:
            data = random.choice(DAMAGES)(random, data)
    path.write_bytes(data[:MOST_BYTES])


def as_tree(data: bytes) -> object:
    """The file's value as JSON has it; None when it has none, or when aliases could make it endless."""
    if b"&" in data:
        return None
    try:
        return json.loads(json.dumps(yaml.safe_load(data)))
    except (yaml.YAMLError, ValueError, TypeError, RecursionError, OverflowError):
        return None


def prepare(random: Random, seeds: list[Path], folder: Path) -> Path:
    """Build one damaged stack in the empty folder; gives its stack file."""
    seed = random.choice(seeds)
    if seed == EXAMPLES:
        shutil.copytree(EXAMPLES, folder, dirs_exist_ok=True)
        stack_file = folder / STACK_FILE
    else:
        stack_file = arrange(seed, folder)
    files = sorted(path for path in folder.rglob("*") if path.suffix in {".yaml", ".yml", ".json", ".jsonl"})
    named = [path for path in files if path.name == seed.name]
    # Mostly the case itself; what stands around it now and then.
    damaged_file(random, named[0] if named and random.random() < 0.8 else random.choice(files))
    return stack_file


def went_wrong(stack_file: Path, figures: Figures) -> str:
    """Load one stack; what the loader did that it must not, or an empty text."""
    given = "".join(path.read_text("utf-8", "replace") for path in stack_file.parent.rglob("*") if path.is_file())
    signal.setitimer(signal.ITIMER_REAL, MOST_SECONDS * 2)
    start = time.process_time()
    try:
        faults = found_faults(stack_file)
    except TooSlow:
        return "stopped by the watchdog"
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what the loop looks for
        last = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__} in {Path(last.filename).name}, line {last.lineno}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    seconds = time.process_time() - start
    figures.slowest = max(figures.slowest, seconds)
    figures.refused += bool(faults)
    figures.faults += len(faults)
    for fault in faults:
        figures.codes[fault.code] = figures.codes.get(fault.code, 0) + 1
    if seconds > MOST_SECONDS:
        return f"over {MOST_SECONDS} s"
    wrong = [complaint for fault in faults[:5] for complaint in complaints(fault, stack_file.parent, given)]
    return wrong[0].replace(str(stack_file.parent), "")[-120:] if wrong else ""


def run(seconds: float, seed: int, keep: Path, tell: Callable[[str], None]) -> Figures:
    """The loop. Each input lies in a folder until the next one comes, so that even a crash leaves it behind."""
    random = Random(seed)
    seeds = [*cases(), *([EXAMPLES] * 60)]
    figures = Figures()
    signal.signal(signal.SIGALRM, bite)
    start = told = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="batchctl-fuzz-"))
    tell(f"{len(seeds)} seeds; the input at work lies in {folder}")
    while time.monotonic() - start < seconds:
        shutil.rmtree(folder)
        folder.mkdir()
        stack_file = prepare(random, seeds, folder)
        faulthandler.dump_traceback_later(MOST_SECONDS * 12, exit=True)
        wrong = went_wrong(stack_file, figures)
        faulthandler.cancel_dump_traceback_later()
        figures.inputs += 1
        if peak_megabytes() > MOST_MEGABYTES:
            wrong = wrong or f"over {MOST_MEGABYTES} MB"
        kind = wrong.split(": ")[-1]
        if wrong and kind not in figures.kept:
            figures.kept[kind] = wrong
            shutil.copytree(folder, keep / f"{seed}-{figures.inputs}")
            tell(f"kept {keep / f'{seed}-{figures.inputs}'}: {wrong}")
        if time.monotonic() - told > 60:
            told = time.monotonic()
            tell(figures.text(told - start))
    shutil.rmtree(folder)
    tell(figures.text(time.monotonic() - start))
    return figures


def main() -> int:
    """Give 1 if anything was kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / "batchctl-fuzz-kept")
    options = parser.parse_args()
    assert BROKEN.is_dir()
    figures = run(options.seconds, options.seed, options.keep, lambda line: print(line, flush=True))
    return 1 if figures.kept else 0


if __name__ == "__main__":
    sys.exit(main())
