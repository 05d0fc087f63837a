"""Which models accept batch jobs, and the kind of their rows. Source: reference 6.2, 8.2, 9, 10."""

from __future__ import annotations

import re

from batchctl.emulator.catalogue import model_named
from batchctl.emulator.settings import Settings
from batchctl.emulator.store import Store
from batchctl.emulator.vertex.resource_names import parent_of
from batchctl.emulator.wire import Refused

_PUBLISHED = re.compile(r"(?:projects/[^/]+/locations/([^/]+)/)?publishers/([a-z0-9-]+)/models/([^/]+)")
_TUNED = re.compile(r"projects/([^/]+)/locations/([^/]+)/models/([A-Za-z0-9_-]+)(@[A-Za-z0-9_-]+)?")
_KINDS = (
    (re.compile(r"gemini-embedding-[a-z0-9.-]+"), "embed"),
    (re.compile(r"text-(multilingual-)?embedding-[a-z0-9.-]+|textembedding-gecko[a-z0-9.@-]*"), "text"),
    (re.compile(r"gemini-[0-9][a-z0-9.-]*"), "generate"),
)
GOOGLE = "google"
_NOT_IN_BATCHES = re.compile(r"(imagen|imagegeneration|veo|lyria|chirp)[a-z0-9.@-]*|gemini-live-[a-z0-9.-]+")
_EMBEDDING_2 = re.compile(r"gemini-embedding-2([.-].*)?")
_EMBEDDING_2_LOCATIONS = frozenset({"global", "us", "eu"})


def published_kind(publisher: str, model: str) -> str | None:
    """The kind of a published model, even if it does not support batch jobs; None for an unknown name."""
    if publisher != GOOGLE or _NOT_IN_BATCHES.fullmatch(model):
        return "generate"
    return next((kind for shape, kind in _KINDS if shape.fullmatch(model)), None)


def is_published(model: str) -> bool:
    """Whether Google publishes a model of this name."""
    return published_kind(GOOGLE, model) is not None


def read_model(store: Store, parent: str, model: str) -> tuple[str, str]:
    """The model's name in replies, and the kind of its rows: `generate`, `embed`, or `text` for legacy text embeddings.

    Raises Refused (400, 404) for a model that does not support batch jobs in this location. Source: reference 16.
    """
    published = _PUBLISHED.fullmatch(model)
    if published:
        location = parent.rpartition("/")[2]
        if published[1] not in {None, location}:
            raise Refused(400, f"The model {model} must be in the job's location.")
        return model, _published_kind(published[2], published[3], location)
    tuned = _TUNED.fullmatch(model)
    if tuned is None:
        raise Refused(400, f"Invalid resource field value in the request: model {ascii(model)[:200]}.")
    project, location, short, version = tuned.groups()
    if location == "global":
        raise Refused(400, "Tuned models are not supported in the global location.")
    if parent_of(store, project, location) != parent:
        raise Refused(400, f"The model {model} must be in the job's project and location.")
    return f"{parent}/models/{short}{version or ''}", "generate"


def check_usable(settings: Settings, model: str, kind: str, now: int) -> None:
    """Raise Refused (404) for a model of Google that the settings have retired."""
    published = _PUBLISHED.fullmatch(model)
    if published and published[2] == GOOGLE and not model_named(settings, published[3], kind).is_usable(now):
        raise _missing(published[3])


def bare_model(model: str) -> str:
    """The last part of a model's name."""
    return model.rpartition("/")[2]


def _published_kind(publisher: str, model: str, location: str) -> str:
    kind = published_kind(publisher, model)
    if publisher != GOOGLE:
        return "generate"
    if _NOT_IN_BATCHES.fullmatch(model):
        raise Refused(400, f"Do not support publisher model {model}")
    if kind is None:
        raise _missing(model)
    if _EMBEDDING_2.fullmatch(model) and location not in _EMBEDDING_2_LOCATIONS:
        raise Refused(400, f"MODEL_NOT_SUPPORTED_FOR_BATCH: {model} takes no batch jobs in {location}.")
    return kind


def _missing(model: str) -> Refused:
    return Refused(404, f"The PublisherModel {model} does not exist.")
