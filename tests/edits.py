"""Edits of an environment file, generated from the model: for every key the values that it may have, and edits from one to another.

In: the type `Environment`. Out: values by key, random edits, and the environment that the edited file describes, or the reason why not.
Never: talks to AWS. A key of the model for which there is no second value makes `values_of_every_key` fail.
"""

from __future__ import annotations

import copy
import json
import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from environments.loader import load
from environments.model import Environment
from environments.problems import EnvironmentProblems
from tests.environments_fixture import FAILOVER

Key = tuple[str, ...]
Values = dict[str, Any]
ABSENT = "(absent)"
"""The key is not in the file."""

NAME = "dev"
FIXED = frozenset({("name",)})
"""Not keys of a file."""

STANDBY = FAILOVER["failover"]
OTHER_STANDBY = {"dns_name": "dualstack.other-1234567890.eu-west-1.elb.amazonaws.com", "hosted_zone_id": "Z32O12XQLNTSW2"}
RECOVERY = {"region": "eu-west-2", "bucket": "{bucket}-replica"}

BY_HAND: Mapping[Key, tuple[Any, ...]] = {
    ("project",): ("kimmyai-web", "other-web"),
    ("cost_centre",): ("bbws", "ops"),
    ("tags",): ({}, {"Team": "web"}, {"Team": "ops", "Site": "buy"}),
    ("account_id",): ("{account}", "999999999998"),
    ("home_region",): ("eu-west-1", "eu-central-1"),
    ("domain",): ("dev.kimmyai.io", "dev2.kimmyai.io"),
    ("bucket",): ("{bucket}", "{bucket}-two"),
    ("hosted_zone",): (
        {"name": "kimmyai.io"},
        {"name": "dev.kimmyai.io"},
        {"name": "kimmyai.io", "account_id": "444444444444", "role_arn": "arn:aws:iam::444444444444:role/zone-records"},
    ),
    ("certificate", "domain_name"): ("kimmyai.io", "dev.kimmyai.io", "*.kimmyai.io"),
    ("certificate", "subject_alternative_names"): (
        ["*.kimmyai.io"],
        ["*.kimmyai.io", "dev.kimmyai.io"],
        ["www.kimmyai.io", "*.kimmyai.io"],
    ),
    ("certificate", "region"): ("us-east-1", "eu-west-1"),
    ("certificate", "arn"): (None, "arn:aws:acm:us-east-1:{account}:certificate/0a1b2c3d-1111-2222-3333-444455556666"),
    ("app", "entry_path"): ("/buy", "/", "/shop"),
    ("app", "index_document"): ("/index.html", "/buy/index.html"),
    ("app", "health_path"): ("/healthz", "/up"),
    ("app", "config_json"): (None, {"api": "https://api.kimmyai.io"}),
    ("basic_auth", "username"): ("admin", "guest"),
    ("basic_auth", "function_suffix"): ("", "2"),
    ("basic_auth", "realm"): ("dev.kimmyai.io", "Staff"),
    ("basic_auth", "region"): ("us-east-1", "eu-west-1"),
    ("basic_auth", "log_regions"): (["us-east-1"], ["us-east-1", "eu-west-1"], ["us-east-1", "eu-west-1", "us-west-2"]),
    ("basic_auth", "log_canary_region"): ("us-east-1", "eu-west-1"),
    ("security_headers", "content_security_policy"): (
        "default-src 'self'",
        "default-src 'none'",
        {"connect-src": ["https://api.example.org"]},
    ),
    ("headers",): ({}, {"Cross-Origin-Opener-Policy": "same-origin"}),
    ("security_headers", "permissions_policy"): ("camera=()", "camera=(), usb=()"),
    ("routing", "file_extensions"): (["html", "js", "css"], ["html", "js", "css", "obj"]),
    ("redirects",): ([], [{"path": "/old", "to": "/buy", "status": 301}], [{"path": "/old/*", "to": "/new/*"}]),
    ("redirect_hosts",): ([], ["www.kimmyai.io"], ["www.dev.kimmyai.io"]),
    ("publishing", "cache_rules"): ([{"pattern": "*", "cache_control": "no-cache"}], [{"pattern": "*", "cache_control": "max-age=60"}]),
    ("publishing", "hashed_paths"): (["assets/*"], ["assets/*", "static/*"], ["/buy/assets/*"]),
    ("publishing", "promote_from"): (None, "sit"),
    ("publishing", "exclude"): ([], ["*.map"]),
    ("publishing", "allow"): ([], ["relative-base"], ["source-map:assets/*"]),
    ("artifacts", "bucket"): ("bbws-{account}", "bbws-two-{account}"),
    ("artifacts", "lock_table"): ("locks-dev", "locks-two"),
    ("github", "repository"): ("example/web", "example/site"),
    ("github", "environment"): (None, "staging"),
    ("github", "branch"): ("main", "release/live"),
    ("github", "owner_id"): (None, "12345"),
    ("github", "repository_id"): (None, "67890"),
    ("monitoring", "alarm_email"): (None, "ops@example.com"),
    ("monitoring", "error_rate_4xx_percent"): (None, 40.0),
    ("firewall",): (None, {}, {"rate": "block", "rate_limit": 100}, {"core_rules": "off", "logs": "bucket"}),
    ("disaster_recovery",): (None, RECOVERY, {**RECOVERY, "bucket": "{bucket}-second"}, {**RECOVERY, "region": "eu-west-3"}),
    ("failover",): (None, STANDBY, OTHER_STANDBY),
    ("adopt",): (
        {},
        {"origin_access_identity": "E1ABCDEF2GHIJ"},
        {"origin_access_identity": "E1ABCDEF2GHIJ", "origin": "private"},
        {"website_endpoint": {"error_document": "error.html"}},
        {"website_endpoint": {}, "origin": "private"},
        {"let_go": True},
    ),
}
"""Values of keys whose type does not tell them."""
WITH: Mapping[Key, tuple[Key, Any]] = {
    ("github", "owner_id"): (("github", "repository_id"), "67890"),
    ("github", "repository_id"): (("github", "owner_id"), "12345"),
    ("firewall", "log_retention_days"): (("firewall", "logs"), "bucket"),
    ("basic_auth", "log_canary_region"): (("basic_auth", "log_regions"), ["us-east-1", "eu-west-1"]),
}
"""Values that hold only together with one of another key, and that one."""


def values_of_every_key() -> dict[Key, tuple[Any, ...]]:
    """For each leaf of the model at least two values, most of them valid. Raises AssertionError for a key without."""
    found = {key: values for key, values in _leaves(Environment, ()) if key not in FIXED}
    missing = [".".join(key) for key, values in found.items() if len(values) < 2]
    assert not missing, f"tests/edits.py knows no second value of {', '.join(missing)}"
    return found


def _leaves(kind: type[msgspec.Struct], above: Key) -> Iterator[tuple[Key, tuple[Any, ...]]]:
    info = msgspec.inspect.type_info(kind)
    assert isinstance(info, msgspec.inspect.StructType)
    for field in info.fields:
        key = (*above, field.name)
        if key in BY_HAND:
            yield key, BY_HAND[key]
        elif isinstance(field.type, msgspec.inspect.StructType):
            yield from _leaves(field.type.cls, key)
        else:
            default = () if field.default is msgspec.NODEFAULT else (field.default,)
            yield key, _distinct((*default, *_of_type(field.type)))


def _of_type(kind: Any) -> tuple[Any, ...]:
    match kind:
        case msgspec.inspect.BoolType():
            return (True, False)
        case msgspec.inspect.LiteralType(values=values):
            return tuple(values)[:3]
        case msgspec.inspect.IntType(ge=low, le=high):
            return (low, high)
        case msgspec.inspect.FloatType(le=high):
            return (high, 5.0)
        case msgspec.inspect.Metadata(type=inner):
            return _of_type(inner)
    return ()


def of_key(key: Key) -> tuple[Any, ...]:
    """Values of a key that its type alone tells, such as the border values of a number; none for a text."""
    kind: Any = msgspec.inspect.type_info(Environment)
    for part in key:
        while isinstance(kind, msgspec.inspect.UnionType):
            kind = next(each for each in kind.types if not isinstance(each, msgspec.inspect.NoneType))
        kind = next(field.type for field in kind.fields if field.name == part)
    return _of_type(kind)


def _distinct(values: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(value for number, value in enumerate(values) if value is not None and value not in values[:number])


def base(account: str) -> Values:
    """A file like dev's, with names that are the account's alone."""
    return {key: filled(value, account) for key, value in _BASE.items()}


_BASE: Values = {
    "project": "kimmyai-web",
    "cost_centre": "bbws",
    "account_id": "{account}",
    "home_region": "eu-west-1",
    "domain": "dev.kimmyai.io",
    "bucket": "{bucket}",
    "price_class": "PriceClass_100",
    "hosted_zone": {"name": "kimmyai.io"},
    "certificate": {"domain_name": "kimmyai.io", "subject_alternative_names": ["*.kimmyai.io"]},
    "app": {"entry_path": "/buy"},
    "basic_auth": {"enabled": True, "realm": "dev.kimmyai.io", "log_regions": ["us-east-1"]},
    "artifacts": {"bucket": "bbws-{account}", "lock_table": "locks-dev"},
    "github": {"repository": "example/web"},
    "monitoring": {"error_rate_4xx_percent": 60.0},
}


_ORGANIZATION: Values = {
    "project": "kimmyai-web",
    "cost_centre": "bbws",
    "account_id": "999999999990",
    "artifacts": {"bucket": "bbws-organization", "lock_table": "locks-organization"},
}


def filled(value: Any, account: str) -> Any:
    """With the account's id, and its bucket's name, where they belong."""
    text = json.dumps(value).replace("{account}", account).replace("{bucket}", f"site-{account}")
    return json.loads(text)


def edited(values: Values, key: Key, value: Any, account: str) -> Values:
    """The file with another value of one key; None takes the key away."""
    made = copy.deepcopy(values)
    place = made
    for part in key[:-1]:
        place = place.setdefault(part, {})
    if value is None:
        place.pop(key[-1], None)
    else:
        place[key[-1]] = filled(value, account)
    return made


def described(values: Values) -> Environment | str:
    """The environment of the file; what build.py says, where it refuses it."""
    with tempfile.TemporaryDirectory() as directory:
        (Path(directory) / "common.yaml").write_text("{}\n")
        (Path(directory) / f"{NAME}.yaml").write_text(json.dumps(values))
        if values.get("foundation") == "organization":
            (Path(directory) / "organization.yaml").write_text(json.dumps({**_ORGANIZATION, "environments": [NAME]}))
        try:
            return load(Path(directory), (NAME,)).environments[NAME]
        except EnvironmentProblems as problems:
            return str(problems)


def random_edit(values: Values, account: str, dice: random.Random, *, only: Sequence[str] = ()) -> tuple[str, Values]:
    """What is edited, in words, and the file with it: most often one key, sometimes up to three at once; of all keys, or `only` these."""
    keys = {key: choice for key, choice in values_of_every_key().items() if not only or ".".join(key) in only}
    told, made = [], values
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        key = dice.choice(sorted(keys))
        value = dice.choice(keys[key])
        told.append(f"{'.'.join(key)} = {json.dumps(value)[:60]}")
        made = edited(made, key, value, account)
    return "; ".join(told), made
