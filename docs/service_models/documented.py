"""Constraints of one property that the API references and quotas document and no service model holds.

In: nothing. Out: `DOCUMENTED`, type -> property -> constraints and their source; they go into the table with those of the models.
Quotas that can be raised on request are the default ones: a template that needs more is refused until it says so (a suppression with its
reason).
"""

from __future__ import annotations

import re
from typing import Any

_API = "CloudFront API reference"
_QUOTAS = "CloudFront Developer Guide, Quotas"
_SETTINGS = "CloudFront Developer Guide, All distribution settings reference"
_LAMBDA = "Lambda API reference"
_LAMBDA_QUOTAS = "Lambda Developer Guide, Quotas"
_WAF = "AWS WAF API reference"

_ERROR_CODES = ("400", "403", "404", "405", "414", "416", "500", "501", "502", "503", "504")
_COUNTRIES = re.findall(
    "[A-Z]{2}",
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF "
    "CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH "
    "GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW "
    "KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG "
    "NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN "
    "SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE "
    "YT ZA ZM ZW ",
)
"""ISO 3166-1 alpha-2, and XK."""
_HOST = r"(?!.*\.\.)(?!-)[A-Za-z0-9._-]+(?<![.-])"
"""A name without scheme, port and path."""
_NOT_AN_ADDRESS = r"(?![0-9.]+$)"
_ALIAS = r"(\*\.)?([A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])"
_FIELD_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_WEB_ACL = r"|arn:aws:wafv2:us-east-1:[0-9]{12}:global/webacl/[A-Za-z0-9_-]+/[A-Za-z0-9-]+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_POLICY_NAME = {"pattern": "[A-Za-z0-9_-]+", "maxLength": 128}
_COMMENT = {"maxLength": 128}
_PORT = {"pattern": "80|443|102[4-9]|10[3-9][0-9]|1[1-9][0-9]{2}|[2-9][0-9]{3}|[0-9]{5}", "maximum": 65535}
_UUID = r"|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_TTL = {"minimum": 0, "maximum": 31536000}

_Documented = dict[str, tuple[dict[str, Any], str]]

_OF_A_BEHAVIOUR: _Documented = {
    "LambdaFunctionAssociations": ({"maxItems": 4}, _SETTINGS),
    "FunctionAssociations": ({"maxItems": 2}, _SETTINGS),
    **{f"{name}PolicyId": ({"pattern": _UUID}, _API) for name in ("Cache", "OriginRequest", "ResponseHeaders")},
    "TrustedKeyGroups": ({"maxItems": 4}, _QUOTAS),
    "MinTTL": ({"minimum": 0}, _API),
    "DefaultTTL": ({"minimum": 0}, _API),
    "MaxTTL": ({"minimum": 0}, _API),
}
_BEHAVIOUR: _Documented = {
    f"{kind}.{name}": constraint for kind in ("CacheBehavior", "DefaultCacheBehavior") for name, constraint in _OF_A_BEHAVIOUR.items()
}

_DISTRIBUTION: _Documented = {
    **_BEHAVIOUR,
    "CacheBehavior.PathPattern": ({"minLength": 1, "maxLength": 255, "pattern": r"""[A-Za-z0-9_.*$/~"'@:+&?-]*"""}, _SETTINGS),
    "Cookies.WhitelistedNames": ({"maxItems": 10}, _QUOTAS),
    "CustomErrorResponse.ErrorCode": ({"enum": list(_ERROR_CODES)}, _API),
    "CustomErrorResponse.ErrorCachingMinTTL": ({"minimum": 0}, _API),
    "CustomErrorResponse.ResponseCode": ({"enum": ["200", *_ERROR_CODES]}, _API),
    "CustomErrorResponse.ResponsePagePath": ({"pattern": "|/.*", "maxLength": 255}, _API),
    "CustomOriginConfig.HTTPPort": (_PORT, _SETTINGS),
    "CustomOriginConfig.HTTPSPort": (_PORT, _SETTINGS),
    "CustomOriginConfig.OriginKeepaliveTimeout": ({"minimum": 1, "maximum": 120}, _API),
    "CustomOriginConfig.OriginReadTimeout": ({"minimum": 1, "maximum": 120}, _API),
    "DistributionConfig.Aliases": ({"maxItems": 100}, _QUOTAS),
    "DistributionConfig.Aliases.*": ({"pattern": _ALIAS, "maxLength": 253}, _API),
    "DistributionConfig.CacheBehaviors": ({"maxItems": 74}, f"{_QUOTAS}: 75 with the default one"),
    "DistributionConfig.Comment": (_COMMENT, _API),
    "DistributionConfig.DefaultRootObject": ({"maxLength": 255, "pattern": r"""[A-Za-z0-9_.*$/~"'&-]*"""}, _SETTINGS),
    "DistributionConfig.Origins": ({"minItems": 1, "maxItems": 100}, _QUOTAS),
    "DistributionConfig.WebACLId": ({"pattern": _WEB_ACL}, _API),
    "ForwardedValues.Headers": ({"maxItems": 10}, _QUOTAS),
    "ForwardedValues.QueryStringCacheKeys": ({"maxItems": 10}, _QUOTAS),
    "GeoRestriction.Locations.*": ({"enum": _COUNTRIES}, _API),
    "Logging.Bucket": ({"pattern": r"|[a-z0-9][a-z0-9.-]+\.s3([.-][a-z0-9.-]+)?\.amazonaws\.com(\.cn)?"}, _API),
    "Logging.Prefix": ({"pattern": "(?!/).*", "maxLength": 256}, _SETTINGS),
    "Origin.ConnectionAttempts": ({"minimum": 1, "maximum": 3}, _API),
    "Origin.ConnectionTimeout": ({"minimum": 1, "maximum": 10}, _API),
    "Origin.DomainName": ({"pattern": _NOT_AN_ADDRESS + _HOST, "minLength": 1, "maxLength": 255}, _SETTINGS),
    "Origin.Id": ({"minLength": 1, "maxLength": 128}, _SETTINGS),
    "Origin.OriginCustomHeaders": ({"maxItems": 30}, _QUOTAS),
    "Origin.OriginPath": ({"pattern": "|/.*[^/]", "maxLength": 255}, _API),
    "OriginCustomHeader.HeaderName": ({"pattern": _FIELD_NAME, "maxLength": 256}, _QUOTAS),
    "OriginCustomHeader.HeaderValue": ({"pattern": "[^\r\n]*", "maxLength": 1783}, _QUOTAS),
    "OriginGroupMembers.Items": ({"minItems": 2, "maxItems": 2}, _API),
    "OriginGroups.Items": ({"maxItems": 10}, _QUOTAS),
    "S3OriginConfig.OriginAccessIdentity": ({"pattern": "|origin-access-identity/cloudfront/[A-Z0-9]+"}, _API),
    "S3OriginConfig.OriginReadTimeout": ({"minimum": 1, "maximum": 120}, _API),
    "StatusCodes.Items.*": ({"enum": ["400", "403", "404", "416", "429", "500", "502", "503", "504"]}, _API),
    "Tags": ({"maxItems": 50}, _QUOTAS),
    "VpcOriginConfig.OriginKeepaliveTimeout": ({"minimum": 1, "maximum": 120}, _API),
    "VpcOriginConfig.OriginReadTimeout": ({"minimum": 1, "maximum": 120}, _API),
}

_HEADERS: _Documented = {
    "CustomHeader.Header": ({"pattern": _FIELD_NAME, "maxLength": 256}, _QUOTAS),
    "CustomHeader.Value": ({"pattern": "[^\r\n]*"}, _API),
    "CustomHeadersConfig.Items": ({"maxItems": 10}, _QUOTAS),
    "RemoveHeadersConfig.Items": ({"maxItems": 10}, _QUOTAS),
    "AccessControlAllowHeaders.Items.*": ({"pattern": _FIELD_NAME}, _API),
    "AccessControlAllowOrigins.Items.*": ({"pattern": r"\*|([a-z][a-z0-9+.-]*://)?[^/\s:]+(:([0-9]+|\*))?", "minLength": 1}, _API),
    "AccessControlExposeHeaders.Items.*": ({"pattern": _FIELD_NAME}, _API),
    "CorsConfig.AccessControlMaxAgeSec": ({"minimum": 0}, _API),
    "ResponseHeadersPolicyConfig.Name": (_POLICY_NAME, _API),
    "ResponseHeadersPolicyConfig.Comment": (_COMMENT, _API),
    "ServerTimingHeadersConfig.SamplingRate": ({"minimum": 0, "maximum": 100}, _API),
    "StrictTransportSecurity.AccessControlMaxAgeSec": ({"minimum": 0, "maximum": 2147483647}, _API),
    "XSSProtection.ReportUri": ({"pattern": r"\S+"}, _API),
    "ContentSecurityPolicy.ContentSecurityPolicy": ({"pattern": "[^\r\n]+"}, _API),
}

DOCUMENTED: dict[str, _Documented] = {
    "AWS::CloudFront::Distribution": _DISTRIBUTION,
    "AWS::CloudFront::ResponseHeadersPolicy": _HEADERS,
    "AWS::CloudFront::CachePolicy": {
        "CachePolicyConfig.Comment": (_COMMENT, _API),
        "CachePolicyConfig.Name": (_POLICY_NAME, _API),
        "CachePolicyConfig.MinTTL": (_TTL, _API),
        "CachePolicyConfig.DefaultTTL": (_TTL, _API),
        "CachePolicyConfig.MaxTTL": (_TTL, _API),
        "CookiesConfig.Cookies": ({"maxItems": 10}, _QUOTAS),
        "HeadersConfig.Headers": ({"maxItems": 10}, _QUOTAS),
        "HeadersConfig.Headers.*": ({"pattern": _FIELD_NAME}, _API),
        "QueryStringsConfig.QueryStrings": ({"maxItems": 10}, _QUOTAS),
    },
    "AWS::CloudFront::OriginRequestPolicy": {
        "OriginRequestPolicyConfig.Comment": (_COMMENT, _API),
        "OriginRequestPolicyConfig.Name": (_POLICY_NAME, _API),
        "CookiesConfig.Cookies": ({"maxItems": 10}, _QUOTAS),
        "HeadersConfig.Headers": ({"maxItems": 10}, _QUOTAS),
        "HeadersConfig.Headers.*": ({"pattern": _FIELD_NAME}, _API),
        "QueryStringsConfig.QueryStrings": ({"maxItems": 10}, _QUOTAS),
    },
    "AWS::CloudFront::Function": {
        "FunctionConfig.Comment": (_COMMENT, _API),
        "FunctionConfig.Runtime": ({"enum": ["cloudfront-js-1.0", "cloudfront-js-2.0"]}, _API),
        "FunctionConfig.KeyValueStoreAssociations": ({"maxItems": 1}, _QUOTAS),
    },
    "AWS::CloudFront::OriginAccessControl": {
        "OriginAccessControlConfig.Name": ({"minLength": 1, "maxLength": 64}, _API),
        "OriginAccessControlConfig.Description": ({"maxLength": 256}, _API),
    },
    "AWS::CloudFront::KeyGroup": {
        "KeyGroupConfig.Items": ({"minItems": 1, "maxItems": 5}, _QUOTAS),
        "KeyGroupConfig.Name": (_POLICY_NAME, _API),
        "KeyGroupConfig.Comment": (_COMMENT, _API),
    },
    "AWS::CloudFront::PublicKey": {
        "PublicKeyConfig.EncodedKey": ({"pattern": r"-----BEGIN PUBLIC KEY-----[A-Za-z0-9+/=\s]+-----END PUBLIC KEY-----\s*"}, _API),
        "PublicKeyConfig.Name": (_POLICY_NAME, _API),
        "PublicKeyConfig.Comment": (_COMMENT, _API),
    },
    "AWS::CloudFront::KeyValueStore": {"Comment": (_COMMENT, _API)},
    "AWS::CloudFront::RealtimeLogConfig": {
        "SamplingRate": ({"minimum": 1, "maximum": 100}, _API),
        "EndPoints": ({"minItems": 1, "maxItems": 1}, _API),
        "EndPoint.StreamType": ({"enum": ["Kinesis"]}, _API),
        "Fields": ({"minItems": 1}, _API),
    },
    "AWS::Lambda::Function": {
        "FunctionName": ({"pattern": "[A-Za-z0-9_-]+", "minLength": 1, "maxLength": 64}, f"{_LAMBDA}; CloudFormation takes the bare name"),
        "MemorySize": ({"minimum": 128, "maximum": 10240}, _LAMBDA),
        "Timeout": ({"minimum": 1, "maximum": 900}, _LAMBDA),
        "Layers": ({"maxItems": 5}, _LAMBDA_QUOTAS),
        "Architectures": ({"minItems": 1, "maxItems": 1}, _LAMBDA),
        "FileSystemConfigs": ({"maxItems": 1}, _LAMBDA),
        "ReservedConcurrentExecutions": ({"minimum": 0}, _LAMBDA),
        "Tags": ({"maxItems": 50}, _LAMBDA),
        "Description": ({"maxLength": 256}, _LAMBDA),
        "Handler": ({"maxLength": 128}, _LAMBDA),
        "Code.ZipFile": ({"maxLength": 4194304}, _LAMBDA_QUOTAS),
    },
    "AWS::Lambda::Version": {"Description": ({"maxLength": 256}, _LAMBDA)},
    "AWS::Lambda::Alias": {
        "Description": ({"maxLength": 256}, _LAMBDA),
        "AliasRoutingConfiguration.AdditionalVersionWeights": ({"maxItems": 1}, _LAMBDA),
    },
    "AWS::Lambda::Url": {
        "Cors.MaxAge": ({"minimum": 0, "maximum": 86400}, _LAMBDA),
        "Cors.AllowMethods.*": ({"enum": ["*", "DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"]}, _LAMBDA),
    },
    "AWS::WAFv2::LoggingConfiguration": {
        "LogDestinationConfigs.*": ({"pattern": r"arn:.*[:/]aws-waf-logs-.*"}, _WAF),
        "LogDestinationConfigs": ({"minItems": 1, "maxItems": 1}, _WAF),
    },
    "AWS::WAFv2::IPSet": {"Addresses.*": ({"pattern": r"[0-9a-fA-F:.]+/[0-9]{1,3}"}, _WAF)},
}
