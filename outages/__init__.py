"""What of the local AWS is out of order at the moment, by the wish of a person or a test.

In: `outages.json` in the server's directory, written by whoever owns it.
Out: calls that are refused, dropped or never answered; resources of stacks that fail; replicas that come late or never.
Never: switched by a request (a product that is tested cannot reach the switches), and nothing of it is left when the file is empty.
"""

from __future__ import annotations

from pathlib import Path

PARTS = {
    "ministack.services.s3": (
        "_object_tags",
        "_bucket_replication",
        "_bucket_versioning",
        "_bucket_owner_account(name)",
        "_in_account(account_id)",
        "_maybe_replicate(bucket_name, key, obj, data, tags)",
        "_maybe_replicate_delete_marker(bucket_name, key)",
        "_copy_object(bucket_name, dest_key, headers)",
        "_persist_object(bucket, key, obj)",
        "_record_delete_marker(bucket_name, key, prior_obj)",
        "_record_object_version(bucket_name, key, prior_obj, obj, data)",
        "_replication_destination(bucket_name, key, rule, role)",
        "_replication_rule_for(bucket_name, key, tags)",
        "_replication_rule_tags(rule)",
    ),
    "ministack.services.cloudwatch": ("_metrics", "_dims_key"),
}


def install(directory: Path) -> None:
    """Stand before every service and resource type; after every other plug-in. `SeamsMoved` if MiniStack is another one."""
    from emulator import seams

    seams.check(PARTS)
    from outages import answers, replication, resources
    from outages.store import Current

    current = Current(directory)
    replication.install()
    answers.install(current)
    resources.install(current)
