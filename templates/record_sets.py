"""What every record set of Route 53 in a template is judged by. In: nothing. Out: constants. Never: knows a stack, or asks Route 53."""

from __future__ import annotations

CLOUDFRONT_ZONE = "Z2FDTNDATAQYW2"
"""Hosted zone id of every distribution as an alias target (Route 53 API, AliasTarget)."""
POLICIES = ("Weight", "Region", "Failover", "GeoLocation", "GeoProximityLocation", "CidrRoutingConfig", "MultiValueAnswer")
"""Properties by which record sets of one name and type share its answers (Route 53 API, ResourceRecordSet)."""
