// The hash that the deployer makes and the check at the edge, at their real cost, and both against RFC 7914.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import * as h from "./harness.mjs";

const { vectors } = JSON.parse(readFileSync(new URL("rfc7914.json", import.meta.url), "utf8"));
const COMPOSED = h.compose();
const load = (hash) => h.loadBasicAuth(h.resolve(COMPOSED.basicAuth, { BasicAuthPasswordHash: hash }));
const status = async ({ handler }, password) => (await handler(h.lambdaEvent({ headers: { authorization: h.basic("admin", password) } }))).status;

for (const { password, salt, ln, r, p, hash } of vectors) {
  test(`the published scrypt is the scrypt of RFC 7914: ${JSON.stringify(password)}, ${JSON.stringify(salt)}`, async () => {
    const derived = await load("").scrypt(password, { salt: Buffer.from(salt), N: 2 ** ln, r, p, length: hash.length / 2 });
    assert.equal(derived.toString("hex"), hash);
  });
}

for (const [password, ln] of [
  ["correct horse battery staple", 14],
  ["with:colons:and spaces ", 14],
  ["pässwörd in Form C, ☃ 😀", 15],
  ["pässwörd in Form D".normalize("NFD"), 14],
]) {
  test(`hashed by the deployer, checked at the edge: ${password}, ln=${ln}`, async () => {
    const hash = h.python("hash.py", { password, salt: h.SALT.toString("hex"), ln });
    assert.match(hash, new RegExp(COMPOSED.pattern));
    const edge = load(hash);
    assert.equal(await status(edge, password), undefined);
    assert.equal(await status(edge, password.normalize("NFD")), undefined);
    assert.equal(await status(edge, password.normalize("NFC")), undefined);
    assert.equal(await status(edge, `${password}x`), "401");
    assert.equal(await status(edge, hash), "401");
  });
}

test("hashed here, checked by the deployer", async () => {
  const password = "pässwörd:made by node";
  const edge = load("");
  const hash = h.phc(await edge.scrypt(password, { salt: h.SALT, N: 2 ** 14, r: 8, p: 1, length: 32 }));
  assert.equal(h.python("hash.py", { password, password_hash: hash }), true);
  assert.equal(h.python("hash.py", { password: `${password}x`, password_hash: hash }), false);
});
