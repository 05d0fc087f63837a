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


def words_of(braces: str) -> set[str]:
    """The names in the braces of an import."""
    return set(re.findall(r"\w+", braces))


@pytest.mark.parametrize("name", MODULES)
def test_each_import_exists_and_is_used(name: str) -> None:
    body = IMPORT.sub("", text_of(name))
    for braces, neighbour in IMPORT.findall(text_of(name)):
        assert words_of(braces) <= set(EXPORT.findall(text_of(neighbour)))
        unused = {word for word in words_of(braces) if not re.search(rf"\b{word}\b", body)}
        assert not unused, f"imported from {neighbour} and not used"


@pytest.mark.parametrize("name", MODULES)
def test_each_export_is_imported_somewhere(name: str) -> None:
    imports = [found for other in MODULES for found in IMPORT.findall(text_of(other))]
    imported = {word for braces, source in imports if source == name for word in words_of(braces)}
    assert set(EXPORT.findall(text_of(name))) == imported


def test_all_modules_are_reached() -> None:
    script = joined({name: text_of(name) for name in MODULES}, "main.js")
    assert script.count("\nconst module_") == len(MODULES)


def test_modules_are_joined_in_the_order_of_need() -> None:
    main = 'import { b as c } from "./b.js";\nimport {\n  a,\n} from "./a.js";\n\nconst x = 1;\nresult = [c(), a, x];\n'
    b = 'import { a } from "./a.js";\nconst x = 2;\nexport function b() {\n  return a + x;\n}\n'
    a = "count += 1;\nexport const a = 40;\nexport async function unused() {}\nexport class Unused {}\n"
    text = joined({"main.js": main, "b.js": b, "a.js": a}, "main.js")
    assert re.findall(r"^const (module_\w+)", text, re.MULTILINE) == ["module_a", "module_b", "module_main"]
    assert "return { a, unused, Unused };" in text
    assert "const { b: c } = module_b;" in text
    assert not re.search(r"^(import|export)\b", text, re.MULTILINE)


@pytest.mark.parametrize(
    "text",
    [
        'import x from "./a.js";\n',
        'import "./a.js";\n',
        "export default 1;\n",
        "export { x };\n",
        'import * as a from "./a.js";\n',
    ],
)
def test_module_in_another_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"main.js: an import or export in another form"):
        joined({"main.js": text, "a.js": ""}, "main.js")


def test_circle_of_modules_is_named() -> None:
    circle = {"main.js": 'import { b } from "./b.js";\n', "b.js": 'import { a } from "./main.js";\n'}
    with pytest.raises(ValueError, match=r"main\.js -> b\.js -> main\.js"):
        joined(circle, "main.js")


@pytest.mark.parametrize("name", sorted(file.name for file in STATIC.iterdir()))
def test_nothing_is_fetched_from_elsewhere(name: str) -> None:
    assert not _FETCHES.search(text_of(name))
    assert "innerHTML" not in text_of(name)


@pytest.mark.parametrize("name", MODULES)
def test_files_are_short(name: str) -> None:
    assert len(text_of(name).splitlines()) <= 300
