"""Files of a known form give what each of them gives for itself: jobs, places, warnings and errors."""

from __future__ import annotations

import json
import random
import re
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchctl.manifests import file_forms, job_form
from batchctl.manifests.compose import compose
from batchctl.manifests.fault_list import Faults
from batchctl.manifests.file_forms import FileForms
from batchctl.manifests.known_files import KnownFile
from batchctl.manifests.manifest_files import ManifestFile
from batchctl.manifests.nodes import find
from batchctl.rows import inline_forms
from tests.manifests.test_known_files import assert_same, outcome, remembering
from tests.manifests.test_properties import quick, words
from tests.support.broken_manifests import SOUND, SOUND_VERTEX
from tests.support.manifest_files import EXAMPLES, JOB, STACK, lines, load_in, with_spec, with_stack, write

BOTH = with_stack("""\
    variables: {tone: {default: formal}, empty: {default: ""}}
    defaults: {labels: null, provider: gemini}
    providers:
      gemini: {type: gemini, limits: {inlineBytes: 3000}}
      vertex: {type: vertex, project: demo, location: us-central1, stagingBucket: gs://demo-staging/}
    """).replace("    defaults: {labels: null, provider: gemini}\n", "    defaults: {provider: gemini}\n")

PLAIN = """\
# A comment
apiVersion: batchctl.dev/v1
kind: BatchJob
metadata:
  name: job-1   # the name
  labels: {team: search, lang: fr}
  annotations:
    owner: Zoë, at work
spec:
  model: gemini-2.5-flash
  displayName: Translate part 1
  src:
    - {key: first, text: "Translate part 1"}
    - key: second
      text: 'Translate "part" 1'
  request:
    systemInstruction: You are a translator.
    generationConfig: {temperature: 0.2, maxOutputTokens: 512}
  lifecycle: {backoffLimit: 1, pendingDeadline: 12h}
"""
SINGLE = PLAIN.replace('"Translate part 1"', "'Translate part 1'")
BLOCKS = """\
apiVersion: batchctl.dev/v1
kind: BatchJob
spec:
  model: gemini-2.5-flash
  src:
  - key: first
    text: |
      Translate this:

        a tea pot
      and that.
  - request:
      contents:
      - {role: user, parts: [{text: one}, {text: "two"}]}
      generationConfig: {maxOutputTokens: 12}
    custom_id: mine
  - text: |-
      Tone: ${var.tone}
  - text: |+
      It stays.
metadata: {name: "job-1", labels: {}}
"""
ONE_LINE = json.dumps(
    {
        "apiVersion": "batchctl.dev/v1",
        "kind": "BatchJob",
        "metadata": {"labels": {"team": "search"}, "name": "job-1"},
        "spec": {"model": "gemini-2.5-flash", "src": {"inlinedRequests": [{"key": "é", "text": 'a "b"\n\\c'}]}},
    },
    ensure_ascii=False,
)
DUMPED = """\
apiVersion: batchctl.dev/v1
kind: BatchJob
metadata:
  annotations:
    note: 'Who: the team of
      search, it''s ours'
  name: job-1
spec:
  displayName: "Translate part 1"
  model: gemini-2.5-flash
  src:
    inlinedRequests:
    - key: first
      text: Translate part 1 of what
        follows (and no more)
    - text: "Translate \\"part 1\\" \\xE9t\\xE9 into\\
        \\ words of
        two"
      key: 'second' # the last
"""
"""As `yaml.dump` of PyYAML writes long texts."""
EMBEDDINGS = """\
apiVersion: batchctl.dev/v1
kind: EmbeddingsBatchJob
metadata: {name: job-1}
spec:
  model: gemini-embedding-001
  src: [{key: a, request: {content: {parts: [{text: a pan}]}, title: A title}}, {key: b, text: a pot}]
"""
FILE = """\
apiVersion: batchctl.dev/v1
kind: BatchJob
metadata: {name: job-1}
spec: {model: gemini-2.5-flash, src: {file: rows-1.jsonl}, displayName: The first}
"""
BUCKET = """\
apiVersion: batchctl.dev/v1
kind: BatchJob
metadata: {name: job-1}
spec:
  provider: vertex
  model: gemini-2.5-flash
  src: gs://demo/rows-1.jsonl
  dest: gs://demo/results-1/
"""
UPLOADED = with_spec("src: {fileName: files/abc1}\ndest: null", name="job-1")
LIST = (
    "apiVersion: batchctl.dev/v1\nkind: List\nitems:\n- "
    + JOB.replace("classify", "job-1").replace("\n", "\n  ").rstrip()
    + "\n"
)
FORMS = {
    "plain": PLAIN,
    "crlf": PLAIN.replace("\n", "\r\n"),
    "blocks": BLOCKS,
    "dumped": DUMPED,
    "single": SINGLE,
    "one-line": ONE_LINE,
    "escaped": json.dumps(json.loads(ONE_LINE), indent=2),
    "embeddings": EMBEDDINGS,
    "file": FILE,
    "bucket": BUCKET,
    "uploaded": UPLOADED,
    "list": LIST,
}
ROWS = {f"rows-{number}.jsonl": '{"key": "a", "text": "b"}\n' * (1 + (number in (2, 3))) for number in (1, 2, 3, 9)}
"""`rows-2` and `rows-3` have a key twice."""


def numbered(text: str, number: int) -> str:
    """The manifest with another number in its texts."""
    return re.sub(r"(job-|rows-|part |results-|/abc)1", rf"\g<1>{number}", text)


def two(folder: Path, first: str, second: str, stack: str = BOTH) -> None:
    """A form that two files have, and a third file."""
    write(folder, ROWS)
    (folder / "batchctl.yaml").write_text(stack, encoding="utf-8")
    for name, text in (("a.yaml", first), ("a2.yaml", numbered(first, 9)), ("b.yaml", second)):
        (folder / name).write_bytes(text.encode("utf-8", "surrogatepass"))


@pytest.fixture(autouse=True)
def _two_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_forms, "LEAST_ALIKE", 2)


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that have a known form."""
    names: list[str] = []
    find_one = FileForms.find

    def noting(self: FileForms, file: ManifestFile) -> KnownFile | None:
        known = find_one(self, file)
        if known is not None:
            names.append(file.path)
        return known

    monkeypatch.setattr(FileForms, "find", noting)
    return names


@pytest.mark.parametrize("form", FORMS)
def test_a_file_that_differs_in_its_texts_is_not_read(form: str, tmp_path: Path, found: list[str]) -> None:
    two(tmp_path, FORMS[form], numbered(FORMS[form], 12))
    write(tmp_path, {"rows-12.jsonl": '{"key": "c", "text": "another"}\n'})
    assert_same(tmp_path)
    assert found[0] == "b.yaml"
    other = FORMS[form].replace("job-1", "job-3").replace("rows-1", "rows-12")
    two(tmp_path, FORMS[form], other)
    assert_same(tmp_path)
    assert len(found) >= 2


PLAIN_2 = PLAIN.replace("job-1", "job-2")
DUMPED_2 = DUMPED.replace("job-1", "job-2")
TABBED_2 = DUMPED_2.replace('part 1"\n  model', 'part 1"\n\t# a tab\n  model')
DUMPED_PLAIN = DUMPED[DUMPED.index("Translate part 1 of") : DUMPED.index("\n    - text")]
DUMPED_DOUBLE = DUMPED[DUMPED.index('"Translate \\') : DUMPED.index("\n      key: 'second'")]
ONE_FOLD = "of what\n        follows (and"
ANY_TEXT = (
    "words", "two\n        lines", "two\n       lines", "two\n      lines", "a\n\n        b", "a \n        b", "a\n         b",
    "'a'", "'a'  ", '"a"', "'a", '"a', "'a' b", '"a" b', "''", '""', "'it''s'", "'a''", "'''a'", '"a\\"', "a'", 'a"',
    "'a\n        b'", "'a\n       b'", "'a\n  b'", "'a\nb'", "'a \n        b'", "'a\n        b '", "'a\n        '", "'\n        a'",
    "'a\n\n        b'", "'a''\n        b'", "'a\n        ''b'", "'a\\\n        b'", "'$\n        {var.tone}'", "'$''{var.tone}'",
    '"a\n        b"', '"a\nb"', '"a \n        b"', '"a\n        "', '"\n        a"', '"a\n\n        b"', '"a\\\n        b"',
    '"a\\\n        \\ b"', '"a \\\n        b"', '"a\\\nb"', '"a\\\n"', '"a\\\n\n        b"', '"a\\\\\n        b"', '"a\\\\\\\n        b"',
    '"a\n        \\ b"', '"a\\\n        \\  b"', '"a\\\n        \\\n        b"', '"$\\\n        {var.tone}"', '"\\x24{var.tone}"', '"\\x7F"',
    '"\\x85"', '"\\xA0"', '"\\x1b"', '"\\x4"', "a\n        b: c", "a\n        b:", "a:\n        b", "a\n        # b", "a\n        b # c",
    "a #b", "a# b", "'a'# b", '"a"#b', "a # b", "'a' # b", "a\n        - b", "a\n        ? b", "a\n        'b'", "a\n        [b", "a\n        &b",
    "a\n\tb", "a\n        \tb", "'a\n        \tb'", "a\n        b\\", "12\n        3", "12", "'12'", "null", "'null'", "~", "- a", "? a",
    "|\n        a", ">\n        a", "!x a", "'${var.tone}'", '"${var.tone}"', "a\n        ${var.tone}", "a\n        $${", "{a: b}", "[a]", "",
    "a\n...\n", "a\n---\n", "a\r\n        b", "'a\r\n        b'", "a\n        \u00a0b", "a\n        b\n      key: first", "'a\n        \u2028b'",
)  # fmt: skip
"""Values in the place of another one, eight spaces before their further lines."""
BLOCKS_2 = BLOCKS.replace("job-1", "job-2")
SHORT_2 = PLAIN_2.replace('{key: first, text: "Translate part 1"}', "text: |\n        A pan.")
CANARY_2 = BUCKET.replace("job-1", "job-2").replace("spec:\n", "spec:\n  canary: {rows: 1}\n")
Trap = tuple[str, str, str]
REASONS: list[Trap] = [
    (PLAIN, "job-1", "Job-2"),
    (PLAIN, "job-1", "1e3"),
    (PLAIN, "job-1", "9" * 40),
    (PLAIN_2, "Translate part 1", "X [bc1 shop/x@1.0 0123456789ab 0123456789 k3v9q2]"),
    (PLAIN_2, "search", "7"),
    (PLAIN_2, "first", "\udcff"),
    (FILE.replace("job-1", "job-2"), "rows-1.jsonl", "rows-2.jsonl"),
    (UPLOADED.replace("job-1", "job-2"), "files/abc1", "x"),
]
"""A manifest, a text in it, and what is in its place: for each reason for which a manifest has no known form after all."""
TRAPS: list[Trap] = [
    # The name, and what is next to it.
    *((PLAIN, "job-1", name) for name in ("job-1", "2", "2.0", "0x2", "true", "null", "~", "no", "-", "")),
    *((PLAIN, "job-1", name) for name in ("job-2: x", "job-2 #x", "job-2  x", "job-2,x", "job 2", "a" * 41, "ô")),
    *((BLOCKS, "job-1", name) for name in ("", "Job", "job-1", "null", "a\\x62", "${var.tone}", "$${", "a\nb", "\t")),
    # The display name.
    *((PLAIN_2, "Translate part 1", name) for name in ("null", "3", "[a]", "{a: b}", "- a", "a - b", "a\\b", "a 'b' c", "!x")),
    *((PLAIN_2, "Translate part 1", name) for name in ("a" * 513, "a" * 1100, "&a b", "*a", "|", "> a", "a ${var.tone}", "'")),
    (PLAIN_2, "Translate part 1", "\u00a0x"),
    (PLAIN_2, "Translate part 1", "x\u00a0y"),
    (PLAIN_2, "Translate part 1", "x\u2028y"),
    (PLAIN_2, "Translate part 1", "x\x85y"),
    (PLAIN_2, "Translate part 1", "x\x1by"),
    (PLAIN_2, "Translate part 1", "x\ufeffy"),
    (PLAIN_2, "Translate part 1", "x\n    and y"),
    (PLAIN_2, "Translate part 1", "x\n  more: y"),
    # Labels and annotations.
    *((PLAIN_2, "search", label) for label in ("Search", "true", "a" * 65, "a, b: c", "a}", "[a]", "a?b", "a:b", "x y", "")),
    *((PLAIN_2, "Zoë, at work", note) for note in ("7", "a: b", "a, b", "[a]", "a" * 2000, "\\", '"')),
    # Keys and texts of rows.
    *((PLAIN_2, "first", key) for key in ("second", "7", "batchctl-r7", "batchctl-7", "a" * 256, "a" * 257, "null", "é", "\U0001f600")),
    *((PLAIN_2, "second", key) for key in ("first", "", "a:b", "a,b", "\u200b", "\x7f", "x\u0301")),
    *((PLAIN_2, '"Translate part 1"', f'"{text}"') for text in ("", " ", '"', "\\n", "\\u0041", "\\x41", "a\\/b", '\\"', "\\t", "\\\\", "\\e", "\\", "\\\n  x", "$\\/{", "\\\\${var.tone}", "\\$", "a" * 3000, "${var.tone}", "$", "$$", "${")),
    *((PLAIN_2, '"Translate part 1"', f'"{text}"') for text in ("\\u00e9", "\\u00E9\\u4e2d", "\\u0000", "\\u007f\\u0085", "\\u2028", "\\ufeff", "\\uffff", "$\\u007b", "\\u0024{var.tone}", "\\u0024\\u007Bvar.tone}", "$\\u0024{", "\\u12", "\\u12g4", "\\U0001f600", "\\ud83d", "\\udE00", "\\ud83d\\ude00", "\\\\ud83d\\\\ude00", "\\ud7ff\\ue000")),
    *((PLAIN_2, 'Translate "part" 1', text) for text in ("", "''", "\\", "\n\n   x", "${var.empty}", "\x7f", "中文", "{", "#")),
    *((SINGLE.replace("job-1", "job-2"), "'Translate part 1'", f"'{text}'") for text in ("", " ", "''", "a''b", "'", "\\", "${var.tone}", "a\n  b", "7")),
    # Blocks.
    *(
        (BLOCKS_2, "Translate this:", text)
        for text in ("", " x", "x\n", "x\n\n\n      y", "x\n     y", "x\n       y", "x\n\ty", "x\n    y: z", "x  ", "${var.tone}", "# x", "---", "x\n---", "x\n      ", "x\n        \n")
    ),
    *((BLOCKS_2, "and that.", text) for text in ("", "x\n", "x\n\n", "x\n   y", "x\n  - text: z", "x\n  # y")),
    *((BLOCKS_2, "text: |\n", f"text: {head}\n") for head in ("|-", "|+", "|2", ">", "| # x", "|  ")),
    *((BLOCKS_2, "Tone:", text) for text in ("Voice:", "")),
    *((BLOCKS_2, "mine", text) for text in ("7", "yours", "a: b")),
    *((SHORT_2, "A pan.", text) for text in ("A pan.\n        A pot.", "A pan.\n\n          A pot.", "A pan.\n      key: pot")),
    # Texts in any quotes, or none, and on several lines.
    *((DUMPED_2, place, text) for text in ANY_TEXT for place in (DUMPED_PLAIN, DUMPED_DOUBLE, "'second'", '"Translate part 1"')),
    *((DUMPED_2, ONE_FOLD, ONE_FOLD.replace("\n        ", space)) for space in (" ", "\n       ", "\n      ", "\n         ", "\n\n        ", "\n        \n", " \n        ")),
    *((TABBED_2, '"Translate part 1"', text) for text in ("second", "'other'", "other")),
    *((DUMPED_2.replace("'second' #", "'second'#"), "'second'", text) for text in ("second", "'other'", "other")),
    # Sources.
    *((CANARY_2, "gs://demo/rows-1.jsonl", uri) for uri in ("bq://demo.d.t", "gs://demo/other.jsonl")),
    *((FILE.replace("job-1", "job-2"), "rows-1.jsonl", name) for name in ("../x", "none.jsonl", "", "7", "rows.txt")),
    *(
        (BUCKET.replace("job-1", "job-2"), "gs://demo/rows-1.jsonl", uri)
        for uri in ("gs://demo/x.jsonl", "gs://demo/*", "gs://demo-staging/*", "bq://demo.d.t", "gs://", "files/x", "7", "[gs://demo/a]", "gs://demo/a: b", "projects/demo/locations/us-central1/datasets/1")
    ),
    *((BUCKET.replace("job-1", "job-2"), "gs://demo/results-1/", uri) for uri in ("gs://demo/x", "bq://demo.d.t", "gs://", "null", "x")),
    *((UPLOADED.replace("job-1", "job-2"), "files/abc1", name) for name in ("files/x", "files/", "files/A B")),
]  # fmt: skip


@pytest.mark.parametrize("trap", REASONS)
def test_a_file_that_has_no_known_form_after_all_gives_the_same(trap: Trap, tmp_path: Path) -> None:
    assert_same_with(trap, tmp_path)


@pytest.mark.no_cover
@pytest.mark.parametrize("trap", TRAPS)
def test_a_file_that_differs_in_more_gives_the_same(trap: Trap, tmp_path: Path) -> None:
    assert_same_with(trap, tmp_path)


def assert_same_with(trap: Trap, folder: Path) -> None:
    """In the first place alone, and in all of them."""
    text, before, after = trap
    assert before in text
    for changed in dict.fromkeys(text.replace(before, after, count) for count in (1, -1)):
        two(folder, text.replace("job-2", "job-1"), changed)
        assert_same(folder)


def test_long_texts_on_both_sides_of_a_limit(tmp_path: Path, found: list[str]) -> None:
    """`inlineBytes` is 3,000 in this stack, and the defaults count for each row."""
    refused = 0
    for length in range(2_500, 3_000, 23):
        two(tmp_path, PLAIN, PLAIN_2.replace('"Translate part 1"', f'"{"é" * (length // 2)}"'))
        assert_same(tmp_path)
        refused += "inlineBytes" in str(outcome(tmp_path, None))
    assert 0 < refused < 22
    assert found


nasty = words | st.sampled_from(
    ["job-2", "  ", " #", ": ", ", ", "x" * 1100, "|", "\r", "\u00a0", "\x85", "${", "7", "..", "中"]
)
edits = st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 12), st.lists(nasty, max_size=2).map("".join)), min_size=1, max_size=3)  # fmt: skip


@quick
@given(st.sampled_from(sorted(FORMS)), edits, st.booleans())
def test_any_other_text_gives_the_same(form: str, changes: list[tuple[int, int, str]], in_words: bool) -> None:
    """Characters of a file are replaced, or words of it."""
    text = FORMS[form].replace("job-1", "job-2")
    for place, length, new in changes:
        spans = [match.span() for match in re.finditer(r"\w+", text)] or [(0, 0)]
        start, end = spans[place % len(spans)] if in_words else (place % len(text), place % len(text) + length)
        text = text[:start] + new + text[end:]
    with tempfile.TemporaryDirectory() as name:
        two(Path(name), FORMS[form], text)
        assert_same(Path(name))


def variants(text: str, number: int) -> str | None:
    """The manifest with another name and other words; None if it has no name."""
    (root, *_) = compose(text.encode(), "x", Faults()) or [None]
    name = find(root, "metadata", "name")
    if name is None:
        return None
    at = sum(len(line) + 1 for line in text.split("\n")[: name.location.line - 1]) + name.location.column - 1
    text = f"{text[:at]}{text[at:].replace(name.text, f'{name.text[:30]}-{number}', 1)}"
    chance = random.Random(number)
    return re.sub(r"(?<=text: )(\w+)", lambda found: f"{found[1]} {chance.random()}", text)


@pytest.mark.parametrize("folder", [EXAMPLES, SOUND, SOUND_VERTEX], ids=lambda folder: folder.name)
def test_copies_of_all_examples_give_the_same(folder: Path, tmp_path: Path, found: list[str]) -> None:
    import shutil

    shutil.copytree(folder, tmp_path / "stack")
    for path in sorted((tmp_path / "stack").rglob("*.yaml")):
        for number in range(3 if path.name != "batchctl.yaml" else 0):
            copy = variants(path.read_text(encoding="utf-8"), number)
            if copy is not None:
                path.with_name(f"{path.stem}-{number}.yaml").write_text(copy, encoding="utf-8")
    for stack in sorted((tmp_path / "stack").rglob("batchctl.yaml")):
        assert_same(stack.parent)
    assert found


@pytest.mark.parametrize(
    "text",
    [
        PLAIN.replace("spec:\n", "spec:\n  dependsOn: [base]\n"),
        PLAIN.replace("spec:\n", "spec:\n  sharding: {maxBytes: 1000}\n"),
        PLAIN.replace("spec:\n", "spec:\n  matrix: {axes: {part: [a, b]}}\n"),
        PLAIN.replace("  name: job-1", '  name: "job\\U0000002d1"'),
        PLAIN.replace("lang: fr", "lang: &a fr"),
        PLAIN.replace("lang: fr", "lang: !!str fr"),
        PLAIN.replace("{key: first", "&row {key: first"),
        PLAIN.replace("temperature: 0.2", "mediaResolution: MEDIA_RESOLUTION_NEW"),
        PLAIN + "---\n" + PLAIN.replace("job-1", "job-5"),
        PLAIN + "# \u2028\n",
        PLAIN + "# \r\n".replace("\n", "") + "\n# x\rx\n",
        PLAIN + "#" * 70_000,
        ONE_LINE.replace("é", "\\ud83d\\ude00"),
    ],
)
def test_a_file_that_cannot_have_a_form_is_read(text: str, tmp_path: Path, found: list[str]) -> None:
    write(tmp_path, {"c.yaml": JOB.replace("classify", "base")})
    two(tmp_path, text, text.replace("job-1", "job-2").replace("02d1", "02d2").replace("job-5", "job-6"))
    assert_same(tmp_path)
    assert "b.yaml" not in found


@pytest.mark.parametrize("dest", ["", "dest: {gcsUri: gs://demo/results-1/}", "dest: gs://demo/results-1/"])
def test_a_default_for_the_results_counts_where_a_manifest_has_none(
    dest: str, tmp_path: Path, found: list[str]
) -> None:
    for default in ("gs://demo/all/", "{gcsUri: gs://demo/all/}"):
        stack = BOTH.replace("defaults: {", f"defaults: {{dest: {default}, ")
        job = BUCKET.replace("dest: gs://demo/results-1/", dest)
        two(tmp_path, job, numbered(job, 2), stack)
        assert_same(tmp_path)
        assert found[0] == "b.yaml"
        assert [job.dest for job in load_in(tmp_path).jobs][1] == ("gs://demo/results-2/" if dest else "gs://demo/all/")


def test_a_local_file_is_looked_for_in_the_folder_of_each_manifest(tmp_path: Path, found: list[str]) -> None:
    write(tmp_path, {"batchctl.yaml": BOTH})
    for number in range(4):
        rows = f'{{"key": "a", "text": "{number}"}}\n' if number < 3 else ""
        write(tmp_path, {f"{number}/job.yaml": FILE.replace("job-1", f"job-{number}"), f"{number}/rows-1.jsonl": rows})
    assert_same(tmp_path)
    assert "3/rows-1.jsonl:1:1: InvalidRow the file has no rows" in lines(tmp_path)[0]
    assert "2/job.yaml" in found
    (tmp_path / "3" / "job.yaml").unlink()
    assert len({job.digest for job in load_in(tmp_path).jobs}) == 3


def test_rows_of_a_known_form_are_read_again_in_the_same_process(tmp_path: Path, found: list[str]) -> None:
    two(tmp_path, FILE, FILE.replace("job-1", "job-2"))
    known = remembering()
    before = load_in(tmp_path, known=known).jobs
    write(tmp_path, {"rows-1.jsonl": '{"key": "a", "text": "changed"}\n'})
    after = load_in(tmp_path, known=known).jobs
    assert found == ["b.yaml"] * 2
    assert [one.digest == other.digest for one, other in zip(before, after, strict=True)] == [False, False, True]
    assert_same(tmp_path, known)


def test_only_some_forms_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: list[str]) -> None:
    monkeypatch.setattr(file_forms, "MOST_FORMS", 2)
    write(tmp_path, {"batchctl.yaml": BOTH, **ROWS})
    # The third form replaces the first one, which is learned again from its fourth file that has to be read.
    texts = [PLAIN, PLAIN, EMBEDDINGS, EMBEDDINGS, BLOCKS, BLOCKS, PLAIN, PLAIN, PLAIN, BLOCKS]
    for number, text in enumerate(texts):
        write(tmp_path, {f"{number}.yaml": text.replace("job-1", f"job-{number}")})
    assert_same(tmp_path)
    assert found[:2] == ["8.yaml", "9.yaml"]


def test_labels_and_keys_that_many_files_have_are_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: list[str]
) -> None:
    monkeypatch.setattr(job_form, "_MOST_KNOWN", 2)
    monkeypatch.setattr(inline_forms, "_MOST_KNOWN", 2)
    write(tmp_path, {"batchctl.yaml": BOTH, "a.yaml": PLAIN, "a2.yaml": numbered(PLAIN, 9)})
    teams = ("search", "search", "shop", "a b", "search", "other", "search", "shop")
    for number, team in enumerate(teams):
        text = (
            numbered(PLAIN, number + 20).replace("team: search", f"team: {team}").replace("key: first", f"key: {team}")
        )
        write(tmp_path, {f"b{number}.yaml": text})
    assert_same(tmp_path)
    (tmp_path / "b3.yaml").unlink()
    jobs = load_in(tmp_path).jobs
    assert {job.name: job.labels["team"] for job in jobs if job.name > "job-2"} == {
        f"job-{number + 20}": team for number, team in enumerate(teams) if number != 3
    } | {"job-9": "search"}
    first, second = (job.labels for job in jobs if job.name in ("job-20", "job-21"))
    assert first is second
    assert "b3.yaml" not in found


def test_files_without_a_form_are_seldom_learned_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []
    monkeypatch.setattr(FileForms, "_form", lambda _, text, *__: tried.append(text))
    monkeypatch.setattr(file_forms, "LEAST_ALIKE", 4)
    write(tmp_path, {"batchctl.yaml": STACK})
    for number in range(9):
        write(tmp_path, {f"{number}.yaml": JOB.replace("classify", f"job-{number}")})
    load_in(tmp_path)
    assert [re.findall("job-.", text) for text in tried] == [["job-3"], ["job-7"]]
    write(tmp_path, {f"{number}.yaml": with_spec(f"priority: {number}", name=f"job-{number}") for number in range(9)})
    load_in(tmp_path)
    assert len(tried) == 2


def test_a_form_that_does_not_give_back_its_own_file_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: list[str]
) -> None:
    class Broken:
        gaps = ()

        def fill(self, texts: Any) -> None:
            return None

    two(tmp_path, PLAIN, PLAIN_2)
    monkeypatch.setattr("tests.support.manifest_files.RowFiles.form", lambda *_: Broken())
    assert_same(tmp_path)
    assert found == []
