"""Reads the stack's providers and resolves their accounts.

Owns the entries of `providers` and the endpoints that they may name.
Source: design section 4; reference 1.1, chapters 3 and 10.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from batchctl.manifests.accounts import resolve_account
from batchctl.manifests.admission_limits import FIELDS, read_admission
from batchctl.manifests.apis import RULES, is_for, names_of
from batchctl.manifests.fault_codes import Code
from batchctl.manifests.fault_list import Faults
from batchctl.manifests.nodes import Node, key_place, value_of
from batchctl.manifests.trust import Origin, Trust
from batchctl.model.capabilities import CAPABILITIES, ApiLimits
from batchctl.model.errors import ManifestError
from batchctl.model.json_value import Json
from batchctl.model.keys import API_NAMES, EMULATOR_ORIGIN, Account, Api
from batchctl.model.locations import Location
from batchctl.model.quoting import cut, shown
from batchctl.model.stack import ProviderConfig
from batchctl.model.suggest import did_you_mean

_SAME = {"stagingBucket": "bucket and prefix", "userProject": "project", "apiVersion": "version"}
_PLACE_FIELDS = sorted({field for rules in RULES.values() for field in rules.place_fields})


class ProviderReader:
    """Reads the providers of one stack file, which is valid by its schema."""

    def __init__(self, root: Node, trust: Trust, env: Mapping[str, str], faults: Faults) -> None:
        self._root = root
        self._trust = trust
        self._env = env
        self._faults = faults

    def providers(self) -> dict[str, ProviderConfig]:
        """All providers by name; errors in them go to the faults."""
        entries: Mapping[str, Mapping[str, Json]] = value_of(self._root, "spec", "providers")
        return {name: self._provider(name, entry) for name, entry in entries.items()}

    def accounts(self, providers: Mapping[str, ProviderConfig]) -> dict[str, Account]:
        """The accounts of the providers with a valid endpoint."""
        accounts = {}
        for name, config in providers.items():
            if config.endpoint is not None and not self._endpoint_is_valid(name, config.endpoint):
                continue
            try:
                accounts[name] = resolve_account(config, self._env)
            except ManifestError as error:
                self._faults.extend(error)
        self._check_accounts(providers, accounts)
        return accounts

    def _place(self, name: str, *fields: str) -> Location:
        return key_place(self._root, "spec", "providers", name, *fields)

    def _provider(self, name: str, entry: Mapping[str, Json]) -> ProviderConfig:
        api = Api(entry["type"])
        self._check_place_fields(name, api, entry)
        return ProviderConfig(
            name,
            api,
            entry.get("endpoint"),
            entry.get("project", ""),
            entry.get("location", ""),
            self._staging_bucket(name, api, entry.get("stagingBucket")),
            self._limits(name, api, entry.get("limits") or {}),
            read_admission(entry.get("limits") or {}),
            self._api_version(name, api, entry.get("apiVersion")),
            self._user_project(name, api, entry.get("userProject")),
        )

    def _check_place_fields(self, name: str, api: Api, entry: Mapping[str, Json]) -> None:
        needed = RULES[api].place_fields
        for field in _PLACE_FIELDS:
            if field in entry and field not in needed:
                users = names_of(other for other, rules in RULES.items() if field in rules.place_fields)
                message, hint = f'"{field}" is for {users} only', f"remove it: a provider of type {api} does not use it"
                self._faults.add(self._place(name, field), Code.WRONG_PROVIDER, message, hint)
            if field in needed and field not in entry:
                message = f'a provider of type {api} needs "{field}"'
                self._faults.add(self._place(name, "type"), Code.MISSING_FIELD, message, needed[field])

    def _api_version(self, name: str, api: Api, version: str | None) -> str:
        known = CAPABILITIES[api].versions
        if version is not None and version not in known:
            message = f"{API_NAMES[api]} has no version {shown(version)}"
            self._faults.add(
                self._place(name, "apiVersion"), Code.WRONG_PROVIDER, message, f"one of {', '.join(known)}"
            )
        return version or known[0]

    def _user_project(self, name: str, api: Api, project: str | None) -> str | None:
        if project is not None and not CAPABILITIES[api].staging:
            message = f'"userProject" {is_for(lambda can: can.staging)}'
            hint = f"remove it: {API_NAMES[api]} does not read buckets"
            self._faults.add(self._place(name, "userProject"), Code.WRONG_PROVIDER, message, hint)
        return project

    def _staging_bucket(self, name: str, api: Api, uri: str | None) -> str | None:
        if uri is None:
            return None
        place = self._place(name, "stagingBucket")
        if not CAPABILITIES[api].staging:
            hint = f"remove it: {API_NAMES[api]} stores local files itself"
            message = f'"stagingBucket" {is_for(lambda can: can.staging)}'
            self._faults.add(place, Code.WRONG_PROVIDER, message, hint)
            return None
        try:
            from batchctl.manifests.resource_names import gcs_prefix

            return gcs_prefix(uri)
        except ValueError as error:
            self._faults.add(place, Code.INVALID_VALUE, f"{shown(uri)} {error}", "such as gs://bucket/staging/")
            return None

    def _limits(self, name: str, api: Api, limits: Mapping[str, Json]) -> ApiLimits | None:
        active = read_admission(limits).active
        given = {field: int(limit) for field, limit in limits.items() if field not in FIELDS}
        if active is not None:
            given["active"] = active
        if not given:
            return None
        standard = CAPABILITIES[api].limits
        if "inlineBytes" in given and standard.inline_bytes is None:
            hint = f"remove it: {API_NAMES[api]} accepts no rows in the create call"
            message = f'"inlineBytes" {is_for(lambda can: can.limits.inline_bytes is not None)}'
            self._faults.add(self._place(name, "limits", "inlineBytes"), Code.WRONG_PROVIDER, message, hint)
        return ApiLimits(
            active=given.get("active", standard.active),
            rows=given.get("rows", standard.rows),
            embedding_rows=given.get("embeddingRows", standard.embedding_rows),
            file_bytes=given.get("fileBytes", standard.file_bytes),
            inline_bytes=given.get("inlineBytes", standard.inline_bytes),
        )

    def _check_accounts(self, providers: Mapping[str, ProviderConfig], accounts: Mapping[str, Account]) -> None:
        """Providers with the same account must have the same settings for its calls."""
        self._check_same(providers, accounts, "stagingBucket", lambda config: config.staging_bucket)
        self._check_same(providers, accounts, "userProject", lambda config: config.user_project)
        self._check_same(providers, accounts, "apiVersion", lambda config: config.api_version)

    def _check_same(
        self,
        providers: Mapping[str, ProviderConfig],
        accounts: Mapping[str, Account],
        field: str,
        value: Callable[[ProviderConfig], str | None],
    ) -> None:
        first: dict[Account, ProviderConfig] = {}
        for name, account in accounts.items():
            config = providers[name]
            if value(config) is None:
                continue
            other = first.setdefault(account, config)
            if value(other) != value(config):
                message = f'"{field}" differs from that of {other.name}, which is the same account'
                hint = f"give both providers one {_SAME[field]}, or remove one provider"
                self._faults.add(self._place(name, field), Code.INVALID_VALUE, message, hint)

    def _endpoint_is_valid(self, name: str, endpoint: str) -> bool:
        if endpoint == EMULATOR_ORIGIN:
            return True
        place = self._place(name, "endpoint")
        try:
            origin = Origin.of(endpoint)
        except ValueError as error:
            message = f'"endpoint" {error}'
            otherwise = f"write it without user, query and fragment, or write {EMULATOR_ORIGIN}"
            hint = did_you_mean(endpoint, [EMULATOR_ORIGIN], otherwise)
            self._faults.add(place, Code.INVALID_VALUE, message, hint)
            return False
        if self._trust.allows_endpoint(origin):
            return True
        message = f"{cut(str(origin))} is neither https at googleapis.com nor on this machine"
        hint = f"if you trust it with your credentials: BATCHCTL_ALLOW_ENDPOINT={cut(str(origin))}"
        if self._trust.allows_endpoint(replace(origin, scheme="https")):
            hint = "write https instead of http"
        self._faults.add(place, Code.UNTRUSTED_ENDPOINT, message, hint)
        return False
