"""What a reference to a key stands for, for every resource type that takes one. Sources: the services' API references."""

from __future__ import annotations

from constraints.relations import Refers, Relation

_ANY = dict.fromkeys(("AWS::KMS::Key", "AWS::KMS::ReplicaKey"), ("", "Arn", "KeyId")) | {"AWS::KMS::Alias": ("", "AliasName")}
_BY_ARN = {"AWS::KMS::Key": ("Arn",), "AWS::KMS::ReplicaKey": ("Arn",)}
_ENCRYPTION = "BucketEncryption.ServerSideEncryptionConfiguration.*.ServerSideEncryptionByDefault"
_API = "https://docs.aws.amazon.com"

RELATIONS = tuple(
    Relation(kind, at, Refers(member, kinds), f"{_API}/{source}")
    for kind, at, member, kinds, source in (
        (
            "AWS::DynamoDB::Table",
            "SSESpecification",
            "KMSMasterKeyId",
            _ANY,
            "amazondynamodb/latest/APIReference/API_SSESpecification.html",
        ),
        ("AWS::KMS::Alias", "", "TargetKeyId", _ANY, "kms/latest/APIReference/API_CreateAlias.html"),
        ("AWS::Lambda::Function", "", "KmsKeyArn", _BY_ARN, "lambda/latest/api/API_CreateFunction.html"),
        ("AWS::Logs::LogGroup", "", "KmsKeyId", _BY_ARN, "AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html"),
        ("AWS::S3::Bucket", _ENCRYPTION, "KMSMasterKeyID", _ANY, "AmazonS3/latest/API/API_ServerSideEncryptionByDefault.html"),
        ("AWS::SNS::Topic", "", "KmsMasterKeyId", _ANY, "sns/latest/api/API_CreateTopic.html"),
        ("AWS::SecretsManager::Secret", "", "KmsKeyId", _ANY, "secretsmanager/latest/apireference/API_CreateSecret.html"),
    )
)
