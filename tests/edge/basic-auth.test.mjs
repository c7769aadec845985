// The published Lambda@Edge code, as the template carries it, against RFC 7617 and against guessers.

import assert from "node:assert/strict";
import { test } from "node:test";

import * as h from "./harness.mjs";

const COMPOSED = h.compose();
const CHEAP = h.cheapCrypto();
const HASH = h.phc(CHEAP.hashOf(h.PASSWORD));
const GENERATED = h.generatedPhc(h.PASSWORD);
const GOOD = h.basic("admin", h.PASSWORD);
const CHALLENGE = 'Basic realm="dev.example.org", charset="UTF-8"';

function load({ hash = HASH, composed = COMPOSED, ...options } = {}) {
  const crypto = h.cheapCrypto();
  const loaded = h.loadBasicAuth(h.resolve(composed.basicAuth, { BasicAuthPasswordHash: hash }), { crypto, ...options });
  const ask = (authorization, request = {}) =>
    loaded.handler(h.lambdaEvent({ ...request, headers: authorization === undefined ? {} : { authorization } }));
  return { ...loaded, crypto, ask, log: () => loaded.lines.map((line) => JSON.parse(line)) };
}

const FORBIDDEN = /^(connection|expect|keep-alive|proxy-.*|trailer|upgrade|x-accel-.*|x-amz-cf-.*|x-cache.*|x-edge-.*|x-forwarded-proto|x-real-ip|content-length|host|transfer-encoding|via|cdn-loop)$/;

function assertGenerated(response, status) {
  assert.equal(response.status, status);
  assert.match(response.statusDescription, /^[A-Za-z ]+$/);
  for (const [name, values] of Object.entries(response.headers)) {
    assert.equal(name, name.toLowerCase());
    assert.doesNotMatch(name, FORBIDDEN);
    assert.equal(values.length, 1);
    assert.match(values[0].value, /^[\x20-\x7e]+$/);
  }
  assert.equal(response.headers["cache-control"][0].value, "no-store");
  assert.equal(response.headers["strict-transport-security"][0].value, "max-age=63072000; includeSubDomains");
  assert.equal(response.headers["x-content-type-options"][0].value, "nosniff");
  assert.ok(JSON.stringify(response).length < 2_000);
}

function assertRefused(response, { body = true } = {}) {
  assertGenerated(response, "401");
  assert.equal(response.headers["www-authenticate"][0].value, CHALLENGE);
  assert.equal(response.body !== undefined, body);
}

function assertAdmitted(result) {
  assert.equal(result.status, undefined, JSON.stringify(result));
  assert.equal(typeof result.uri, "string");
  assert.deepEqual(Object.keys(result.headers).filter((name) => /authorization/i.test(name)), []);
}

test("size of the published code", (t) => {
  const code = h.resolve(COMPOSED.basicAuth, { BasicAuthPasswordHash: HASH });
  t.diagnostic(`Basic Auth ${Buffer.byteLength(code)} bytes, CloudFront Function ${Buffer.byteLength(COMPOSED.viewerRequest)} bytes`);
  assert.ok(Buffer.byteLength(code) <= 16_384);
  assert.ok(Buffer.byteLength(COMPOSED.viewerRequest) <= 10_240);
});

test("the template's value holds a reference where the hash belongs, and no hash", () => {
  const [, values] = COMPOSED.basicAuth["Fn::Join"];
  assert.deepEqual(values.filter((value) => typeof value !== "string"), [{ Ref: "BasicAuthPasswordHash" }]);
  assert.doesNotMatch(JSON.stringify(values), /\$scrypt\$ln=1[45],|\$hmac-sha256\$/);
});

test("nothing but node's own crypto and buffer is loaded", () => {
  assert.deepEqual(load().required, ["node:crypto", "node:buffer"]);
});

test("scrypt is asked for the cost of the hash", async () => {
  for (const ln of [14, 15]) {
    const { ask, crypto } = load({ hash: h.phc(CHEAP.hashOf(h.PASSWORD), { ln }) });
    assertAdmitted(await ask(GOOD));
    assert.equal(crypto.calls.length, 1);
    const { password, salt, length, options } = crypto.calls[0];
    assert.equal(password, h.PASSWORD);
    assert.deepEqual(salt, h.SALT);
    assert.equal(length, 32);
    assert.deepEqual({ N: options.N, r: options.r, p: options.p }, { N: 2 ** ln, r: 8, p: 1 });
    assert.ok(options.maxmem > 128 * options.N * options.r);
  }
});

test("a generated password costs no scrypt, whoever is asked and whatever is guessed", async () => {
  const { ask, crypto, log } = load({ hash: GENERATED });
  assertAdmitted(await ask(GOOD));
  assertAdmitted(await ask(GOOD, { uri: "/buy/assets/app.js" }));
  for (const header of Object.values(WRONG)) assertRefused(await ask(header));
  assertRefused(await ask(h.basic("admin", GENERATED)));
  assert.equal(crypto.calls.length, 0);
  assert.equal(log()[0].message, "credentials verified");
});

for (const method of ["GET", "POST", "OPTIONS", "PUT", "DELETE"]) {
  test(`${method} without credentials gets the challenge and a page`, async () => {
    const response = await load().ask(undefined, { method });
    assertRefused(response);
    assert.match(response.body, /^<!doctype html>/);
    assert.equal(response.headers["content-type"][0].value, "text/html; charset=utf-8");
  });
}

test("HEAD without credentials gets the challenge and no page", async () => {
  assertRefused(await load().ask(undefined, { method: "HEAD" }), { body: false });
});

for (const method of ["GET", "HEAD", "POST", "OPTIONS"]) {
  test(`${method} with credentials passes, rewritten and without its Authorization header`, async () => {
    const { ask } = load();
    for (let i = 0; i < 3; i++) {
      const result = await ask(GOOD, { method, uri: "/buy/users", querystring: "a=1" });
      assertAdmitted(result);
      assert.equal(result.uri, "/index.html");
      assert.equal(result.method, method);
      assert.equal(result.querystring, "a=1");
      assert.deepEqual(Object.keys(result.headers), ["host", "user-agent", "accept"]);
    }
  });
}

const ACCEPTED = {
  "scheme in lower case": h.basic("admin", h.PASSWORD, "basic"),
  "scheme in mixed case": h.basic("admin", h.PASSWORD, "bAsIc"),
  "two spaces": h.basic("admin", h.PASSWORD, "Basic "),
  "password in Normalization Form D": h.basic("admin", h.PASSWORD.normalize("NFD")),
};
for (const [about, header] of Object.entries(ACCEPTED)) {
  test(`admitted: ${about}`, async () => assertAdmitted(await load().ask(header)));
}

const encode = (octets) => `Basic ${Buffer.from(octets).toString("base64")}`;
const WRONG = {
  "wrong password": h.basic("admin", "wrong"),
  "wrong user": h.basic("root", h.PASSWORD),
  "both wrong": h.basic("root", "wrong"),
  "user in other case": h.basic("Admin", h.PASSWORD),
  "password cut at a colon": h.basic("admin", "open"),
  "password and more": h.basic("admin", `${h.PASSWORD} `),
  "no password": encode("admin:"),
  "no user": encode(`:${h.PASSWORD}`),
  "only a colon": encode(":"),
  "the hash as password": h.basic("admin", HASH),
  "byte order mark": encode(`\ufeffadmin:${h.PASSWORD}`),
};
const MALFORMED = {
  "no colon": encode(`admin${h.PASSWORD.replaceAll(":", "")}`),
  empty: "",
  "scheme only": "Basic",
  "scheme and space": "Basic ",
  "other scheme": GOOD.replace("Basic", "Bearer"),
  "scheme and more": GOOD.replace("Basic", "Basics"),
  "no scheme": GOOD.slice(6),
  "tab instead of space": GOOD.replace(" ", "\t"),
  "leading space": ` ${GOOD}`,
  "trailing space": `${GOOD} `,
  "two in one header": `${GOOD}, ${GOOD}`,
  "parameters after it": `${GOOD}, realm="x"`,
  "non-base64": "Basic !!!!",
  "base64 with a line break": `${GOOD.slice(0, 12)}\n${GOOD.slice(12)}`,
  "base64 without padding": GOOD.replace(/=+$/, ""),
  "base64url": `Basic ${Buffer.from("admin:\u00fb\u00ff\u00fe~~~???").toString("base64url")}`,
  "base64 with spare bits": GOOD.replace(/(.)==$/, (_, last) => `${String.fromCharCode(last.charCodeAt(0) + 1)}==`),
  "padding in the middle": "Basic YWRt=W46eA==",
  "non-UTF-8": encode([...Buffer.from("admin:"), 0xff, 0xfe]),
  "ISO 8859-1": encode(Buffer.from(`admin:${h.PASSWORD}`, "latin1")),
  "surrogates in UTF-8": encode([...Buffer.from("admin:"), 0xed, 0xa0, 0x80]),
  "NUL at the end": encode(`admin:${h.PASSWORD}\0`),
  "control character": encode(`admin:${h.PASSWORD}\x7f`),
};
const OVERSIZED = {
  oversized: encode("admin:" + "x".repeat(1_600)),
  enormous: encode("admin:" + "x".repeat(100_000)),
};
const REFUSED = [
  [WRONG, "wrong user name or password", "refused before"],
  [MALFORMED, "malformed", "malformed"],
  [OVERSIZED, "oversized", "oversized"],
];
for (const [headers, first, again] of REFUSED) {
  for (const [about, header] of Object.entries(headers)) {
    test(`refused: ${about}`, async () => {
      const { ask, log } = load();
      for (let i = 0; i < 2; i++) assertRefused(await ask(header));
      assert.deepEqual(
        log().map(({ level, message, reason }) => [level, message, reason]),
        [
          ["WARN", "credentials refused", first],
          ["WARN", "credentials refused", again],
        ],
      );
    });
  }
}

test("the longest header that the deployer lets anybody need is admitted", async () => {
  const username = "u".repeat(255);
  const password = "x".repeat(1024);
  const composed = h.compose({ ...h.CONFIG, username });
  assertAdmitted(await load({ composed, hash: h.phc(CHEAP.hashOf(password)) }).ask(h.basic(username, password)));
});

test("repeated headers are refused, also when both are right", async () => {
  const { ask } = load();
  assertRefused(await ask([GOOD, GOOD]));
  assertRefused(await ask([GOOD, h.basic("admin", "wrong")]));
  assertRefused(await ask([]));
});

const EVENTS = {
  "no event": undefined,
  "null": null,
  "no records": {},
  "empty records": { Records: [] },
  "no cf": { Records: [{}] },
  "no request": { Records: [{ cf: {} }] },
  "no headers": { Records: [{ cf: { request: { uri: "/buy", method: "GET" } } }] },
  "header that is no list": { Records: [{ cf: { request: { uri: "/buy", method: "GET", headers: { authorization: GOOD } } } }] },
  "header without value": { Records: [{ cf: { request: { uri: "/buy", method: "GET", headers: { authorization: [{}] } } } }] },
  "header that is null": { Records: [{ cf: { request: { uri: "/buy", method: "GET", headers: { authorization: [null] } } } }] },
};
for (const [about, event] of Object.entries(EVENTS)) {
  test(`an event of another shape is refused: ${about}`, async () => assertRefused(await load().handler(event)));
}

for (const [about, hash] of Object.entries({
  missing: "",
  "a placeholder": "REPLACE_ME",
  "the password itself": h.PASSWORD,
  "cut off": HASH.slice(0, -1),
  "with more behind it": `${HASH}A`,
  "of another algorithm": HASH.replace("scrypt", "argon2id"),
  "too cheap": HASH.replace("ln=14", "ln=1"),
  "too dear": HASH.replace("ln=14", "ln=20"),
  "with an empty salt": `$scrypt$ln=14,r=8,p=1$$${HASH.split("$").at(-1)}`,
  "a generated password's, cut off": GENERATED.slice(0, -1),
  "a generated password's, with more behind it": `${GENERATED}A`,
  "a generated password's, with a cost": GENERATED.replace("hmac-sha256$", "hmac-sha256$ln=14,r=8,p=1$"),
  "of another HMAC": GENERATED.replace("sha256", "sha1"),
  "scrypt without its cost": HASH.replace("ln=14,r=8,p=1$", ""),
  "with an empty hash": `${HASH.slice(0, HASH.lastIndexOf("$"))}$`,
})) {
  test(`a credential that is ${about} admits nobody, says so, and leaves the health path alone`, async () => {
    const { ask, log, crypto } = load({ hash });
    assert.equal(log().length, 1);
    assert.equal(log()[0].level, "ERROR");
    assert.match(log()[0].message, /no usable credential/);
    for (const header of [undefined, GOOD, h.basic("admin", ""), h.basic("admin", hash), h.basic("", "")]) assertRefused(await ask(header));
    assertGenerated(await ask(undefined, { uri: "/healthz" }), "200");
    assert.equal(crypto.calls.length, 0);
    assert.deepEqual([...new Set(log().slice(1).map(({ reason }) => reason))], ["no credential configured"]);
    if (hash !== "") assert.ok(!JSON.stringify(log()).includes(hash));
  });
}

test("the source as it stands in the repository admits nobody", async () => {
  const lines = [];
  const { createHandler } = h.nodeRequire("../../lambda/basic-auth/index.js");
  const config = { username: "", realm: "", entryPath: "/", indexDocument: "/index.html", healthPath: "", strictTransportSecurity: "max-age=1" };
  const handler = createHandler({ config, passwordHash: HASH, write: (line) => lines.push(line) });
  assert.equal((await handler(h.lambdaEvent({ headers: { authorization: h.basic("", h.PASSWORD) } }))).status, "401");
  assert.match(lines[0], /no usable credential/);
});

test("the health path answers 200 and nothing else, with and without credentials", async () => {
  const { ask, log, crypto } = load();
  for (const header of [undefined, GOOD, h.basic("admin", "wrong"), "nonsense"]) {
    for (const method of ["GET", "HEAD"]) {
      const response = await ask(header, { uri: "/healthz", method });
      assertGenerated(response, "200");
      assert.equal(response.body, undefined);
      assert.deepEqual(Object.keys(response.headers), ["cache-control", "strict-transport-security", "x-content-type-options"]);
    }
  }
  assert.equal(crypto.calls.length, 0);
  assert.deepEqual(log(), []);
});

test("without a health path every path asks for credentials", async () => {
  const { ask } = load({ composed: h.compose({ ...h.CONFIG, health_path: "" }) });
  for (const uri of ["/healthz", "", "/"]) assertRefused(await ask(undefined, { uri }));
});

test("nobody learns a path's answer without credentials", async () => {
  const { ask } = load();
  for (const uri of ["/", "/buy", "/buy/../x", "/nothing", "/index.html", "/HEALTHZ", "/healthz/"]) assertRefused(await ask(undefined, { uri }));
});

test("with credentials, the other generated answers", async () => {
  const { ask } = load();
  const redirect = await ask(GOOD, { uri: "/", querystring: "a=1" });
  assertGenerated(redirect, "302");
  assert.equal(redirect.headers.location[0].value, "/buy?a=1");
  assertGenerated(await ask(GOOD, { uri: "/buy/../x" }), "400");
});

test("a page with 100 assets costs one scrypt", async () => {
  const { ask, crypto, log } = load();
  for (let i = 0; i < 100; i++) assertAdmitted(await ask(GOOD, { uri: `/buy/assets/${i}.js` }));
  assert.equal(crypto.calls.length, 1);
  assert.deepEqual(log().map(({ message }) => message), ["credentials verified"]);
});

test("a repeated wrong guess costs one scrypt", async () => {
  const { ask, crypto } = load();
  for (let i = 0; i < 100; i++) assertRefused(await ask(h.basic("admin", "wrong")));
  assert.equal(crypto.calls.length, 1);
});

test("a wrong user costs as much as a wrong password", async () => {
  const { ask, crypto } = load();
  await ask(h.basic("nobody", h.PASSWORD));
  await ask(h.basic("admin", "wrong"));
  assert.deepEqual(crypto.calls.map(({ options }) => options.N), [2 ** 14, 2 ** 14]);
});

test("malformed headers cost no scrypt", async () => {
  const { ask, crypto } = load();
  for (const header of ["", "Basic", "Basic !", encode("admin"), encode("admin:" + "x".repeat(2_000)), encode([0xff, 0x3a])]) await ask(header);
  assert.equal(crypto.calls.length, 0);
});

test("requests at the same time with the same header share one scrypt and its verdict", async () => {
  for (const [header, check] of [[GOOD, assertAdmitted], [h.basic("admin", "wrong"), assertRefused]]) {
    const { ask, crypto } = load();
    (await Promise.all(Array.from({ length: 50 }, () => ask(header)))).forEach((result) => check(result));
    assert.equal(crypto.calls.length, 1);
  }
});

test("different headers at the same time do not share a verdict", async () => {
  const { ask, crypto } = load();
  const [good, bad, other] = await Promise.all([ask(GOOD), ask(h.basic("admin", "wrong")), ask(h.basic("root", h.PASSWORD))]);
  assertAdmitted(good);
  assertRefused(bad);
  assertRefused(other);
  assert.equal(crypto.calls.length, 3);
});

test("a verified header counts for fifteen minutes, not longer", async () => {
  let time = Date.UTC(2026, 0, 1);
  const { ask, crypto } = load({ now: () => time });
  assertAdmitted(await ask(GOOD));
  time += 15 * 60 * 1000 - 1;
  assertAdmitted(await ask(GOOD));
  assert.equal(crypto.calls.length, 1);
  time += 1;
  assertAdmitted(await ask(GOOD));
  assert.equal(crypto.calls.length, 2);
});

test("refused guesses are bounded, the oldest is forgotten first", async () => {
  const { ask, crypto } = load();
  for (let i = 0; i < 1_001; i++) await ask(h.basic("admin", `wrong ${i}`));
  assert.equal(crypto.calls.length, 1_001);
  await ask(h.basic("admin", "wrong 1"));
  assert.equal(crypto.calls.length, 1_001);
  await ask(h.basic("admin", "wrong 0"));
  assert.equal(crypto.calls.length, 1_002);
});

test("guesses do not push out a verified header", async () => {
  const { ask, crypto } = load();
  await ask(GOOD);
  for (let i = 0; i < 1_500; i++) await ask(h.basic("admin", `wrong ${i}`));
  const before = crypto.calls.length;
  assertAdmitted(await ask(GOOD));
  assert.equal(crypto.calls.length, before);
});

test("verified headers are bounded", async () => {
  const { ask, crypto } = load();
  const spelling = (n) => h.basic("admin", h.PASSWORD, `Basic${" ".repeat(n)}`);
  for (let i = 0; i < 101; i++) assertAdmitted(await ask(spelling(i)));
  assert.equal(crypto.calls.length, 101);
  await ask(spelling(1));
  assert.equal(crypto.calls.length, 101);
  await ask(spelling(0));
  assert.equal(crypto.calls.length, 102);
});

test("a failing scrypt refuses once and is not remembered", async () => {
  const crypto = h.cheapCrypto();
  let failing = true;
  const { scrypt } = crypto;
  crypto.scrypt = (...args) => (failing ? args.at(-1)(Object.assign(new Error(`out of memory near ${h.PASSWORD}`), { code: "ERR_X" })) : scrypt(...args));
  const { ask, log } = load({ crypto });
  assertRefused(await ask(GOOD));
  assert.deepEqual(log().map(({ level, code }) => [level, code]), [["ERROR", "ERR_X"]]);
  assert.ok(!JSON.stringify(log()).includes("out of memory"));
  failing = false;
  assertAdmitted(await ask(GOOD));
});

test("a log that cannot be written harms nobody", async () => {
  const { ask } = load({
    write: () => {
      throw new Error("EPIPE");
    },
  });
  assertAdmitted(await ask(GOOD));
  assertRefused(await ask("nonsense"));
});

test("log lines are JSON, one a line, and hold no credential in any spelling", async () => {
  const { ask, lines, log } = load();
  const secrets = [h.PASSWORD, "admin", "hunter2hunter2", "wrong-user", HASH, HASH.split("$").at(-1)];
  const headers = [GOOD, h.basic("admin", "hunter2hunter2"), h.basic("wrong-user", h.PASSWORD), "hunter2hunter2", `Bearer ${h.PASSWORD}`];
  for (const header of [...headers, ...headers]) await ask(header);
  await ask([GOOD, GOOD]);
  assert.ok(lines.length >= 9);
  for (const line of lines) assert.match(line, /^\{[^\n]*\}\n$/);
  for (const entry of log()) {
    assert.match(entry.timestamp, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    assert.match(entry.level, /^(INFO|WARN|ERROR)$/);
    assert.equal(typeof entry.message, "string");
  }
  const text = lines.join("");
  for (const secret of secrets) {
    for (const spelling of [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret), Buffer.from(secret).toString("base64").replace(/=+$/, "").slice(0, -1)]) {
      assert.ok(!text.includes(spelling), spelling);
    }
  }
  for (const header of headers) assert.ok(!text.includes(header.split(" ").at(-1)));
});

test("a refusal can be found again: request id, client address and reason", async () => {
  const { ask, log } = load();
  await ask(h.basic("admin", "wrong"));
  const { reason, requestId, clientIp } = log()[0];
  assert.deepEqual({ reason, requestId, clientIp }, {
    reason: "wrong user name or password",
    requestId: "4TyzHTaYWb1GX1qTfsHhEqV6HUDd_BzoBZnwfnvQc_1oF26ClkoUSEQ==",
    clientIp: "203.0.113.178",
  });
});

test("a hostile realm and user name stay what they are: text", async () => {
  const realm = `a"b\\c</script>\u2028\u2029\${process.exit()}\`'\r\nset-cookie: x=y; é`;
  const username = `"\\u0022;throw 1//\u2028é'\${x}\``;
  const { ask } = load({ composed: h.compose({ ...h.CONFIG, realm, username }) });
  const challenge = (await ask(undefined)).headers["www-authenticate"][0].value;
  assert.equal(challenge, 'Basic realm="a\\"b\\\\c</script>??${process.exit()}`\'??set-cookie: x=y; ?", charset="UTF-8"');
  assertAdmitted(await ask(h.basic(username, h.PASSWORD)));
  assertAdmitted(await ask(h.basic(username.normalize("NFD"), h.PASSWORD)));
  assert.equal((await ask(GOOD)).status, "401");
});

test("a user name configured in Normalization Form D is the same user", async () => {
  const { ask } = load({ composed: h.compose({ ...h.CONFIG, username: "zoë".normalize("NFD") }) });
  for (const form of ["NFC", "NFD"]) assertAdmitted(await ask(h.basic("zoë".normalize(form), h.PASSWORD)));
});

test("a hash parameter that no AllowedPattern has seen still admits nobody", async () => {
  for (const hash of ['"; module.exports.open = true; "', "\\", "${1}", "`"]) {
    let loaded;
    try {
      loaded = load({ hash });
    } catch (error) {
      assert.equal(error.name, "SyntaxError");
      continue;
    }
    assertRefused(await loaded.ask(GOOD));
  }
});
