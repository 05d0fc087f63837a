from __future__ import annotations

import html
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from batchctl.report.escape import markdown, terminal, workflow_data, workflow_property

HARMLESS = ["", "plain", "éàü 漢字 😀", "a-b_c.d/e:f", "100 % sure?", "C:\\new", "[bold]kept[/bold]"]


@pytest.mark.parametrize("text", HARMLESS)
def test_terminal_leaves_harmless_text_alone(text):
    assert terminal(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb", "a\\nb"),
        ("a\r\nb", "a\\r\\nb"),
        ("a\tb", "a\\tb"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x1b]8;;http://evil\x07link", "\\x1b]8;;http://evil\\x07link"),
        ("\x9b2J", "\\x9b2J"),
        ("\x7f", "\\x7f"),
        ("\x00", "\\x00"),
        ("\u202egpj.exe", "\\u202egpj.exe"),
        ("\u2066x\u2069", "\\u2066x\\u2069"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("\ufeffbom", "\\ufeffbom"),
        ("line\u2028sep", "line\\u2028sep"),
        ("\ud800", "\\ud800"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("no\u00a0break\u202fspace", "no break space"),
        ("##[group]x", "#\\x23[group]x"),
        ("a ##vso[task.setvariable]x", "a #\\x23vso[task.setvariable]x"),
        ("## heading", "## heading"),
    ],
)
def test_terminal_makes_hostile_characters_visible(text, shown):
    assert terminal(text) == shown


@given(st.text())
def test_nothing_that_acts_reaches_a_terminal(text):
    shown = terminal(text)
    assert not {unicodedata.category(character) for character in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp", "Co"}
    assert "##[" not in shown
    shown.encode()


HOSTILE_MARKDOWN = [
    "a | b",
    "`code`",
    "``",
    "**bold** _em_ ~~gone~~",
    "<script>alert(1)</script>",
    "<!-- hidden",
    "</details>",
    "[text](http://evil.example)",
    "![image](http://evil.example/x.png)",
    "http://evil.example",
    "HTTPS://evil.example",
    "www.evil.example",
    "<http://evil.example>",
    "&lt;b&gt; &copy;",
    "back\\slash \\| \\`",
    "two\nlines",
    "$math$",
    "# heading",
    "@everyone",
    "someone@example.org",
    "owner/repo#12",
]


@pytest.mark.parametrize("text", HOSTILE_MARKDOWN)
@pytest.mark.parametrize("where", ["see {} there", "| head |\n| --- |\n| {} |"])
def test_markdown_shows_the_text_and_nothing_else(text, where):
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    page = parser.render(where.format(markdown(text)))
    frame = parser.render(where.format("X"))
    assert re.findall(r"<[^>]*>", page) == re.findall(r"<[^>]*>", frame)
    shown = html.unescape(re.sub(r"<[^>]*>", "", page)).replace("\u200b", "")
    assert terminal(text) in shown


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("@everyone", "@&#8203;everyone"),
        ("owner/repo#12", "owner/repo&#35;&#8203;12"),
        ("https://a.b", "https&#58;//a.b"),
        ("WWW.a.b", "WWW&#46;a.b"),
        ("a|b", "a&#124;b"),
        ("jobs/fr.yaml:3", "jobs/fr.yaml:3"),
        ("\x1b[0m", "&#92;x1b&#91;0m"),
    ],
)
def test_markdown_breaks_what_github_finds_in_rendered_text(text, escaped):
    assert markdown(text) == escaped


@pytest.mark.parametrize(
    ("text", "data", "value"),
    [
        ("plain", "plain", "plain"),
        ("100%", "100%25", "100%25"),
        ("%0A", "%250A", "%250A"),
        ("a\nb\r\nc\rd", "a%0Ab%0Ac%0Ad", "a\\nb\\r\\nc\\rd"),
        ("a:b,c", "a:b,c", "a%3Ab%2Cc"),
        ("x::error::y", "x::error::y", "x%3A%3Aerror%3A%3Ay"),
        ("\x1b[2J", "\\x1b[2J", "\\x1b[2J"),
        ("x ##[group]y", "x #\\x23[group]y", "x #\\x23[group]y"),
        ("\u2028\x85\x0b", "\\u2028\\x85\\x0b", "\\u2028\\x85\\x0b"),
    ],
)
def test_workflow_commands(text, data, value):
    assert workflow_data(text) == data
    assert workflow_property(text) == value


@pytest.mark.parametrize("text", ["::error::pwned", "  ::stop-commands::x"])
def test_a_text_at_the_start_of_a_line_is_no_command(text):
    shown = terminal(text)
    assert not shown.lstrip().startswith("::")
    assert shown.replace(r"\x3a", ":") == text
    assert terminal(f"a {text}") == f"a {text}"
