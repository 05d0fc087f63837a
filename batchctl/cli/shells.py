"""Completion in bash, zsh and fish: registers classes with click in place of click's own, for three differences.

bash takes `team=search` for three words, so it passes the line as it was typed. zsh and fish replace a complete word,
so they get `--for=Expired` where click has `Expired`. fish takes values with commas.
"""

from __future__ import annotations

import os
import shlex
from contextlib import suppress

from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
)

_BASH = """\
%(complete_func)s() {
    local line=${COMP_LINE:0:COMP_POINT} answer kind value
    local word=${line##*[[:space:]]} known=
    # What is before the last of these characters is a word of its own for bash, so it must not be repeated.
    [[ $word == *[=:]* && $COMP_WORDBREAKS == *[=:]* ]] && known=${word%%"${word##*[=:]}"}
    COMPREPLY=()
    while IFS= read -r answer; do
        kind=${answer%%%%,*} value=${answer#*,}
        case $kind in
            file) compopt -o default ;;
            dir) compopt -o dirnames ;;
            plain)
                COMPREPLY+=("${value#"$known"}")
                [[ $value == *= ]] && compopt -o nospace
                ;;
        esac
    done < <(%(complete_var)s=bash_complete BATCHCTL_LINE=$line %(prog_name)s 2>/dev/null)
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""
_FISH = """\
function %(complete_func)s
    set -l words (commandline -cp)
    set -l word (commandline -t)
    for answer in (env %(complete_var)s=fish_complete COMP_WORDS="$words" COMP_CWORD="$word" %(prog_name)s 2>/dev/null)
        set -l parts (string split -m 1 , -- $answer)
        switch $parts[1]
            case dir
                __fish_complete_directories $parts[2]
            case file
                __fish_complete_path $parts[2]
            case plain
                echo $parts[2]
        end
    end
end
complete --no-files --command %(prog_name)s --arguments "(%(complete_func)s)"
"""


class _WholeWords(ShellComplete):
    """Gives words, also where the value of an option is a part of one."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        found = super().get_completions(args, incomplete)
        option, equals, _ = incomplete.partition("=")
        if equals and option.startswith("--"):
            for item in found:
                item.value = f"{option}={item.value}" if item.type == "plain" else item.value
        return found


class _Bash(_WholeWords, BashComplete):
    """Reads BATCHCTL_LINE; without it, what click's own script passes."""

    source_template = _BASH

    def source(self) -> str:
        # click's class starts bash for its version, and passes it the whole environment.
        return ShellComplete.source(self)

    def get_completion_args(self) -> tuple[list[str], str]:
        line = os.environ.get("BATCHCTL_LINE")
        if line is None:
            return super().get_completion_args()
        words = _words(line)
        incomplete = words.pop() if words and not line[-1].isspace() else ""
        return words[1:], incomplete


class _Zsh(_WholeWords, ZshComplete):
    """With click's script."""


class _Fish(_WholeWords, FishComplete):
    """With a script of its own."""

    source_template = _FISH


def _words(line: str) -> list[str]:
    """The words of a line; the last one may have a quotation mark that is still open."""
    for end in ("", '"', "'"):
        with suppress(ValueError):
            return shlex.split(line + end)
    return line.split()


for one in (_Bash, _Zsh, _Fish):
    add_completion_class(one)
