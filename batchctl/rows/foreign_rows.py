"""Recognises rows in the form of another API, and says what to write instead.

Covers batch lines and single requests of OpenAI, Anthropic, Amazon Bedrock and others, at the top of a row.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from msgspec import Struct

from batchctl.model.json_value import Json
from batchctl.model.kinds import Kind

_REQUESTS: Mapping[Kind, str] = {
    Kind.BATCH_JOB: "request: {contents: [{role: user, parts: [{text: …}]}]}",
    Kind.EMBEDDINGS_BATCH_JOB: "request: {content: {parts: [{text: …}]}}",
}
_ROLES = "; the role assistant is model here, and a system message is systemInstruction: {parts: [{text: …}]}"


class _Form(Struct, frozen=True):
    """One form of row, which is recognised by a member."""

    member: str
    name: str
    place: str = ""
    """The member of that form that holds the request; empty where the row itself is the request."""
    key: str = ""
    """The member that names the row."""
    is_chat: bool = True
    """Whether it has messages with roles."""

    def way_out(self, row: Collection[str], kind: Kind) -> str:
        """The form to write."""
        key = f"{self.key} as key, and " if self.key in row else ""
        place = f"{self.place} as " if self.place else ""
        return f"write {key}{place}{_REQUESTS[kind]}{_ROLES if self.is_chat and kind is Kind.BATCH_JOB else ''}"


_OPENAI_LINE = _Form("body", "a line of OpenAI's batch API", "body", "custom_id")
_FORMS = (
    _Form("modelInput", "a record of Amazon Bedrock", "modelInput", "recordId"),
    _Form("params", "a request of Anthropic's Message Batches", "params", "custom_id"),
    _OPENAI_LINE,
    _Form("messages", "a request of OpenAI's or Anthropic's chat API"),
    _Form("chat_history", "a request of Cohere's chat API"),
    _Form("prompt", "a request of a text completion API", is_chat=False),
    _Form("inputText", "a request of Amazon Titan", is_chat=False),
    _Form("inputs", "a request of Hugging Face's API", is_chat=False),
    _Form("instances", "a request of Vertex AI's predict method", is_chat=False),
    _Form("input_text", "an example for supervised tuning", is_chat=False),
    _Form("input", "a request of OpenAI's API", is_chat=False),
)
"""The first match counts."""


def foreign_row(row: Collection[str], kind: Kind) -> str | None:
    """The form of a row without a request of ours, by the names of its members, and what to write instead.

    None for an unknown form.
    """
    form = next((form for form in _FORMS if form.member in row), None)
    if form is None:
        return None
    return f'"{form.member}" makes the row {form.name}: {form.way_out(row, kind)}'


def of_body(members: Mapping[str, Json], kind: Kind) -> tuple[str, str]:
    """The same of a row with `body`, for a model of Google: the form and the way out. `members` are beside it."""
    is_line = "method" in members or "url" in members
    what = f"is {_OPENAI_LINE.name}" if is_line else 'has "body", which is for models of other publishers on Vertex AI'
    return f"the row {what}", _OPENAI_LINE.way_out(members, kind)
