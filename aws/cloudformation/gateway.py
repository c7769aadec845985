"""CloudFormation in one account and region: the calls of every subject in one value.

In: a boto3 client of `aws.session` (which raises `aws.errors` only), and the sleep to wait with.
Out: values with CloudFormation's own names and words, every page of them. "Nothing to change" and "not there" are values, not errors.
Never: judges a change (that is `changes/change_set.py`), prints, keeps state, or hands on a NoEcho value: where CloudFormation shows one,
the text is `REDACTED`.
"""

from __future__ import annotations

from aws.cloudformation.change_sets import ChangeSets
from aws.cloudformation.drift import Drift
from aws.cloudformation.stack_sets import StackSets
from aws.cloudformation.validations import Validations


class CloudFormation(ChangeSets, Validations, Drift, StackSets):
    """All of it: a plan, a rollout or a destruction asks several subjects about one stack, so that they take one gateway."""
