"""What the provider schemas say of a property: does changing it replace the resource?

In: a resource type and region; the schema files that cfn-lint carries. Out: `Schema` values, None for a type without one.
Never: imports cfnlint (importing it takes a second; its files are read where they lie), or reads a file twice.

A schema's create-only properties replace the resource, its conditional ones may. Source: CloudFormation CLI user guide, "Resource type
schema", createOnlyProperties and conditionalCreateOnlyProperties.
"""

from __future__ import annotations

import importlib.util
import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

T = TypeVar("T")
Recreation = Literal["never", "conditionally", "always"]

_FALLBACK_REGION = "us-east-1"
_INDEX = re.compile(r"\[[^\]]*\]")


@dataclass(frozen=True, kw_only=True)
class Schema:
    """The parts of a provider schema that matter to a review; paths as tuples of names, "*" for any item of a list."""

    create_only: frozenset[tuple[str, ...]] = frozenset()
    conditional_create_only: frozenset[tuple[str, ...]] = frozenset()
    read_only: frozenset[tuple[str, ...]] = frozenset()
    write_only: frozenset[tuple[str, ...]] = frozenset()
    primary_identifier: frozenset[tuple[str, ...]] = frozenset()
    type_name: str = ""
    identifier: tuple[str, ...] = ()
    """The properties of the primary identifier, in its order: what a resource is imported by (ResourceIdentifier)."""
    importable: bool = False
    """Whether CloudFormation can import resources of the type: it can read them.

    Source: "AWS CloudFormation Resource Import supports CloudFormation Registry types" (2020-06-19): a type with a read handler needs
    nothing more. See `import-types` in docs/assumptions.md.
    """
    required: tuple[str, ...] = ()
    """Top-level properties that a template must have."""

    def recreation(self, path: str) -> Recreation:
        """Whether changing the property at `path` ("A.B[0].C") replaces the resource.

        A change of a whole structure of which only a part is create-only is "conditionally".
        """
        changed = segments(path)
        if any(_inside(changed, whole) for whole in self.create_only):
            return "always"
        if any(_inside(changed, whole) or _inside(whole, changed) for whole in self.conditional_create_only):
            return "conditionally"
        if any(_inside(part, changed) for part in self.create_only):
            return "conditionally"
        return "never"

    def keeps(self, attribute: str) -> bool:
        """Whether the attribute (of Fn::GetAtt) stays the same as long as the resource is not replaced.

        True for the primary identifier, for create-only properties, and for what AWS makes of them: `_DERIVED` of the type. An attribute
        that merely sounds like a name may move: a table's StreamArn, an instance's PublicDnsName.
        """
        path = tuple(attribute.split("."))
        if path in self.primary_identifier or path in self.create_only:
            return True
        last = path[-1].lower()
        noun = self.type_name.rpartition("::")[2].lower()
        own = last in ("arn", "id", f"{noun}arn", f"{noun}id")
        return path in self.read_only and (own or attribute in _DERIVED.get(self.type_name, ())) and self.keeps_ref

    @property
    def keeps_ref(self) -> bool:
        """Whether Ref stays the same as long as the resource is not replaced, as it does for nearly all."""
        return self.type_name not in _REVISED and not self.type_name.startswith("Custom::")


_DERIVED: Mapping[str, tuple[str, ...]] = {
    "AWS::S3::Bucket": ("DomainName", "RegionalDomainName", "DualStackDomainName", "WebsiteURL"),
    "AWS::CloudFront::Distribution": ("DomainName",),
    "AWS::CloudFront::Function": ("FunctionMetadata.FunctionARN",),
    "AWS::Route53::HostedZone": ("NameServers",),
    "AWS::SNS::Topic": ("TopicName",),
}
"""Attributes that AWS makes once, of the resource's identifier: "Return values" of each type in the template reference."""
_REVISED = frozenset({"AWS::Batch::JobDefinition", "AWS::ECS::TaskDefinition", "AWS::CloudFormation::CustomResource"})
"""Types whose Ref names a revision or is the provider's own choice, so that an update may give another one."""


def segments(path: str) -> tuple[str, ...]:
    """ "A.B[0].C" as ("A", "B", "*", "C")."""
    return tuple(part for part in _INDEX.sub(".*", path).split(".") if part)


def _inside(path: tuple[str, ...], whole: tuple[str, ...]) -> bool:
    return len(path) >= len(whole) and all(w in ("*", p) or p == "*" for p, w in zip(path, whole, strict=False))


class _File(msgspec.Struct, rename="camel"):
    create_only_properties: tuple[str, ...] = ()
    conditional_create_only_properties: tuple[str, ...] = ()
    read_only_properties: tuple[str, ...] = ()
    write_only_properties: tuple[str, ...] = ()
    primary_identifier: tuple[str, ...] = ()
    type_name: str = ""
    handlers: dict[str, Any] = {}
    required: tuple[str, ...] = ()


def _paths(pointers: Iterable[str]) -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(part for part in pointer.split("/")[2:] if part != "items") for pointer in pointers)


@dataclass
class Schemas:
    """Schemas by type and region, read when asked for. May be used from any thread."""

    directory: Path | None
    """cfn-lint's `data/schemas`; None: no schema is known."""
    _index: dict[str, Mapping[str, str]] = field(default_factory=dict)
    _read: dict[str, Schema] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, resource_type: str, region: str) -> Schema | None:
        """The schema of the type in that region, else of us-east-1; None if there is none or it cannot be read."""
        if self.directory is None:
            return None
        with self._lock:
            for where in (region, _FALLBACK_REGION):
                name = self._regional(where).get(resource_type)
                if name is not None:
                    return self._schema(name)
        return None

    def _regional(self, region: str) -> Mapping[str, str]:
        if region not in self._index:
            self._index[region] = self._decode(f"providers/{region}.json", dict[str, str]) or {}
        return self._index[region]

    def _schema(self, name: str) -> Schema | None:
        if name not in self._read:
            raw = self._decode(f"resources/{name}.json", _File)
            if raw is None:
                return None
            self._read[name] = Schema(
                create_only=_paths(raw.create_only_properties),
                conditional_create_only=_paths(raw.conditional_create_only_properties),
                read_only=_paths(raw.read_only_properties),
                write_only=_paths(raw.write_only_properties),
                primary_identifier=_paths(raw.primary_identifier),
                type_name=raw.type_name,
                identifier=tuple(pointer.rpartition("/")[2] for pointer in raw.primary_identifier),
                importable="read" in raw.handlers,
                required=raw.required,
            )
        return self._read[name]

    def _decode(self, name: str, kind: type[T]) -> T | None:
        assert self.directory is not None
        try:
            return msgspec.json.decode((self.directory / name).read_bytes(), type=kind)
        except (OSError, msgspec.DecodeError):
            return None


def bundled() -> Schemas:
    """The schemas of the cfn-lint that is installed; without one, none."""
    spec = importlib.util.find_spec("cfnlint")
    roots = list(spec.submodule_search_locations or ()) if spec else []
    return Schemas(directory=Path(roots[0]) / "data" / "schemas" if roots else None)
