"""One escaping function per sink for text from outside: API messages, display names, reasons, file names.

Owns what may reach a terminal, a Markdown renderer and a CI runner. Code that builds output passes every text
that batchctl did not write itself through the function of that sink, once, at the moment of output.
"""

from __future__ import annotations

import re
import unicodedata

from batchctl.model.pattern import Pattern

RUNNER_COMMAND = Pattern(r"##(?=(?:vso)?\[)")
"""CI runners read a command from `##[` or `##vso[` anywhere in a log line."""
LINE_COMMAND = Pattern(r"^( *):(?=:)")
"""They read a command from `::` at the start of a line, too, spaces before it or not."""

MARKDOWN_ACTIVE = frozenset("\\`*_{}[]<>#!|~&$")
"""Characters that GitHub's Markdown gives a meaning inside a line or a table cell."""

ZERO_WIDTH_SPACE = "&#8203;"

AUTOLINK_START = Pattern(r"://|\bwww\.", re.IGNORECASE)


def visible(text: str) -> str:
    r"""Show every character that would act on a terminal or hide text: `\n`, `\x1b`, `\u202e`.

    Covers control characters, escape sequences, bidirectional overrides, zero-width and unassigned characters, lone
    surrogates and line separators. Wide and no-break spaces become a plain space.
    """
    return text if text.isprintable() else "".join(_visible_character(character) for character in text)


def _visible_character(character: str) -> str:
    if character.isprintable():
        return character
    if unicodedata.category(character) == "Zs":
        return " "
    return character.encode("unicode_escape").decode("ascii")


def terminal(text: str) -> str:
    """Escape for a terminal or a log: one line, nothing that acts there.

    Rich markup is not escaped: `Console` prints texts without interpreting it.
    """
    shown = _inside_a_line(text)
    return LINE_COMMAND.sub(r"\1\\x3a", shown) if "::" in shown else shown


def _inside_a_line(text: str) -> str:
    shown = visible(text)
    return RUNNER_COMMAND.sub(r"#\\x23", shown) if "##" in shown else shown


def markdown(text: str) -> str:
    """Escape for GitHub's Markdown, inside a line or a table cell, never at the beginning of a line.

    Entities instead of backslashes, because backslashes do not stop a table's pipe inside code. Mentions and issue
    references are found in the rendered text, so only a character in between stops those.
    """
    return _without_autolinks("".join(_markdown_character(character) for character in visible(text)))


def _markdown_character(character: str) -> str:
    if character == "@":
        return "@" + ZERO_WIDTH_SPACE
    if character == "#":
        return "&#35;" + ZERO_WIDTH_SPACE
    return f"&#{ord(character)};" if character in MARKDOWN_ACTIVE else character


def _without_autolinks(text: str) -> str:
    return AUTOLINK_START.sub(lambda match: match[0].replace(":", "&#58;").replace(".", "&#46;"), text)


def workflow_data(text: str) -> str:
    """Escape the message of a GitHub workflow command; line ends stay line ends for the reader."""
    lines = re.split(r"\r\n|\r|\n", text)
    return "%0A".join(_inside_a_line(line).replace("%", "%25") for line in lines)


def workflow_property(text: str) -> str:
    """Escape the value of a property of a GitHub workflow command, such as `file`."""
    return terminal(text).replace("%", "%25").replace(":", "%3A").replace(",", "%2C")
