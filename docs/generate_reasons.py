"""Writes docs/reasons.md from the codes in the code: `python docs/generate_reasons.py`. A test holds it current."""

from __future__ import annotations

from pathlib import Path

from batchctl.model.reasons import Reason

PAGE = Path(__file__).with_name("reasons.md")
_HEAD = """\
# Reason codes

Made from the code by `python docs/generate_reasons.py`; what is edited here by hand is lost.

Every job in `plan`, `apply`, `diff`, `status`, `explain` and `describe` has a `reasonCode` beside its `reason` in JSON
and YAML. A code keeps its name and meaning over releases; the words of `reason` may get better. Releases may add codes,
so take one that you do not know as one without special meaning. A guard that refuses an action has its own code in
`guard`, and [errors.md](errors.md) explains it.

| code | why the job has its action |
| --- | --- |
"""


def reasons_page() -> str:
    """The whole page."""
    return _HEAD + "".join(f"| `{code}` | {code.meaning} |\n" for code in sorted(Reason))


if __name__ == "__main__":
    PAGE.write_text(reasons_page(), encoding="utf-8")
