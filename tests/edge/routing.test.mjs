// One table of answers, three places that give them: the source, the composed Lambda@Edge function, the composed CloudFront Function.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import * as h from "./harness.mjs";

const { configs, vectors } = JSON.parse(readFileSync(new URL("vectors.json", import.meta.url), "utf8"));
const { route } = h.nodeRequire("../../lambda/routing/route.js");

const plain = (value) => JSON.parse(JSON.stringify(value));
const uriOf = (vector) => (vector.then ? vector.uri + vector.then[0].repeat(vector.then[1]) : vector.uri);

const runtimes = Object.fromEntries(
  Object.entries(configs).map(([name, config]) => {
    const composed = h.compose({
      ...h.CONFIG,
      entry_path: config.entryPath,
      index_document: config.indexDocument,
      health_path: config.healthPath,
      domain: config.domain,
      file_extensions: config.fileExtensions.trim().split(" "),
      hashed_paths: config.hashedPaths,
      redirects: config.redirects,
      redirect_hosts: config.redirectHosts,
    });
    const crypto = h.cheapCrypto();
    const hash = h.phc(crypto.hashOf(h.PASSWORD));
    const lambda = h.loadBasicAuth(h.resolve(composed.basicAuth, { BasicAuthPasswordHash: hash }), { crypto });
    return [name, { lambda, edge: h.loadFunction(composed.viewerRequest) }];
  }),
);

test("every configuration has its vectors", () => {
  for (const name of Object.keys(configs)) {
    assert.ok(vectors.filter((vector) => vector.config === name).length >= 5, name);
  }
});

for (const vector of vectors) {
  const config = configs[vector.config];
  const uri = uriOf(vector);
  const { lambda, edge } = runtimes[vector.config];

  test(`${vector.about}: ${vector.config} ${JSON.stringify(vector.uri)}`, async () => {
    assert.deepEqual(route(uri, config), vector.answer, "source under Node.js");
    assert.deepEqual(plain(edge.route(uri, config)), vector.answer, "composed, with nothing but ECMAScript 5.1");

    const headers = { authorization: h.basic("admin", h.PASSWORD) };
    assertLambda(await lambda.handler(h.lambdaEvent({ uri, headers })), vector.answer);
    // Without Basic Auth the health path is a path like any other.
    const expected = vector.answer.action === "health" ? { action: "pass", uri } : vector.answer;
    assertFunction(plain(edge.handler(h.functionEvent({ uri }))), expected);
  });
}

function assertLambda(result, answer) {
  const statuses = { reject: "400", health: "200" };
  assert.equal(result.status, answer.status === undefined ? statuses[answer.action] : String(answer.status));
  if (answer.action === "reject") assertPage(result.body, result.headers["content-type"][0].value);
  if (answer.action === "redirect") assert.equal(result.headers.location[0].value, answer.location);
  if (answer.uri !== undefined) assert.equal(result.uri, answer.uri);
}

function assertFunction(result, answer) {
  const statuses = { reject: 400 };
  assert.equal(result.statusCode, answer.status ?? statuses[answer.action]);
  if (answer.action === "reject") assertPage(result.body.data, result.headers["content-type"].value);
  if (answer.action === "redirect") assert.equal(result.headers.location.value, answer.location);
  if (answer.uri !== undefined) assert.equal(result.uri, answer.uri);
}

// A visitor is told, and led back; nothing of what was asked for is in it.
function assertPage(page, type) {
  assert.equal(type, "text/html; charset=utf-8");
  assert.match(page, /^<!doctype html>.*<h1>This address cannot be read<\/h1>.*<a href="\/[a-z]*">Go to the start page<\/a>/);
}

test("a bare percent sign in a link comes with a page, and to HEAD without one", async () => {
  const { lambda, edge } = runtimes.app;
  const headers = { authorization: h.basic("admin", h.PASSWORD) };
  const uri = "/buy/50%off";
  assertFunction(plain(edge.handler(h.functionEvent({ uri }))), { action: "reject" });
  assertLambda(await lambda.handler(h.lambdaEvent({ uri, headers })), { action: "reject" });
  const refused = [edge.handler(h.functionEvent({ uri, method: "HEAD" })), await lambda.handler(h.lambdaEvent({ uri, headers, method: "HEAD" }))];
  assert.deepEqual(refused.map((each) => [Number(each.status ?? each.statusCode), each.body]), [[400, undefined], [400, undefined]]);
});
const QUERIES = [
  ["", "/buy"],
  ["a=1&b=%20", "/buy?a=1&b=%20"],
  ["next=//evil.example", "/buy?next=//evil.example"],
  ["a=1\r\nset-cookie: x=y", "/buy"],
  ["a=\u00e9", "/buy"],
  ["a b", "/buy"],
];

for (const [query, location] of QUERIES) {
  test(`the redirect and the query string ${JSON.stringify(query)}`, async () => {
    const { lambda, edge } = runtimes.app;
    const headers = { authorization: h.basic("admin", h.PASSWORD) };
    const fromLambda = await lambda.handler(h.lambdaEvent({ uri: "/", querystring: query, headers }));
    const fromFunction = edge.handler(h.functionEvent({ uri: "/", rawQueryString: query }));
    assert.equal(fromLambda.headers.location[0].value, location);
    assert.equal(fromFunction.headers.location.value, location);
  });
}

test("the redirect works where the raw query string is not to be had", () => {
  for (const rawQueryString of [undefined, null]) {
    const event = h.functionEvent({ uri: "/" });
    if (rawQueryString === null) event.request.rawQueryString = () => undefined;
    assert.equal(runtimes.app.edge.handler(event).headers.location.value, "/buy");
  }
});

test("generated responses of the CloudFront Function are not stored and carry HSTS and nosniff", () => {
  for (const uri of ["/", "/buy/../x"]) {
    const { headers } = runtimes.app.edge.handler(h.functionEvent({ uri }));
    assert.equal(headers["cache-control"].value, "no-store");
    assert.equal(headers["strict-transport-security"].value, "max-age=63072000; includeSubDomains");
    assert.equal(headers["x-content-type-options"].value, "nosniff");
  }
});

test("a request that passes keeps all but its path", () => {
  const event = h.functionEvent({ uri: "/buy/users" });
  const expected = { ...plain(event.request), uri: "/index.html" };
  assert.deepEqual(plain(runtimes.app.edge.handler(event)), expected);
});

test("100,000 random paths: both runtimes agree, nothing is invented, no path reaches a redirect", () => {
  const { next, below, pick } = h.random(20260714);
  const pieces = ["/", "/", "/buy", "buy", "..", ".", "%2f", "%2E", "%2e", "%5c", "\\", "%00", "%", "//", "a", "v1.2", ".js", "x.html", "?", "#", " ", "é", "\ud800", "healthz", "\u0000", "1", "/shop/", "/away/", "@evil.example", "+", ".com", "assets/"];
  const names = Object.keys(configs);
  const seen = new Map();
  for (let i = 0; i < 100_000; i++) {
    const name = pick(names);
    const config = configs[name];
    let uri = next() < 0.9 ? "/" : "";
    if (next() < 0.4) uri = config.entryPath;
    for (let n = below(6); n > 0; n--) uri += next() < 0.9 ? pick(pieces) : String.fromCharCode(below(0x180));
    const answer = route(uri, config);
    const other = runtimes[name].edge.route(uri, config);
    assert.equal(JSON.stringify(other), JSON.stringify(answer), JSON.stringify(uri));
    seen.set(answer.action, (seen.get(answer.action) ?? 0) + 1);
    const where = JSON.stringify({ uri, name, answer });
    if (answer.action === "pass") {
      assert.equal(answer.uri, uri, where);
      assert.ok(uri.startsWith("/") && !uri.startsWith("//"), where);
    } else if (answer.action === "rewrite") {
      assert.equal(answer.uri, config.indexDocument, where);
      assert.ok(config.entryPath === "/" || uri === config.entryPath || uri.startsWith(`${config.entryPath}/`), where);
      assert.ok(!/\.(js|html)$/.test(uri.replace(/%2e/gi, ".")) , where);
    } else if (answer.action === "redirect") {
      assert.ok(answer.location === config.entryPath || config.redirects.length > 0, where);
      assert.equal(new URL(answer.location, "https://example.org/").host, "example.org", where);
    } else if (answer.action === "health") {
      assert.equal(uri, config.healthPath, where);
    }
    if (answer.action !== "reject") {
      const decoded = unescape(uri);
      assert.ok(!decoded.split("/").some((segment) => segment === ".." || segment === "."), where);
      assert.ok(!/[\x00-\x1f\x7f\\]/.test(decoded), where);
    }
  }
  for (const action of ["pass", "rewrite", "redirect", "reject"]) assert.ok(seen.get(action) > 100, `${action}: ${seen.get(action)}`);
});

test("a redirect host leads to the same path of the domain, before anybody is asked for a password", async () => {
  const { lambda, edge } = runtimes.app;
  const paths = { "/": "/", "/buy/a%2Fb": "/buy/a%2Fb", "/old": "/old", "/healthz": "/healthz", "/@evil.example": "/@evil.example" };
  for (const [uri, path] of Object.entries(paths)) {
    for (const host of ["www.example.org", "WWW.example.org:443"]) {
      const fromFunction = edge.handler(h.functionEvent({ uri, rawQueryString: "a=1", host }));
      const fromLambda = await lambda.handler(h.lambdaEvent({ uri, querystring: "a=1", headers: { host } }));
      assert.equal(fromFunction.headers.location.value, `https://example.org${path}?a=1`);
      assert.equal(fromLambda.headers.location[0].value, `https://example.org${path}?a=1`);
      assert.equal(fromFunction.statusCode, 301);
      assert.equal(fromLambda.status, "301");
      assert.equal(fromLambda.headers["cache-control"][0].value, "private, max-age=3600");
    }
  }
  for (const uri of ["//evil.example", "/buy/../x"]) {
    assert.equal(edge.handler(h.functionEvent({ uri, host: "www.example.org" })).statusCode, 400, uri);
  }
});

test("a redirect of the table is for those who know the password", async () => {
  const result = await runtimes.app.lambda.handler(h.lambdaEvent({ uri: "/old" }));
  assert.equal(result.status, "401");
});
