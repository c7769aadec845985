"""The service models and provider schemas that the table of constraints is made from, as files: nothing of botocore is imported."""

from __future__ import annotations

import functools
import gzip
import importlib.util
import json
from pathlib import Path
from typing import Any

Shape = dict[str, Any]


class Model:
    """One service of botocore's data directory, in its newest version."""

    def __init__(self, service: str) -> None:
        found = importlib.util.find_spec("botocore")
        if found is None or not found.submodule_search_locations:
            raise FileNotFoundError("botocore is not installed; its service models are what the table is made from")
        newest = max((Path(found.submodule_search_locations[0]) / "data" / service).iterdir())
        packed, plain = newest / "service-2.json.gz", newest / "service-2.json"
        text = gzip.decompress(packed.read_bytes()) if packed.exists() else plain.read_bytes()
        self._model: dict[str, Any] = json.loads(text)

    def shape(self, name: str) -> Shape:
        """A shape by its name."""
        return {**self._model["shapes"][name], "name": name}

    def member(self, shape: Shape, name: str) -> Shape:
        """The shape of a member of a structure."""
        return self.shape(shape["members"][name]["shape"])

    def input_of(self, operation: str, member: str) -> Shape:
        """The input of an operation, or the member of it at a dotted path."""
        shape = self.shape(self._model["operations"][operation]["input"]["shape"])
        for name in filter(None, member.split(".")):
            shape = self.shape(shape["member"]["shape"] if name == "*" else shape["members"][name]["shape"])
        return shape


@functools.cache
def model(service: str) -> Model:
    """The model of a service, read once."""
    return Model(service)


class Schema:
    """The provider schema of one resource type, as cfn-lint ships and patches it."""

    def __init__(self, kind: str) -> None:
        from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

        self._schema: dict[str, Any] = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema

    @property
    def root(self) -> dict[str, Any]:
        """The schema of the properties."""
        return self._schema

    @property
    def read_only(self) -> frozenset[str]:
        """Properties at the top that AWS sets and nobody writes."""
        return frozenset(path.split("/")[-1] for path in self._schema.get("readOnlyProperties", []) if path.count("/") == 2)

    def resolved(self, node: dict[str, Any]) -> dict[str, Any]:
        """The node with its $ref followed; of several alternatives the keywords of all of them that name members or items."""
        for _ in range(20):
            if "$ref" not in node:
                break
            target: Any = self._schema
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            node = {**target, **{key: value for key, value in node.items() if key != "$ref"}}
        for word in ("allOf", "anyOf", "oneOf"):
            for one in node.get(word, ()):
                other = self.resolved(one) if isinstance(one, dict) else {}
                if "properties" in other or "items" in other:
                    node = {**other, **node, "properties": {**other.get("properties", {}), **node.get("properties", {})}}
        return node
