"""Our own cfn-lint rules: what cfn-lint lets pass and this platform must not.

In: a template and the regions it is deployed to. Out: findings with ids E9xxx (the range cfn-lint leaves to its users).
Never: imports cfnlint here (a cached verdict must stay cheap), never imports a stack.

One module a theme: `edge` and `code`, `cdn`, `distribution` and `headers`, `dns` and `records`, `storage`, `iam` and `authorization`,
`secrets`, `hygiene`, `certificates`, `sizes`, `monitoring`; `api` and `refusals` bring the rules of `constraints/` and `refusals/`;
`view` reads templates through intrinsic functions, `base` is the class every rule has. They also work in the plain
command: `cfn-lint --append-rules lint.rules.edge ...`.
"""

MODULES = (
    "monitoring",
    "edge",
    "cdn",
    "dns",
    "storage",
    "iam",
    "secrets",
    "hygiene",
    "certificates",
    "sizes",
    "authorization",
    "distribution",
    "headers",
    "records",
    "code",
    "api",
    "refusals",
    "relations",
)
"""Modules that define rules: first a theme each, by the first digit of its ids, then modules that share the ids of a theme."""
