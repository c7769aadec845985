"""Drift of stacks: detection, and what it found in every resource."""

from __future__ import annotations

from msgspec import field

from aws.answers import Answer, read
from aws.cloudformation.connection import Connection


class DriftDetection(Answer, frozen=True, kw_only=True):
    """DescribeStackDriftDetectionStatus."""

    status: str = field(name="DetectionStatus")
    """DETECTION_IN_PROGRESS, DETECTION_FAILED or DETECTION_COMPLETE."""
    reason: str = field(name="DetectionStatusReason", default="")
    drift: str = field(name="StackDriftStatus", default="")


class PropertyDifference(Answer, frozen=True, kw_only=True):
    """One property that drifted."""

    path: str = field(name="PropertyPath", default="")
    expected: str = field(name="ExpectedValue", default="")
    actual: str = field(name="ActualValue", default="")
    kind: str = field(name="DifferenceType", default="")
    """ADD, REMOVE or NOT_EQUAL."""


class ResourceDrift(Answer, frozen=True, kw_only=True):
    """DescribeStackResourceDrifts and ListStackInstanceResourceDrifts, one resource."""

    logical_id: str = field(name="LogicalResourceId")
    physical_id: str = field(name="PhysicalResourceId", default="")
    resource_type: str
    status: str = field(name="StackResourceDriftStatus")
    differences: tuple[PropertyDifference, ...] = field(name="PropertyDifferences", default=())
    reason: str = field(name="DriftStatusReason", default="")


class Drift(Connection):
    """The drift of the stacks of one account and region."""

    def detect_drift(self, stack: str) -> str:
        """Begin to look for drift; returns the detection's id."""
        return read(self._client.detect_stack_drift(StackName=stack), str, "StackDriftDetectionId")

    def drift_detection(self, detection_id: str) -> DriftDetection:
        """How far the detection is."""
        return read(self._client.describe_stack_drift_detection_status(StackDriftDetectionId=detection_id), DriftDetection)

    def resource_drifts(self, stack: str) -> tuple[ResourceDrift, ...]:
        """What the last detection found, for every resource it could check."""
        return tuple(self._pages(self._client.describe_stack_resource_drifts, "StackResourceDrifts", ResourceDrift, StackName=stack))
