// An app of the same size as one environment of ours, for timing `cdk synth` only: seven stacks, 42 resources of the same types.
import * as cdk from "aws-cdk-lib";
import { CfnAlarm, CfnDashboard } from "aws-cdk-lib/aws-cloudwatch";
import { CfnBucket, CfnBucketPolicy } from "aws-cdk-lib/aws-s3";
import { CfnRole, CfnManagedPolicy } from "aws-cdk-lib/aws-iam";
import { CfnTable } from "aws-cdk-lib/aws-dynamodb";
import { CfnRecordSet, CfnHealthCheck } from "aws-cdk-lib/aws-route53";
import { CfnDistribution, CfnOriginAccessControl, CfnResponseHeadersPolicy } from "aws-cdk-lib/aws-cloudfront";
import { CfnTopic } from "aws-cdk-lib/aws-sns";
import { CfnLogGroup } from "aws-cdk-lib/aws-logs";

const app = new cdk.App({ analyticsReporting: false });
const stack = (name: string) => new cdk.Stack(app, name, { env: { account: "111111111111", region: "eu-west-1" } });
const trust = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }] };
const bucket = (scope: cdk.Stack, id: string) => {
  const made = new CfnBucket(scope, id, { versioningConfiguration: { status: "Enabled" } });
  new CfnBucketPolicy(scope, id + "Policy", { bucket: made.ref, policyDocument: trust });
  return made;
};

const foundation = stack("foundation");
bucket(foundation, "Artifacts");
new CfnTable(foundation, "Lock", { keySchema: [{ attributeName: "LockID", keyType: "HASH" }], attributeDefinitions: [{ attributeName: "LockID", attributeType: "S" }], billingMode: "PAY_PER_REQUEST" });
for (let i = 0; i < 5; i++) new CfnRole(foundation, "Role" + i, { assumeRolePolicyDocument: trust });
for (let i = 0; i < 2; i++) new CfnManagedPolicy(foundation, "Policy" + i, { policyDocument: trust });
const certificate = stack("certificate");
new CfnTopic(certificate, "Certificate", {});
const logs = stack("edge-logs");
new CfnLogGroup(logs, "Logs", { retentionInDays: 30 });
const edge = stack("edge");
for (let i = 0; i < 3; i++) new CfnRole(edge, "Role" + i, { assumeRolePolicyDocument: trust });
const site = stack("site");
const content = bucket(site, "Site");
const access = new CfnOriginAccessControl(site, "Access", { originAccessControlConfig: { name: "a", originAccessControlOriginType: "s3", signingBehavior: "always", signingProtocol: "sigv4" } });
const headers = new CfnResponseHeadersPolicy(site, "Headers", { responseHeadersPolicyConfig: { name: "h" } });
new CfnDistribution(site, "Distribution", { distributionConfig: { enabled: true, origins: [{ id: "s3", domainName: content.attrRegionalDomainName, originAccessControlId: access.attrId, s3OriginConfig: { originAccessIdentity: "" } }], defaultCacheBehavior: { targetOriginId: "s3", viewerProtocolPolicy: "redirect-to-https", cachePolicyId: "658327ea-f89d-4fab-a63d-7e88639e58f6", responseHeadersPolicyId: headers.ref } } });
new CfnTopic(site, "Extra", {});
const dns = stack("dns");
for (const type of ["A", "AAAA", "HTTPS"]) new CfnRecordSet(dns, type, { name: "dev.kimmyai.io", type, hostedZoneId: "Z123456" });
new CfnHealthCheck(dns, "Health", { healthCheckConfig: { type: "HTTPS" } });
const monitoring = stack("monitoring");
bucket(monitoring, "AccessLogs");
for (let i = 0; i < 8; i++) new CfnAlarm(monitoring, "Alarm" + i, { comparisonOperator: "GreaterThanThreshold", evaluationPeriods: 1, metricName: "m", namespace: "n", period: 60, statistic: "Sum", threshold: 1 });
new CfnDashboard(monitoring, "Dashboard", { dashboardBody: "{}" });
for (let i = 0; i < 5; i++) new CfnTopic(monitoring, "Topic" + i, {});
