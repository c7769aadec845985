"""What a Terraform state says is there: addresses and identifiers, and nothing else of it.

In: the bytes of a state (format version 4), or of `terraform show -json`. Out: `State` with a `Managed` for each object that the
state manages. Raises `StateError`, which names the file's part and never a value.
Never: keeps, shows or logs a value beyond those in `terraform_types.KINDS`: a state has passwords and keys in plain text.

Source: Terraform's documentation, "JSON Output Format" (state representation) and "State"; OpenTofu's, "State and Plan Encryption".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import Any

from adoption.terraform_types import KINDS, TRUST, Attributes
from assembly.errors import Remedied
from guards import documents

LARGEST = 64 * 1024 * 1024
"""Bytes. A state of ten thousand resources has some 30 MB; what is larger is not the state of one site."""

LONGEST = 2_048
"""Characters of an identifier. The longest of AWS is an ARN: 2,048 (API references, pattern of Arn)."""


_NAME = r"[^\W\d][\w-]*"
_KEY = r'(?:\[(?:\d+|"(?:[^"\\]|\\.)*")\])?'
_MODULE = re.compile(rf"module\.{_NAME}{_KEY}\.")
_OWN_KEY = re.compile(r'\["((?:[^"\\]|\\.)*)"\]$')
_ADDRESS = re.compile(rf"(?:module\.{_NAME}{_KEY}\.)*{_NAME}\.{_NAME}{_KEY}")
"""As Terraform writes one (documentation, "Resource Addressing"; names: "Identifiers" of the syntax). It becomes a word of a command that a
person types, and what is none could be an option of it."""


class StateError(Remedied):
    """It cannot be used; `str()` says why on one line, `command` what to type."""


@dataclass(frozen=True, kw_only=True)
class Managed:
    """One object that the state manages."""

    address: str
    """As `terraform state rm` takes it: module.site.aws_s3_bucket.this["www"]."""
    type: str
    provider: str
    """Local name of the provider with its alias: "aws", "aws.us_east_1"."""
    attributes: Attributes = field(default_factory=dict, repr=False)
    """Those of `KINDS` only, that are texts or lists of texts."""
    remark: str = ""
    """Of the state about it: "tainted", "deposed"."""
    file: str = ""
    """Of several states the one that has it; empty where there is but one."""

    @property
    def told(self) -> str:
        """Where it was found, for a person."""
        return f"terraform {self.address}{f' of {self.file}' if self.file else ''}"

    def near(self, other: Managed) -> tuple[int, bool]:
        """How many modules both stand in, from the root on, and whether both have the same key (of for_each). Of two states: nothing."""
        if self.file != other.file:
            return 0, False
        pairs = zip(_MODULE.findall(self.address), _MODULE.findall(other.address), strict=False)
        keys = [found[1] if (found := _OWN_KEY.search(each.address)) else None for each in (self, other)]
        return len(list(takewhile(lambda pair: pair[0] == pair[1], pairs))), keys[0] is not None and keys[0] == keys[1]

    @property
    def account_id(self) -> str:
        """By its ARN; empty where it has none, or the ARN none."""
        account = self._arn(4)
        # The ARN of an Origin Access Identity has "cloudfront" there.
        return account if account.isdigit() else ""

    @property
    def region(self) -> str:
        """By its ARN, else as the provider says; empty for what is of no region, or where it is not known."""
        said = self.attributes.get("region")
        return self._arn(3) or (said if isinstance(said, str) else "")

    def _arn(self, part: int) -> str:
        arn = self.attributes.get("arn")
        parts = arn.split(":", 5) if isinstance(arn, str) and arn.startswith("arn:") else []
        return parts[part] if len(parts) == 6 else ""


@dataclass(frozen=True, kw_only=True)
class State:
    """What a state manages, and what could not be read of it."""

    resources: tuple[Managed, ...]
    problems: tuple[str, ...] = ()
    """Addresses with what is wrong; such a resource is not among `resources`."""
    files: tuple[str, ...] = ()
    """What was read, in the order in which it was named."""


def together(states: Mapping[str, State]) -> State:
    """Several states as one, by the name of the file: of modules with a state of their own, or of several environments."""
    if len(states) == 1:
        ((name, only),) = states.items()
        return replace(only, files=(name,))
    return State(
        resources=tuple(replace(each, file=name) for name, state in states.items() for each in state.resources),
        problems=tuple(f"{name}: {each}" for name, state in states.items() for each in state.problems),
        files=tuple(states),
    )


def read(data: bytes) -> State:
    """The state. Raises `StateError`."""
    if len(data) > LARGEST:
        raise StateError(f"larger than {LARGEST // 1024 // 1024} MB: that is not the state of one site")
    if data[:2] == b"\x1f\x8b":
        raise StateError("compressed with gzip", "gunzip FILE")
    if data[:2] == b"PK":
        raise StateError("a zip archive, as a saved plan is (terraform plan -out), no state", "terraform state pull > FILE")
    if not data.strip():
        raise StateError("empty", "terraform state pull > FILE")
    try:
        document = documents.mapping(data)
    except documents.Unreadable as error:
        # Python's words name a place, or a number; nothing else of the file.
        raise StateError(f"no state of Terraform: {_place(str(error))}", "terraform state pull > FILE") from None
    _refuse_other_documents(document)
    problems: list[str] = []
    if "values" in document or "format_version" in document:
        found = tuple(_shown(document, problems))
    else:
        found = tuple(_stored(document, problems))
    return State(resources=found, problems=tuple(problems))


def _place(words: str) -> str:
    """Of the reader's words those that repeat nothing of the file."""
    for known in ("nested too deeply", "not a JSON object", "a number is too large"):
        if known in words:
            return known
    line = words.partition(": line ")[2]
    return f"no JSON at line {line.partition(' (')[0]}" if line else "no JSON"


def _refuse_other_documents(document: Mapping[str, Any]) -> None:
    if "encrypted_data" in document:
        raise StateError("encrypted (OpenTofu)", "tofu state pull > FILE")
    if "deployment" in document and "resources" not in document:
        raise StateError("a stack of Pulumi, which is not read: name what exists by --resource")
    if "planned_values" in document or "resource_changes" in document:
        raise StateError("a plan (terraform show -json PLANFILE), no state", "terraform show -json > FILE")
    if "format_version" in document:
        major = str(document["format_version"]).partition(".")[0]
        if major not in ("0", "1"):
            raise StateError("of a format_version of terraform show -json that is not known here: 1 is", "terraform state pull > FILE")
        return
    if "backend" in document and "resources" not in document:
        raise StateError("the pointer to a state that a backend keeps (.terraform/terraform.tfstate)", "terraform state pull > FILE")
    version = document.get("version")
    if version != 4 or isinstance(version, bool):
        said = f"of format version {version}" if isinstance(version, int) and not isinstance(version, bool) else "without a format version"
        raise StateError(f"{said}; 4 is read, which Terraform writes since 0.12", "terraform show -json > FILE")


# --- format version 4 ---------------------------------------------------------------------------------------------


def _stored(document: Mapping[str, Any], problems: list[str]) -> Iterator[Managed]:
    resources = document.get("resources")
    if not isinstance(resources, list):
        raise StateError("it has no list of resources", "terraform state pull > FILE")
    for number, body in enumerate(resources):
        if not isinstance(body, Mapping):
            problems.append(f"resources[{number}]: no resource")
            continue
        if body.get("mode") != "managed":
            continue
        head = _address(body.get("module"), body.get("type"), body.get("name"))
        if not head:
            problems.append(f"resources[{number}]: without type or name")
            continue
        instances = body.get("instances")
        for instance in instances if isinstance(instances, list) else []:
            if not isinstance(instance, Mapping):
                problems.append(f"{head}: an instance that is none")
                continue
            address = head + _index(instance.get("index_key"))
            remark = "deposed" if "deposed" in instance else "tainted" if instance.get("status") == "tainted" else ""
            yield from _managed(
                address, str(body["type"]), _provider(body.get("provider")), instance.get("attributes"), remark=remark, problems=problems
            )


def _provider(text: Any) -> str:
    """'module.a.provider["registry.terraform.io/hashicorp/aws"].us_east_1' as "aws.us_east_1"."""
    if not isinstance(text, str):
        return ""
    name, bracket, rest = text.partition('provider["')[2].partition('"]')
    if not bracket:
        return text.rpartition("provider.")[2]
    return name.rpartition("/")[2] + rest


# --- terraform show -json -----------------------------------------------------------------------------------------


def _shown(document: Mapping[str, Any], problems: list[str]) -> Iterator[Managed]:
    values = document.get("values")
    if values is None:
        return
    root = values.get("root_module") if isinstance(values, Mapping) else None
    if not isinstance(root, Mapping):
        raise StateError("its values have no root_module", "terraform show -json > FILE")
    modules: list[Any] = [root]
    while modules:
        module = modules.pop(0)
        if not isinstance(module, Mapping):
            problems.append("child_modules: no module")
            continue
        children, resources = module.get("child_modules"), module.get("resources")
        modules[:0] = children if isinstance(children, list) else []
        for body in resources if isinstance(resources, list) else []:
            if not isinstance(body, Mapping) or not isinstance(body.get("address"), str) or not isinstance(body.get("type"), str):
                problems.append("a resource without address or type")
                continue
            if body.get("mode") != "managed":
                continue
            remark = "deposed" if "deposed_key" in body else "tainted" if body.get("tainted") is True else ""
            provider = str(body.get("provider_name", "")).rpartition("/")[2]
            yield from _managed(body["address"], body["type"], provider, body.get("values"), remark=remark, problems=problems)


# --- both ---------------------------------------------------------------------------------------------------------


def _managed(address: str, kind: str, provider: str, attributes: Any, *, remark: str, problems: list[str]) -> Iterator[Managed]:
    if not _usable(address) or not _usable(kind) or not _ADDRESS.fullmatch(address):
        problems.append("a resource whose address is no address")
        return
    if not isinstance(attributes, Mapping):
        # Before 0.12 they were a flat map of texts (attributes_flat), which a state of version 4 may still hold.
        problems.append(f"{address}: without attributes; terraform refresh writes them anew")
        return
    known = KINDS.get(kind)
    names = ("arn", "region", *known.attributes) if known else ()
    kept: dict[str, str | tuple[str, ...]] = {}
    for name in names:
        value = attributes.get(name)
        if isinstance(value, str) and _usable(value):
            kept[name] = value
        elif isinstance(value, list) and value and all(isinstance(each, str) and _usable(each) for each in value):
            kept[name] = tuple(value)
    if known and known.words and isinstance(trust := attributes.get(TRUST), str):
        kept[TRUST] = tuple(word for word in known.words if word in trust)
    yield Managed(address=address, type=kind, provider=provider, attributes=kept, remark=remark)


def _usable(text: str) -> bool:
    return 0 < len(text) <= LONGEST and text.isprintable()


def _address(module: Any, kind: Any, name: Any) -> str:
    if not (isinstance(kind, str) and kind and isinstance(name, str) and name):
        return ""
    return f"{module}.{kind}.{name}" if isinstance(module, str) and module else f"{kind}.{name}"


def _index(key: Any) -> str:
    """As HCL writes a key: a number as it is, a text quoted with its escapes."""
    if isinstance(key, bool) or not isinstance(key, (int, str)):
        return ""
    if isinstance(key, int):
        return f"[{key}]"
    quoted = key.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    return '["' + quoted.replace("${", "$${").replace("%{", "%%{") + '"]'
