"""DynamoDB: keys, indexes, capacity, recovery. Sources: DynamoDB API Reference (CreateTable), Developer Guide (quotas)."""

from __future__ import annotations

from collections.abc import Iterator

from refusals.values import At, Deployment, Problem, Resource, between, fits, needs, once, refusal
from refusals.words import TABLE_NAME

_API = "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference"
_TABLE = "AWS::DynamoDB::Table"


def _keys(of: At, kind: str) -> list[str | None]:
    return [key.at("AttributeName").text for key in of.items("KeySchema") if key.at("KeyType").value == kind]


@refusal("E9440", _TABLE, f"{_API}/API_CreateTable.html")
def keys(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """A table and its indexes have one hash key each, first, at most one range key, and names that differ.

    A local index has the table's hash key and a range key; 20 global and 5 local indexes; NonKeyAttributes with INCLUDE, and only with
    it.
    """
    table = resource.properties
    local, world = table.items("LocalSecondaryIndexes"), table.items("GlobalSecondaryIndexes")
    yield from fits(table.at("TableName"), TABLE_NAME, "table name")
    yield from once((index.at("IndexName") for index in (*local, *world)), "IndexName")
    for key, found, most in (("LocalSecondaryIndexes", local, 5), ("GlobalSecondaryIndexes", world, 20)):
        if len(found) > most:
            yield table.at(key).path, f"{len(found)} indexes; DynamoDB takes {most}"
    for each in (table, *local, *world):
        schema = each.at("KeySchema")
        if isinstance(schema.value, list) and all(key.at("KeyType").known for key in each.items("KeySchema")):
            kinds = [key.at("KeyType").value for key in each.items("KeySchema")]
            # A global index may have up to four attributes of each kind.
            most = 4 if each in world else 1
            if not 1 <= kinds.count("HASH") <= most or kinds.count("RANGE") > most or kinds != sorted(kinds):
                yield schema.path, "a HASH key first, then at most a RANGE key"
            yield from once((key.at("AttributeName") for key in each.items("KeySchema")), "AttributeName")
        yield from fits(each.at("IndexName"), TABLE_NAME, "index name")
        projection = each.at("Projection")
        listed, kind = projection.at("NonKeyAttributes"), projection.at("ProjectionType")
        if listed.there and kind.known and kind.value != "INCLUDE":
            yield listed.path, "NonKeyAttributes is for ProjectionType INCLUDE"
        if kind.value == "INCLUDE" and (not listed.there or listed.value == []):
            yield listed.path, "ProjectionType INCLUDE needs NonKeyAttributes"
    for index in local:
        if _keys(index, "HASH") != _keys(table, "HASH") or not _keys(index, "RANGE"):
            yield index.at("KeySchema").path, "a local index has the table's HASH key and a RANGE key"


@refusal("E9441", _TABLE, f"{_API}/API_CreateTable.html")
def capacity(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """Capacity is given where the table is provisioned, and nowhere else.

    BillingMode is PROVISIONED where it is not given.
    """
    table = resource.properties
    mode = table.at("BillingMode")
    if mode.there and not mode.known:
        return
    for each in (table, *table.items("GlobalSecondaryIndexes")):
        given = each.at("ProvisionedThroughput")
        if mode.value == "PAY_PER_REQUEST" and given.there:
            yield given.path, "ProvisionedThroughput with PAY_PER_REQUEST"
        if mode.value != "PAY_PER_REQUEST" and not given.there:
            yield given.path, "BillingMode PROVISIONED, also the default, needs ProvisionedThroughput"
        if mode.value != "PAY_PER_REQUEST" and each.at("OnDemandThroughput").there:
            yield each.at("OnDemandThroughput").path, "OnDemandThroughput is for PAY_PER_REQUEST"
        for name in ("ReadCapacityUnits", "WriteCapacityUnits"):
            yield from between(given.at(name), 1, 2**53)


@refusal("E9442", _TABLE, f"{_API}/API_PointInTimeRecoverySpecification.html")
def settings(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """Recovery, expiry and encryption of a table are whole.

    RecoveryPeriodInDays 1 to 35 with recovery on; AttributeName where TTL is on; a key where SSEEnabled is true.
    """
    table = resource.properties
    recovery, expiry, encryption = (
        table.at(name) for name in ("PointInTimeRecoverySpecification", "TimeToLiveSpecification", "SSESpecification")
    )
    yield from between(recovery.at("RecoveryPeriodInDays"), 1, 35)
    if (
        recovery.at("RecoveryPeriodInDays").there
        and recovery.at("PointInTimeRecoveryEnabled").known
        and not recovery.at("PointInTimeRecoveryEnabled").true
    ):
        yield recovery.at("RecoveryPeriodInDays").path, "RecoveryPeriodInDays needs PointInTimeRecoveryEnabled true"
    if expiry.at("Enabled").true and not expiry.at("AttributeName").there:
        yield expiry.path, "TimeToLiveSpecification needs AttributeName"
    if encryption.at("KMSMasterKeyId").there and encryption.at("SSEEnabled").known and not encryption.at("SSEEnabled").true:
        yield encryption.at("KMSMasterKeyId").path, "KMSMasterKeyId needs SSEEnabled true"
    yield from needs(encryption, "SSEType", "SSEEnabled")
