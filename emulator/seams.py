"""The private parts of MiniStack that the plug-ins lean on, named in one place and checked before use.

In: the imported `ministack` package. Out: nothing, or `SeamsMoved` with every part that is not where it was.
Never: changes MiniStack.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping

VERSION = "1.5.33"

_PARTS: dict[str, tuple[str, ...]] = {
    "ministack.app": (
        "app",
        "SERVICE_HANDLERS",
        "_build_persistence_save_dict",
        "save_all",
        "pin_request_origin(source_ip, secure_transport)",
        "_routing_params(method, path, headers, body, query_params)",
        "_handle_pre_body_request(method, path, headers, query_params, request_id)",
        "_handle_post_body_shortcuts(method, path, headers, body, query_params, request_id)",
        "_handle_special_data_plane_request",
        "_handle_cloudfront_dataplane_request",
    ),
    "ministack.core.router": ("detect_service(method, path, headers, query_params)",),
    "ministack.services.cognito": ("_decode_id_token_unverified(id_token)",),
    "ministack.core.sigv4": (
        "parse_header_signature(headers)",
        "parse_query_signature(query_params)",
        "header_signing_documents",
        "calculate_signature(secret, date_stamp, region, service, string_to_sign)",
        "request_time_failure",
        "presigned_request_is_expired",
        "decode_header_value(value)",
    ),
    "ministack.core.iam_actions": (
        "extract_iam_action(service, method, path, headers, body, query_params)",
        "extract_resource_arn(service, method, path, headers, body, query_params, region, account_id)",
    ),
    "ministack.core.iam_evaluator": (
        "AuthError",
        "CredentialResolutionError",
        "find_iam_access_key_account(access_key_id)",
        "is_root_access_key(access_key_id)",
        "resolve_credential(access_key_id, account_id, session_token)",
        "enforce(access_key_id, iam_action, service, region, resource_arn, service_context)",
        "pin_request_origin(source_ip, secure_transport)",
        "EvalContext",
        "evaluate(ctx, policies, limits)",
        "_first_match(ctx, stmts, effect)",
        "_gather_role_policies(role_name, account_id)",
        "_gather_user_policies(user_name, account_id)",
        "_permissions_boundary(store, name, account_id)",
    ),
    "ministack.core.persistence": ("save_all", "PERSIST_STATE", "STATE_DIR", "_state_format_version(service)", "_json_default(obj)"),
    "ministack.core.responses": ("request_scope", "get_account_id", "get_region", "now_iso", "_account_from_sts_session(access_key_id)"),
    "ministack.services.cloudformation": ("_stacks", "_stack_events", "_change_sets"),
    "ministack.services.cloudformation.handlers": ("_ACTION_HANDLERS",),
    "ministack.services.cloudformation.helpers": (
        "_p(params, key, default)",
        "_xml(status, root_tag, inner)",
        "_error(code, message, status)",
        "_extract_members(params, prefix)",
        "_extract_string_members(params, prefix)",
        "_resolve_template(params)",
        "_page(items, params, action, page_size)",
    ),
    "ministack.services.cloudformation.provisioners": (
        "_RESOURCE_HANDLERS",
        "_replacing_change(resource_type, old_props, new_props)",
        "_STACK_TAG_PROPERTY",
        "_physical_name",
        "_cf_distribution_config(props, caller_reference)",
        "_r53_record_set_create(logical_id, props, stack_name)",
        "_r53_record_set_delete(physical_id, props)",
        "_r53_record_set_update(physical_id, old_props, new_props, stack_name)",
        "_lambda_create(logical_id, props, stack_name)",
        *(f"_cf_function_{done}" for done in ("create", "update", "delete")),
        "_r53_resolve_hosted_zone_id(props)",
        "_lambda_version_create(logical_id, props, stack_name)",
    ),
    "ministack.services.cloudformation.stacks": (
        "_delete_resource(resource_type, physical_id, props, stack_name, logical_id)",
        "_replacing_change(resource_type, old_props, new_props)",
        "_runs_on_worker_thread(resource_type)",
        "_update_resource",
        "_add_event(stack_id, stack_name, logical_id, resource_type, status, reason, physical_id, detailed_status)",
    ),
    "ministack.services.lambda_svc": (
        "_functions",
        "_delete_function(name, query_params, path_qualifier)",
        "_qualifier_from_path_or_query",
    ),
    "ministack.services.acm": ("_certificates", "_delete_certificate(data)"),
    "ministack.services.s3": (
        "_bucket_tags",
        "_buckets",
        "_object_versions",
        "_put_bucket_ownership_controls(name, body)",
    ),
    "ministack.services.route53": (
        "_health_checks",
        "_hc_caller_refs",
        "_records",
        "_zones",
        "_lock",
        "_error_response",
        "_change_resource_record_sets(zone_id, body)",
    ),
    "ministack.services.sts": ("_web_identity_principal(token, provider_id, role_arn)",),
    "ministack.services.iam": (
        "_oidc_providers",
        "_roles",
        "_users",
        "_policies",
        "_IAM_HANDLERS",
        "_create_oidc_provider(p)",
        "_error",
        "_xml",
    ),
    "ministack.services.cloudfront": (
        "_distributions",
        "_functions",
        "_oacs",
        "_response_headers_policies",
        "_cache_policies",
        "_create_distribution(headers, body)",
        "_update_distribution(dist_id, headers, body)",
        "_create_invalidation(dist_id, body)",
        "_cf_delete_function(name, headers)",
        "_unwrap_distribution_create_xml(root_el)",
        "_parse_body(body)",
        "_find(el, tag)",
        "_text(el, tag, default)",
        "_error(code, message, status)",
    ),
    "ministack.services.cloudwatch": (
        "_alarms",
        "_composite_alarms",
        "_dashboards",
        "_put_composite_alarm(params, cbor_data, is_cbor, is_json)",
    ),
    "ministack.services.cloudwatch_logs": (
        "_put_delivery_source(data)",
        "_delete_delivery_source(data)",
        "_put_delivery_destination(data)",
        "_delete_delivery_destination(data)",
        "_create_delivery(data)",
        "_delete_delivery(data)",
        "_deliveries",
        "_delivery_sources",
        "_delivery_destinations",
        "_log_groups",
    ),
    "ministack.services.dynamodb": ("_tables",),
    "ministack.services.sns": ("_topics",),
    "ministack.services.account": ("_DISPATCH", "_OPT_IN_REQUIRED", "_REGIONS_LIST", "_json(status, body)"),
    "ministack.services.waf": ("_web_acls", "_values_for_scope(store, scope)"),
    "ministack.services.organizations": ("_DISPATCH", "_accounts", "_ous", "_roots"),
}
"""Module -> names in it; a name with an argument list must be a function with exactly these parameters."""


class SeamsMoved(Exception):
    """This MiniStack is not built as the plug-ins expect."""


def check(parts: Mapping[str, tuple[str, ...]] = _PARTS) -> None:
    """Raise `SeamsMoved` with everything that has moved; `parts`: of another room."""
    problems = [problem for module, names in parts.items() for problem in _module_problems(module, names)]
    if problems:
        raise SeamsMoved(f"the plug-ins were written for MiniStack {VERSION}; in this one:\n" + "\n".join(problems))


def _module_problems(module_name: str, names: tuple[str, ...]) -> list[str]:
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        return [f"  {module_name} cannot be imported: {error}"]
    problems = []
    for name in names:
        bare, _, arguments = name.partition("(")
        found = getattr(module, bare, None)
        if found is None and not hasattr(module, bare):
            problems.append(f"  {module_name}.{bare} is gone")
        elif arguments and [*inspect.signature(found).parameters] != arguments.rstrip(")").split(", "):  # type: ignore[arg-type]
            problems.append(f"  {module_name}.{bare} now takes {inspect.signature(found)}")  # type: ignore[arg-type]
    return problems
