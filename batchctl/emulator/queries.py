"""Query parameters: the parameters of each method, and the check that refuses all others.

Google's newer APIs refuse unknown parameters; Cloud Storage and BigQuery are older and accept any. `alt` is checked for
all of them.
"""

from __future__ import annotations

import re

from batchctl.emulator.wire import Refused, Request

_NAMES = "alt callback fields key access_token oauth_token pretty_print quota_user user_project"
_EVERYWHERE = frozenset([*_NAMES.split(), "upload_type", "upload_protocol", "$.xgafv"])
"""Source: the parameters of all methods in the discovery document; each may begin with `$`."""
LIST = frozenset({"page_size", "page_token", "filter"})
"""The parameters of lists, in the spelling of protos; camelCase is accepted, too."""
OPERATIONS_LIST = LIST | {"return_partial_success"}
_CAPITAL = re.compile(r"(?<=[a-z])([A-Z])")
_SHOWN = 100


def check_query(request: Request, known: frozenset[str]) -> None:
    """Raise Refused (400) for a parameter that the method does not have."""
    for name, _ in request.query:
        plain = _CAPITAL.sub(r"_\1", name).lower()
        if plain in known or plain in _EVERYWHERE or plain.removeprefix("$") in _EVERYWHERE:
            continue
        shown = ascii(name)[1:-1][:_SHOWN]
        words = (
            f'Invalid JSON payload received. Unknown name "{shown}": Cannot bind query parameter.'
            f" Field '{shown}' could not be found in request message."
        )
        violation = {"field": "", "description": words}
        detail = {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation]}
        raise Refused(400, words, details=[detail])


def unknown_alt(request: Request, *, has_media: bool) -> str | None:
    """Why the reply cannot have the requested form (`alt`); None if it can.

    Other APIs of Google refuse it before they check the credentials.
    """
    for name, value in request.query:
        form, *options = value.split(";")
        if name not in {"alt", "$alt"} or (form in {"", "json"} and all("=" in option for option in options)):
            continue
        if value == "media" and has_media:
            continue
        if value == "media":
            return 'Unsupported alt type "media" for non byte stream request.'
        if value == "proto":
            return 'Unsupported alt type "proto": the emulator answers in JSON.'
        return f"Invalid value \"{ascii(value)[1:-1][:_SHOWN]}\" for query parameter 'alt'"
    return None


def wants_indentation(request: Request) -> bool:
    """Whether the reply should be indented."""
    return request.param("prettyPrint", "$prettyPrint", "pretty_print") == "true"
