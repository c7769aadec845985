"""The floor of a build: the same templates of one environment, without files, lint, manifest or command line."""

from __future__ import annotations

import json

from environments.model import Artifacts, BasicAuth, Certificate, Environment, GitHub, HostedZone
from stacks.catalogue import entries

ENVIRONMENT = Environment(
    name="dev",
    project="kimmyai-web",
    cost_centre="bbws",
    account_id="111111111111",
    home_region="eu-west-1",
    domain="dev.kimmyai.io",
    bucket="dev-kimmyai-web-public",
    price_class="PriceClass_100",
    hosted_zone=HostedZone(name="kimmyai.io"),
    certificate=Certificate(domain_name="kimmyai.io", subject_alternative_names=("*.kimmyai.io",)),
    basic_auth=BasicAuth(),
    artifacts=Artifacts(bucket="bbws-dev-web-artifacts", lock_table="bbws-web-locks-dev"),
    github=GitHub(repository="ORGANISATION/REPOSITORY"),
)

for entry in entries(ENVIRONMENT):
    json.dumps(entry.build(ENVIRONMENT).to_dict(), sort_keys=True, indent=1)
