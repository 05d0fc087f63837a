"""Writes docs/requests.md from the model of requests: `python docs/generate_requests.py`. A test holds it current."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from batchctl.model.keys import API_NAMES
from batchctl.model.request.catalogue import ANY, MESSAGES
from batchctl.model.request.fields import (
    Base64,
    Boolean,
    Choice,
    Duration,
    Each,
    Field,
    Free,
    Integer,
    Message,
    Named,
    Number,
    Of,
    Text,
    Value,
)

PAGE = Path(__file__).with_name("requests.md")
HEAD = """\
# Requests

Made from the code by `python docs/generate_requests.py`; what is edited here by hand is lost.

Every member of a request that batchctl knows, message by message, for `spec.request` and for rows. Both spellings
count, `generationConfig` and `generation_config`. "API" is empty where both have the member. An unknown member is an
error; an unknown value of an enum is a warning. A member that is undocumented on an API is a warning there: Google's
SDK sends it, but the API's documentation lacks it.
A member that is too new for this page goes into `spec.extraRequest`.

"""
WORDS: dict[type, str] = {
    Text: "text",
    Base64: "bytes in base64",
    Boolean: "true or false",
    Duration: "seconds, such as `1.5s`",
    Free: "JSON of your own",
}


def requests_page() -> str:
    """The whole page."""
    messages = sorted(
        (one for one in MESSAGES.values() if one is not ANY),
        key=lambda one: (not one.name.endswith("Request"), one.name),
    )
    return HEAD + "\n".join("\n".join(section(one)) for one in messages)


def section(message: Message) -> Iterator[str]:
    """One message with its table."""
    yield f"## {message.name}\n"
    yield f"{message.description}\n"
    yield "| member | type | API | meaning |"
    yield "| --- | --- | --- | --- |"
    for field in message.fields:
        yield row(field)
    yield ""


def row(field: Field) -> str:
    """One member."""
    api = API_NAMES[field.only] if field.only is not None else ""
    if field.undocumented_on is not None:
        api = f"undocumented on {API_NAMES[field.undocumented_on]}"
    needed = " (required)" if field.is_required else " (required on Vertex)" if field.required_on else ""
    return f"| `{field.name}`{needed} | {words(field.value)} | {api} | {field.description} |"


def words(value: Value) -> str:
    """The type of a value, for people."""
    match value:
        case Of(name):
            return f"[{name}](#{name.lower()})"
        case Each(item):
            return f"list of {words(item)}"
        case Named(inner):
            return f"names with {words(inner)}"
        case Choice(values):
            return ", ".join(f"`{one}`" for one in values)
        case Integer(least, most) | Number(least, most):
            kind = "whole number" if isinstance(value, Integer) else "number"
            return kind + bounds(least, most)
        case _:
            return WORDS[type(value)]


def bounds(least: float | None, most: float | None) -> str:
    """The bounds of a number."""
    if least is not None and most is not None:
        return f", {least} to {most}"
    return "" if least is None else f", at least {least}"


if __name__ == "__main__":
    PAGE.write_text(requests_page(), encoding="utf-8")
