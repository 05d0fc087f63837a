"""Answers a command line of another tool with the one of batchctl. It carries out neither.

Only errors of the command line come here, so an answer may import commands; `is_foreign` alone runs before a command.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence

import click

from batchctl.cli.phrasebook import COMMANDS, FORMATS, KINDS, KUBECTL, OPTIONS, OPTIONS_OF, TERRAFORM, Phrase
from batchctl.model.errors import UsageError
from batchctl.model.pattern import Pattern
from batchctl.model.suggest import is_file_name

_ONE_DASH = Pattern(r"-[a-z][a-z-]+")
_NOT_OF_A_NAME = Pattern(r"[^a-z0-9]+")


def is_foreign(arguments: Sequence[str]) -> bool:
    """Whether an option has Terraform's one dash, which click would read as short options: `-lock=false` as `-l`."""
    return any(word.partition("=")[0] in OPTIONS for word in _options(arguments) if _ONE_DASH.match(word))


def answer(arguments: Sequence[str]) -> UsageError | None:
    """The error that names the right command; None if no word of another tool is in the line."""
    line = _Line(_options_and_words(arguments))
    if not line.foreign:
        return None
    words, tools = _joined(line.foreign), _joined(dict.fromkeys(filter(None, line.tools)))
    verb = "is" if len(line.foreign) == 1 else "are"
    message = f"{words} {verb} {tools}'s, not batchctl's" if tools else f"batchctl has no {words}"
    command = line.translated()
    notes = "".join(f"; {note}" for note in dict.fromkeys(line.notes))
    return UsageError(message, hint=f"`{command}`{notes}", details={"command": command})


def without_kinds(arguments: Sequence[str]) -> str | None:
    """The line without kubectl's kinds before names, as in `describe job a` and `job/a`; None if it has none."""
    line = _Line(_options_and_words(arguments))
    return line.translated() if line.has_kinds else None


def _options_and_words(arguments: Sequence[str]) -> Sequence[str]:
    return arguments[: arguments.index("--")] if "--" in arguments else arguments


def _options(arguments: Sequence[str]) -> Iterator[str]:
    return (word for word in _options_and_words(arguments) if word.startswith("-"))


class _Line:
    """One command line, translated word by word."""

    def __init__(self, words: Sequence[str]) -> None:
        self.foreign: list[str] = []
        """Words of other tools, as they were written."""
        self.tools: list[str] = []
        self.notes: list[str] = []
        self.has_kinds = False
        self._words = list(words)
        self._command: list[str] = []
        """The words of the command, as they were written."""
        self._phrase: Phrase | None = None
        """The command, if it is foreign."""
        self._instead: tuple[str, ...] = ()
        """The command that an option asks for."""
        self._first: list[str] = []
        """Options before the command."""
        self._names: list[str] = []
        self._options: list[str] = []
        self._read()
        self._read_import()

    def translated(self) -> str:
        """The line in batchctl's words, quoted for the shell."""
        phrase, names = self._phrase, self._names
        if phrase is not None and phrase.drops_arguments:
            names = []
        if phrase is not None and phrase.needs_name and not names:
            names = ["NAME"]
        to = self._instead or (phrase.to if phrase is not None else tuple(self._command))
        words = _filled(to, names) if "{}" in to else [*to, *names]
        return shlex.join(["batchctl", *self._first, *words, *self._options])

    def _read(self) -> None:
        while self._words:
            word = self._words.pop(0)
            if word.startswith("-") and word != "-":
                self._read_option(word)
            elif not self._command:
                self._read_command(word)
            else:
                self._read_argument(word)

    def _read_command(self, word: str) -> None:
        both = f"{word} {self._words[0]}" if self._words else ""
        if both in COMMANDS:
            self._words.pop(0)
            word = both
        self._command = word.split()
        self._phrase = None if word in own_commands() else COMMANDS.get(word)
        if self._phrase is not None:
            self._note(word, self._phrase)

    def _read_argument(self, word: str) -> None:
        kind, slash, name = word.partition("/")
        if slash and name and kind.lower() in KINDS and not is_file_name(name):
            self.has_kinds = True
            self._names.append(name)
        elif word.lower() in KINDS and not self._names and self._takes_kinds():
            self.has_kinds = True
        else:
            self._names.append(word)

    def _takes_kinds(self) -> bool:
        """Whether the first argument may be a kind: alone only of kubectl's commands, as in `get jobs`."""
        return (self._phrase is not None and self._phrase.tool == KUBECTL) or bool(self._words)

    def _read_option(self, word: str) -> None:
        name, equals, value = word.partition("=")
        if name in {"-o", "--output"} and (value or (self._words or [""])[0]).partition("=")[0] in FORMATS:
            shown = word if equals else f"{word} {self._words.pop(0)}"
            self._note(shown, Phrase(KUBECTL, note="jq selects from JSON"))
            self._options += ["-o", "json"]
            return
        phrase = self._find(word, name)
        if phrase is None:
            kept = self._options if self._command else self._first
            kept.append(word)
            if self._own_options().get(name) and not equals and self._words:
                kept.append(self._words.pop(0))
            return
        if phrase.takes_value and not equals:
            value = self._words.pop(0) if self._words else "VALUE"
            word = f"{word} {value}"
        self._note(word, phrase)
        self._instead = tuple(phrase.command.split()) or self._instead
        if phrase.to == ("{}",):
            self._names.append(_short(value))
        elif phrase.to and phrase.to[0].partition("=")[0] in self._own_options():
            kept = self._first if phrase.to[:1] == ("-C",) else self._options
            kept += [value if part == "{}" else part for part in phrase.to]

    def _find(self, word: str, name: str) -> Phrase | None:
        """The foreign option; None for one that the command has."""
        special = OPTIONS_OF.get(" ".join(self._own_words() if self._phrase is None else self._command), {})
        found = special.get(name) or (OPTIONS.get(word) if word != name else None)
        if found is not None or name in self._own_options():
            return found
        return OPTIONS.get(name)

    def _own_words(self) -> Sequence[str]:
        """The words that name batchctl's command, with arguments behind them."""
        return self._instead or (self._phrase.to if self._phrase is not None else [*self._command, *self._names])

    def _own_options(self) -> Mapping[str, bool]:
        """The options of batchctl's command, and whether each takes a value."""
        return _options_of(self._own_words())

    def _note(self, word: str, phrase: Phrase) -> None:
        self.foreign.append(word)
        self.tools.append(phrase.tool)
        self.notes += [phrase.note] if phrase.note else []

    def _read_import(self) -> None:
        """`import ADDRESS ID` as Terraform has it: the name first."""
        names = self._names
        if self._command == ["import"] and len(names) == len(("ADDRESS", "ID")) and "--as" not in self._options:
            self._note("import ADDRESS ID", Phrase(TERRAFORM))
            self._names = [names[1], "--as", _short(names[0])]


def _filled(to: Sequence[str], names: Sequence[str]) -> list[str]:
    """The words with the names in their place; an option before that place is repeated for each."""
    place = to.index("{}")
    before, after = list(to[:place]), list(to[place + 1 :])
    if before and before[-1].startswith("--"):
        flag = before.pop()
        return [*before, *(word for name in names for word in (flag, name)), *after]
    return [*before, *names, *after]


def _short(address: str) -> str:
    """A job's name from an address of Terraform: `module.jobs.google_job.translate_fr["x"]` is `translate-fr`."""
    return _NOT_OF_A_NAME.sub("-", re.sub(r"\[.*", "", address).rpartition(".")[2].lower()).strip("-") or "NAME"


def own_commands() -> frozenset[str]:
    """The names of the commands of batchctl."""
    from batchctl.cli.commands import COMMANDS as OWN

    return frozenset(OWN)


def _options_of(words: Sequence[str]) -> Mapping[str, bool]:
    """The options of one of batchctl's commands, by its first words, and whether each takes a value."""
    from batchctl.cli.commands import batchctl

    found: click.Command = batchctl
    for word in words:
        inner = found.get_command(click.Context(found), word) if isinstance(found, click.Group) else None
        if inner is None:
            break
        found = inner
    options = [option for option in found.params if isinstance(option, click.Option)]
    own = {name: not option.is_flag for option in options for name in (*option.opts, *option.secondary_opts)}
    return {**own, "--help": False, "-h": False}


def _joined(words: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    *most, last = [*words] or [""]
    return f"{', '.join(most)} and {last}" if most else last
