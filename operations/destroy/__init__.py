"""Destroying an environment: what goes, what stays, and doing it so that a second run goes on where the first was cut off.

In: an assembly with its templates, the gateways, what the user allowed.
Out: a `DestroyPlan` to be shown and confirmed, then a `DestroyOutcome`.
Never: asks or prints, deletes data unless told to, lifts termination protection unless told to, deletes a bucket or table that no stack of
this environment is known to have made, believes a file about how far it got (AWS is asked every time).

What a deleted stack kept on purpose is known from its own DELETE_SKIPPED events, which CloudFormation keeps for 90 days.
"""
