"""Builds a desired job from a manifest that is valid by its schema.

Checks what a schema cannot: references to providers, models, marks, durations, and combinations of fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from batchctl.manifests.apis import RULES
from batchctl.manifests.combinations import check_combinations, check_parts
from batchctl.manifests.destinations import read_dest
from batchctl.manifests.digest import work_tree
from batchctl.manifests.fault_codes import Code
from batchctl.manifests.fault_list import Faults, did_you_mean
from batchctl.manifests.input_limits import input_bytes, limits_of
from batchctl.manifests.labels import check_labels
from batchctl.manifests.lifecycle_reader import read_lifecycle
from batchctl.manifests.needs import Needs
from batchctl.manifests.nodes import Node, Scalar, find, key_place, value_of
from batchctl.manifests.purpose import Purpose
from batchctl.manifests.remote_names import read_adopt, read_model
from batchctl.manifests.row_settings import (
    check_fallbacks,
    check_sharding,
    read_canary,
    read_row_settings,
    read_sharding,
)
from batchctl.manifests.sources import SENT_FORMS, SourceReader, source_form
from batchctl.manifests.stack import StackReading
from batchctl.model.desired import DesiredJob, Expansion
from batchctl.model.digests import digest_of
from batchctl.model.json_value import Json
from batchctl.model.keys import Mark
from batchctl.model.kinds import Kind, kind_of_rows
from batchctl.model.locations import Location
from batchctl.model.quoting import shown
from batchctl.model.row_hashes import hash_rows
from batchctl.model.sources import InlineRows, LocalFile, Source, UnknownSource
from batchctl.model.stack import ProviderConfig


class Document(Struct, frozen=True):
    """One YAML document that may be a manifest, its variables replaced."""

    root: Node
    path: str
    """See `DesiredJob.path`."""
    folder: Path
    expansion: Expansion | None = None
    """The axis values of a job of a matrix."""
    jobs: int = 1
    """All jobs of the matrix."""

    @property
    def cell(self) -> tuple[str, int] | None:
        """The axis values and the number of jobs, for errors."""
        return None if self.expansion is None else (str(self.expansion), self.jobs)

    @property
    def name(self) -> str | None:
        """The job's name; None if there is no text there."""
        node = self._name
        return node.value if isinstance(node, Scalar) and isinstance(node.value, str) else None

    @property
    def place(self) -> Location:
        """The place of the name, if there is one."""
        return self.root.location if self._name is None else self._name.location

    @property
    def _name(self) -> Node | None:
        return find(self.root, "metadata", "name")


def check_provider(node: Node, reading: StackReading, faults: Faults) -> None:
    """Report the name of a provider that the stack does not have. An empty one is an error by the schema."""
    name, providers = value_of(node), reading.providers
    if isinstance(name, str) and name and providers is not None and name not in providers:
        hint = did_you_mean(name, providers)
        faults.add(node.location, Code.UNKNOWN_PROVIDER, f"the stack has no provider {shown(name)}", hint)


class JobBuilder:
    """Builds one job. `root` is valid by the kind's schema, with the stack's defaults merged in."""

    def __init__(
        self,
        root: Node,
        document: Document,
        kind: Kind,
        reading: StackReading,
        sources: SourceReader,
        needs: Needs,
        faults: Faults,
    ) -> None:
        spec = find(root, "spec")
        assert spec is not None, "the schema requires it"
        self._root = root
        self._spec = spec
        self._document = document
        self._kind = kind
        self._reading = reading
        self._sources = sources
        self._needs = needs
        self._faults = faults

    def build(self) -> DesiredJob | None:
        """The job, or None if it or its provider has errors, which go to the faults."""
        config = self._provider()
        api = None if config is None else config.api
        model = self._model(config)
        self._check_display_name()
        check_combinations(self._spec, self._kind, api, self._faults)
        check_labels(self._root, api, self._faults)
        request = self._request()
        lifecycle = read_lifecycle(self._spec, self._faults)
        adopt = find(self._spec, "adopt")
        adopted = None if adopt is None else read_adopt(adopt, config, self._faults)
        dest = read_dest(self._spec, config, self._faults)
        name = value_of(self._root, "metadata", "name")
        depends_on = self._needs.read(name, find(self._spec, "dependsOn"), find(self._spec, "src", "fromJob"))
        most = value_of(self._spec, "sharding", "maxResultBytes")
        purpose = Purpose(name, config, model, kind_of_rows(api, self._kind, model or ""), request, most)
        source = self._source(purpose)
        check_parts(self._spec, source, config, self._faults)
        check_fallbacks(self._spec, purpose, self._faults)
        account = None if config is None else self._reading.accounts.get(config.name)
        if config is None or account is None or model is None or source is None:
            return None
        run_id, extra_body = self._value("runId"), self._value("extraBody") or {}
        tree = work_tree(
            account, self._kind, model, source, request=request, run_id=run_id, extra_body=extra_body, dest=dest
        )
        job = DesiredJob(
            name=name,
            kind=self._kind,
            provider=config.name,
            account=account,
            model=model,
            source=source,
            digest=digest_of(tree),
            tree=tree,
            path=self._document.path,
            location=self._root.location,
            lifecycle=lifecycle,
            row_settings=read_row_settings(self._spec),
            canary=read_canary(self._spec),
            sharding=read_sharding(self._spec, limits_of(config), kind_of_rows(api, self._kind, model)),
            labels=value_of(self._root, "metadata", "labels") or {},
            annotations=value_of(self._root, "metadata", "annotations") or {},
            expansion=self._document.expansion,
            display_name=self._value("displayName"),
            dest=dest,
            request=request,
            run_id=run_id,
            adopt=adopted,
            extra_body=extra_body,
            depends_on=depends_on,
            priority=int(self._value("priority") or 0),
            webhook=self._value("webhookConfig") or {},
            input_bytes=input_bytes(source, request),
            row_hashes=_row_hashes(source),
        )
        check_sharding(self._spec, job, self._faults)
        return job

    def _value(self, *keys: str) -> Json:
        return value_of(self._spec, *keys)

    def _provider(self) -> ProviderConfig | None:
        """The provider; None if it is unknown or the stack file has errors in it."""
        providers = self._reading.providers
        node = find(self._spec, "provider")
        config = self._reading.provider_of(value_of(node))
        if providers is None or config is not None:
            return config
        if node is None:
            names = did_you_mean("", providers)
            hint = f"{names}{'; or ' if names else ''}set spec.defaults.provider in the stack file"
            message = 'the field "provider" is missing, and the stack has several providers'
            self._faults.add(self._spec.location, Code.MISSING_FIELD, message, hint)
            return None
        check_provider(node, self._reading, self._faults)
        return None

    def _model(self, config: ProviderConfig | None) -> str | None:
        node = find(self._spec, "model")
        if node is None:
            hint = "for example model: gemini-2.5-flash; or set spec.defaults.model in the stack file"
            self._faults.add(self._spec.location, Code.MISSING_FIELD, 'the field "model" is missing', hint)
            return None
        return read_model(node, self._kind, config, self._faults)

    def _check_display_name(self) -> None:
        node = find(self._spec, "displayName")
        if node is not None and Mark.find(str(value_of(node))) is not None:
            message = '"displayName" ends like the mark that batchctl writes itself'
            self._faults.add(node.location, Code.MARK_LOOKALIKE, message, "remove the part in brackets at its end")

    def _source(self, purpose: Purpose) -> Source | None:
        src = find(self._spec, "src")
        if src is not None:
            if find(src, "fromJob") is not None and find(self._spec, "adopt") is not None:
                message = '"adopt" and "fromJob" exclude each other: the rows of an adopted job are not known'
                self._faults.add(key_place(self._spec, "adopt"), Code.INVALID_VALUE, message, "leave src out")
            return self._sources.read(src, self._document.folder, purpose)
        if find(self._spec, "adopt") is not None:
            return UnknownSource()
        hint = "such as src: {file: rows.jsonl}" if purpose.config is None else RULES[purpose.config.api].source_forms
        self._faults.add(self._spec.location, Code.MISSING_FIELD, 'the field "src" is missing in "spec"', hint)
        return None

    def _request(self) -> Mapping[str, Json]:
        """The defaults for rows in REST form: a plain text as system instruction becomes a content with one part."""
        request = dict(self._value("request") or {})
        src = find(self._spec, "src")
        if src is None:
            # batchctl sends no rows for an adopted job, so the stack's defaults do not apply.
            return {}
        form, _ = source_form(src)
        if request and form not in SENT_FORMS:
            message = '"request" has no effect on rows that batchctl does not send'
            hint = "put the fields into the rows themselves; `request: null` removes the stack's defaults"
            place = key_place(self._spec, "request")
            # Several jobs can conflict with one default of the stack; each needs its own fix.
            own = place.file == src.location.file
            self._faults.add(place if own else src.location, Code.USELESS_REQUEST, message, hint)
        instruction = request.get("systemInstruction")
        if isinstance(instruction, str):
            request["systemInstruction"] = {"parts": [{"text": instruction}]}
        return request


def _row_hashes(source: Source) -> str | None:
    if isinstance(source, InlineRows):
        return hash_rows(source.rows)
    return source.row_hashes if isinstance(source, LocalFile) else None
