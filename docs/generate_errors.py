"""Writes docs/errors.md from the codes in the code: `python docs/generate_errors.py`. A test holds it current."""

from __future__ import annotations

from pathlib import Path

from batchctl.manifests.codes import Code
from batchctl.model.codes import ErrorCode

PAGE = Path(__file__).with_name("errors.md")
_HEAD = """\
# Errors

Made from the code by `python docs/generate_errors.py`; what is edited here by hand is lost.

Every error has a code, which stays the same over releases; messages may get better. On standard error it reads
`error: CODE message`, then `hint: …`; with `-o json` standard output has
`{"error": {"code", "message", "hint", "details"}}`.

"""
_MANIFESTS = """\
## In manifests and stack files

All faults of all files are found at once, before any call, each as `file:line:column: CODE message (hint)`.
The exit code is 65.

"""


def errors_page() -> str:
    """The whole page."""
    parts = [_HEAD]
    parts.extend(
        f"## {code}\n\n{code.meaning}\n\n- **Cause:** {code.cause}\n- **Way out:** {code.way_out}\n\n"
        for code in sorted(ErrorCode)
    )
    parts.append(_MANIFESTS)
    parts.extend(f"- **{code}**: {code.__doc__}\n" for code in sorted(Code))
    return "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(errors_page(), encoding="utf-8")
