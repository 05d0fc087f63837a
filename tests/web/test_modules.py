"""The modules of the page: one script of them all does the same, as a report needs it."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from batchctl.server.joined import EXPORT, IMPORT, joined

STATIC = files("batchctl.server").joinpath("static")
MODULES = sorted(file.name for file in STATIC.iterdir() if file.name.endswith(".js"))
_FETCHES = re.compile(r"https?://(?!www\.w3\.org/)")


def text_of(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", MODULES)
def test_module_keeps_the_convention_of_joined(name: str) -> None:
    left = EXPORT.sub("", IMPORT.sub("", text_of(name)))
    assert not re.search(r"^\s*(import|export)\b", left, re.MULTILINE)
    for imported, neighbour in IMPORT.findall(text_of(name)):
        exported = {found[1] for found in EXPORT.finditer(text_of(neighbour))}
        assert set(imported.split(", ")) <= exported, f"{neighbour} does not export all of {imported}"


@pytest.mark.parametrize("name", MODULES)
def test_each_import_is_used(name: str) -> None:
    body = IMPORT.sub("", text_of(name))
    for imported, _ in IMPORT.findall(text_of(name)):
        for word in imported.split(", "):
            assert re.search(rf"\b{word}\b", body), f"{word} is imported and not used"


@pytest.mark.parametrize("name", MODULES)
def test_each_export_is_imported_somewhere(name: str) -> None:
    imported = {
        word
        for other in MODULES
        for words, source in IMPORT.findall(text_of(other))
        if source == name
        for word in words.split(", ")
    }
    exported = {found[1] for found in EXPORT.finditer(text_of(name))}
    assert exported == imported


def test_all_modules_are_reached() -> None:
    script = joined({name: text_of(name) for name in MODULES})
    assert [name for name in MODULES if f'modules["{name}"] =' not in script] == []


def test_each_module_comes_after_what_it_imports() -> None:
    main = 'import { b } from "./b.js";\nimport { c } from "./c.js";\nb(c);\n'
    b = 'import { c } from "./c.js";\nexport function b() {}\n'
    script = joined({"main.js": main, "b.js": b, "c.js": "export const c = 1;\n"})
    assert re.findall(r'modules\["(\w+)\.js"\] =', script) == ["c", "b", "main"]
    assert not re.search("import|export", script)


def test_circle_of_modules_is_named() -> None:
    circle = {"main.js": 'import { b } from "./b.js";\n', "b.js": 'import { a } from "./main.js";\n'}
    with pytest.raises(ValueError, match=r"main\.js -> b\.js -> main\.js"):
        joined(circle)


@pytest.mark.parametrize("name", sorted(file.name for file in STATIC.iterdir()))
def test_nothing_is_fetched_from_elsewhere(name: str) -> None:
    assert not _FETCHES.search(text_of(name))
    assert "innerHTML" not in text_of(name)


@pytest.mark.parametrize("name", MODULES)
def test_files_are_short(name: str) -> None:
    assert len(text_of(name).splitlines()) <= 300
