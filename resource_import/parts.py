"""The private parts of MiniStack that imports and Cloud Control lean on, beside those that the emulator names (`emulator/seams.py`).

In: nothing. Out: `PARTS`, held against the installed MiniStack at each start.
Never: changes MiniStack.
"""

from __future__ import annotations

from collections.abc import Mapping

_FORMATION = "ministack.services.cloudformation"

PARTS: Mapping[str, tuple[str, ...]] = {
    f"{_FORMATION}.changesets": (
        "_IMPORT_LOOKUPS",
        "_add_event",
        "_existing_resources(changes, template)",
        "_find_change_set(cs_name, stack_name)",
        "_import_change(entry)",
        "_import_changes(resources_to_import, template, diff)",
        "_import_owner(resources_to_import)",
        "_import_resources_async(cs, stack, new_stack)",
    ),
    f"{_FORMATION}.drift": ("DRIFT_DETECTABLE_STATUSES", "_DRIFT_READERS", "_read_iam_role(physical_id, props)"),
    f"{_FORMATION}.engine": (
        "_evaluate_conditions(template, params)",
        "_parse_template(template_body)",
        "_resolve_refs(value, resources, params, conditions, mappings, stack_name, stack_id)",
    ),
    f"{_FORMATION}.handlers": ("_ACTION_HANDLERS", "_resolve_stack(stack_name)"),
    f"{_FORMATION}.provisioners": ("_RESOURCE_HANDLERS", "s3_bucket_name_conflict(name)", "_r53_resolve_hosted_zone_id(props)"),
    f"{_FORMATION}.stacks": ("_IMPORT_TAGS", "_IMPORT_UNTAG", "_add_event"),
    "ministack.services.acm": ("_certificates",),
    "ministack.services.cloudfront": (
        "_CFN_DISTRIBUTION_CONFIG_RENAMES",
        "_api_shape(name)",
        "_build_cache_policy_config_xml(parent, cfg)",
        "_build_rhp_config_xml(parent, cfg)",
        "_cache_policies",
        "_distributions",
        "_functions",
        "_oacs",
        "_response_headers_policies",
        "_strip_namespace",
        "_tags",
        "fromstring",
    ),
    "ministack.services.cloudwatch": ("_alarms", "_composite_alarms", "_dashboards", "_resource_tags"),
    "ministack.services.cloudwatch_logs": ("_deliveries", "_delivery_destinations", "_delivery_sources", "_log_groups"),
    "ministack.services.dynamodb": ("_tags",),
    "ministack.services.iam": ("_oidc_providers", "_policies", "_roles"),
    "ministack.services.lambda_svc": ("_functions",),
    "ministack.services.route53": ("_health_checks", "_records", "_zones"),
    "ministack.services.s3": ("_bucket_encryption", "_bucket_policies", "_bucket_tags", "_bucket_websites", "_buckets"),
    "ministack.services.secretsmanager": ("_secrets",),
    "ministack.services.sns": ("_topics",),
    "ministack.services.waf": ("_waf_tags", "web_acl_record(uid, scope)"),
}
"""As in `emulator.seams`."""
