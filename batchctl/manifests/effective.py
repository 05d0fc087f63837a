"""The effective configuration of a stack, each value with the place that it comes from.

Values of sensitive variables, and the paths of webhooks, which may hold a token, are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from batchctl.manifests.accounts import environment_url
from batchctl.manifests.apis import RULES
from batchctl.manifests.fault_list import SENSITIVE, Faults
from batchctl.manifests.nodes import Items, Members, Node, Scalar, find
from batchctl.manifests.overrides import Overrides
from batchctl.manifests.references import REFERENCE
from batchctl.manifests.schema import load_schema
from batchctl.manifests.stack import StackReading, read_stack
from batchctl.manifests.target_check import default_places
from batchctl.manifests.targets import key_of
from batchctl.manifests.trust import Trust
from batchctl.manifests.variables import Variables
from batchctl.model.addresses import WebAddress
from batchctl.model.json_value import Json
from batchctl.model.origins import Config, ConfigTree, ConfigValue, Origin
from batchctl.model.stack import ProviderConfig

STATE_VARIABLE = "BATCHCTL_STATE"
_HIDDEN_PATH = "/…"
_URLS = frozenset({"url", "uris"})
"""Members whose values are addresses of webhooks."""


def effective_config(stack_file: Path, *, overrides: Overrides, env: Mapping[str, str], trust: Trust) -> Config:
    """The configuration of a stack. Raises ManifestError and UsageError."""
    faults = Faults()
    reading = read_stack(stack_file, overrides=overrides, env=env, trust=trust, faults=faults)
    faults.raise_if_any()
    assert reading.stack is not None, "without errors there is a stack"
    return _ConfigReader(reading, overrides, env).config(reading.stack.name, reading.stack.uid)


class _ConfigReader:
    def __init__(self, reading: StackReading, overrides: Overrides, env: Mapping[str, str]) -> None:
        self._reading = reading
        self._overrides = overrides
        self._env = env
        self._leaves = _Leaves(reading.variables)

    def config(self, name: str, uid: str) -> Config:
        """The configuration of a valid stack with this name and uid."""
        root = self._reading.root
        metadata, spec = self._branch(find(root, "metadata")), self._branch(find(root, "spec"))
        target = self._reading.target
        if target is not None:
            origin = Origin.file(key_of(root, target, Faults()).place)
            metadata = {"name": ConfigValue(name, origin), "uid": ConfigValue(uid, origin)}
        spec["variables"] = self._variables()
        self._put_places(spec)
        self._put_defaults(spec)
        for provider, config in (self._reading.providers or {}).items():
            self._put_provider(spec["providers"], provider, config)
        tree: dict[str, ConfigTree] = {"metadata": metadata, "spec": spec}
        if target is not None:
            tree = {"target": ConfigValue(target.name, target.origin), **tree}
        return Config(name, None if target is None else target.name, tree)

    def _branch(self, node: Node | None) -> dict[str, ConfigTree]:
        assert isinstance(node, Members), "the schema requires it"
        return {key: self._leaves.tree(member.node, key) for key, member in node.entries.items() if key != "variables"}

    def _variables(self) -> dict[str, ConfigTree]:
        variables = self._reading.variables
        found: dict[str, ConfigTree] = {}
        for name, value in variables.values.items():
            plain: Json = list(value) if isinstance(value, tuple) else value
            shown = SENSITIVE if name in variables.sensitive else plain
            found[name] = ConfigValue(shown, variables.origins[name])
        for name, place in variables.unset.items():
            found[name] = ConfigValue(None, Origin.file(place))
        return found

    def _put_places(self, spec: dict[str, ConfigTree]) -> None:
        state, results = default_places(
            key_of(self._reading.root, self._reading.target, Faults()), self._reading.target
        )
        spec.setdefault("state", ConfigValue(state, Origin.default()))
        spec.setdefault("results", ConfigValue(results, Origin.default()))
        given = self._overrides.state
        if given is not None:
            is_env = self._env.get(STATE_VARIABLE) == given
            spec["state"] = ConfigValue(
                given, Origin.environment(STATE_VARIABLE) if is_env else Origin.option("--state")
            )

    def _put_defaults(self, spec: dict[str, ConfigTree]) -> None:
        """The defaults of the schema, which are those of the code."""
        schema = load_schema("stack")
        _put_missing(spec, schema["properties"]["spec"]["properties"])
        limits = spec.setdefault("limits", {})
        assert isinstance(limits, dict), "the schema requires it"
        _put_missing(limits, schema["definitions"]["limits"]["properties"])

    def _put_provider(self, providers: ConfigTree, name: str, config: ProviderConfig) -> None:
        assert isinstance(providers, dict), "the schema requires it"
        entry = providers[name]
        assert isinstance(entry, dict), "the schema requires it"
        if config.endpoint is None:
            url, rules = environment_url(config.api, self._env), RULES[config.api]
            origin = Origin.default() if url is None else Origin.environment(rules.base_url_variable)
            entry["endpoint"] = ConfigValue(url or rules.google_url(config), origin)
        entry.setdefault("apiVersion", ConfigValue(config.api_version, Origin.default()))


def _put_missing(tree: dict[str, ConfigTree], properties: Mapping[str, Json]) -> None:
    for field, schema in properties.items():
        if "default" in schema and field not in tree:
            tree[field] = ConfigValue(schema["default"], Origin.default())


class _Leaves:
    """Turns a tree of the file into values with their origins."""

    def __init__(self, variables: Variables) -> None:
        self._variables = variables

    def tree(self, node: Node, key: str) -> ConfigTree:
        """The tree of a node that is the value of a key."""
        if isinstance(node, Members) and node.entries:
            return {name: self.tree(member.node, name) for name, member in node.entries.items()}
        if isinstance(node, Items) and node.values:
            return [self.tree(item, key) for item in node.values]
        if not isinstance(node, Scalar):
            return ConfigValue({} if isinstance(node, Members) else [], Origin.file(node.location))
        names = [name for name in self._names(node) if name in self._variables.origins]
        origins = {name: self._variables.origins[name] for name in names}
        value = _public_url(node.value) if key in _URLS else node.value
        if self._variables.sensitive.intersection(names):
            value = SENSITIVE
        return ConfigValue(value, Origin.file(node.location), origins)

    def _names(self, node: Scalar) -> list[str]:
        """The variables in a value."""
        if node.variable is not None:
            return [node.variable]
        return [match[1] for match in REFERENCE.finditer(node.text) if match[1] is not None]


def _public_url(value: Json) -> Json:
    """An address without its path and query."""
    try:
        address = WebAddress.parse(value)
    except (ValueError, TypeError):
        return _HIDDEN_PATH
    return address.origin if address.target == "/" else address.origin + _HIDDEN_PATH
