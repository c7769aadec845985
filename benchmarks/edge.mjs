// What the edge code costs, beside the floor of each figure. Run: node benchmarks/edge.mjs [--json]
//
// In: the code as the template carries it. Out: a table on standard output. Medians; compare the ratios, since the times follow the machine.

import { spawnSync } from "node:child_process";
import crypto from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import * as h from "../tests/edge/harness.mjs";

const PASSWORD = "correct horse battery staple";
const salt = h.SALT;
const scryptOptions = { N: 2 ** 14, r: 8, p: 1, maxmem: 64 * 1024 * 1024 };
const hash = h.phc(crypto.scryptSync(PASSWORD, salt, 32, scryptOptions));
const composed = h.compose();
const code = h.resolve(composed.basicAuth, { BasicAuthPasswordHash: hash });
const header = h.basic("admin", PASSWORD);

const generated = h.resolve(composed.basicAuth, { BasicAuthPasswordHash: h.generatedPhc(PASSWORD) });

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const since = (start) => Number(process.hrtime.bigint() - start) / 1000;

// Microseconds a call: median over rounds of the mean of a round, the events made beforehand; few a round, so that they are still in
// the processor's cache, as the event that Lambda has just parsed is.
async function perCall(work, prepare, { rounds = 301, calls = 200 } = {}) {
  const figures = [];
  for (let round = -50; round < rounds; round++) {
    const inputs = Array.from({ length: calls }, prepare);
    const start = process.hrtime.bigint();
    for (let i = 0; i < calls; i++) await work(inputs[i]);
    if (round >= 0) figures.push(since(start) / calls);
  }
  return median(figures);
}

// The floors have no await of their own to pay, so that what we call a floor is one.
function perCallSync(work, { rounds = 31, calls = 5_000 } = {}) {
  const figures = [];
  for (let round = -5; round < rounds; round++) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < calls; i++) work();
    if (round >= 0) figures.push(since(start) / calls);
  }
  return median(figures);
}

async function once(work, rounds = 15) {
  const figures = [];
  for (let round = -1; round < rounds; round++) {
    const start = process.hrtime.bigint();
    await work(round);
    if (round >= 0) figures.push(since(start));
  }
  return median(figures);
}

function loads(files, rounds = 31) {
  const figures = files.map(() => []);
  for (let round = -2; round < rounds; round++) {
    files.forEach((arguments_, index) => {
      const start = process.hrtime.bigint();
      spawnSync(process.execPath, arguments_);
      if (round >= 0) figures[index].push(since(start) / 1000);
    });
  }
  return figures.map(median);
}

const expected = crypto.createHash("sha256").update(header).digest();
// The faster of node's two ways to hash is the floor.
const floorSha = Math.min(
  perCallSync(() => crypto.timingSafeEqual(crypto.createHash("sha256").update(header).digest(), expected)),
  perCallSync(() => crypto.timingSafeEqual(crypto.hash("sha256", header, "buffer"), expected)),
);

const { handler } = h.loadBasicAuth(code);
const event = () => h.lambdaEvent({ uri: "/buy/assets/index-4f3a2b1c.js", headers: { authorization: header } });
if ((await handler(event())).status !== undefined) throw new Error("the benchmark's own credentials are refused");
const authorised = await perCall(handler, event);
const anonymous = await perCall(handler, () => h.lambdaEvent({ uri: "/buy/users" }));
const wrong = h.basic("admin", "wrong");
await handler(h.lambdaEvent({ headers: { authorization: wrong } }));
const refusedAgain = await perCall(handler, () => h.lambdaEvent({ headers: { authorization: wrong } }));

const asyncScrypt = () => new Promise((resolve) => crypto.scrypt(PASSWORD, salt, 32, scryptOptions, resolve));
const floorScrypt = await once(asyncScrypt);
const first = await once(() => h.loadBasicAuth(code).handler(h.lambdaEvent({ headers: { authorization: header } })));
const guess = await once((round) => handler(h.lambdaEvent({ headers: { authorization: h.basic("admin", `wrong ${round}`) } })));

const quick = (code_, header_) => once(() => h.loadBasicAuth(code_).handler(h.lambdaEvent({ headers: { authorization: header_ } })), 301);
const firstGenerated = await quick(generated, header);
const { handler: generatedHandler } = h.loadBasicAuth(generated);
const guessGenerated = await once((round) => generatedHandler(h.lambdaEvent({ headers: { authorization: h.basic("admin", `wrong ${round}`) } })), 301);

// A page on Lambda: each execution environment takes one request at a time, a request that finds none free starts one, and one above the
// account's limit is answered 503. Milliseconds; `first` is what an environment takes for a header that it has not seen. One that has seen it
// is preferred, which is better than Lambda promises.
const ASSUMED = { start: 200, invocation: 5, gap: 1, assets: 40, limit: 10 };
function page({ first, warm = 0, start, invocation, gap, assets, limit }) {
  const environments = Array.from({ length: warm }, () => ({ free: 0, seen: false }));
  let refused = 0;
  const request = (now) => {
    let one = environments.find(({ free, seen }) => free <= now && seen) ?? environments.find(({ free }) => free <= now);
    const made = one === undefined;
    if (made && environments.length >= limit) {
      refused += 1;
      return now;
    }
    if (made) environments.push((one = { seen: false }));
    one.free = now + (made ? start : 0) + invocation + (one.seen ? 0 : first);
    one.seen = true;
    return one.free;
  };
  const loaded = request(0);
  const ends = Array.from({ length: assets }, (_, i) => request(loaded + i * gap));
  return { environments: environments.filter(({ seen }) => seen).length, refused, ms: Math.max(...ends) };
}
const EDGE_CORE = 14; // 128 MB have about a fourteenth of a core
const pages = Object.entries({ chosen: guess, generated: guessGenerated }).map(([name, microseconds]) => {
  const given = { ...ASSUMED, first: (microseconds / 1000) * EDGE_CORE };
  return { name, cold: page(given), warm: page({ ...given, warm: 10 }) };
});

const edge = h.loadFunction(composed.viewerRequest);
const { route } = h.nodeRequire("../../lambda/routing/route.js");
const config = { entryPath: "/buy", indexDocument: "/index.html", healthPath: "/healthz" };
const routed = perCallSync(() => route("/buy/users/42/orders", config));
const longest = perCallSync(() => route(`/buy/${"a.1".repeat(2_700)}.`, config), { rounds: 11, calls: 200 });
const functionCall = perCallSync(() => edge.handler({ request: { uri: "/buy/users" } }));

const directory = mkdtempSync(join(tmpdir(), "edge-"));
writeFileSync(join(directory, "index.js"), code);
const [bare, loaded] = loads([["-e", "0"], [join(directory, "index.js")]]);
rmSync(directory, { recursive: true });

const us = (value) => `${value.toFixed(2)} us`;
const ms = (value) => `${value.toFixed(1)} ms`;
const ratio = (value, floor) => `${(value / floor).toFixed(2)}x`;
const rows = [
  ["authorised request after the first", us(authorised), `SHA-256 and timingSafeEqual ${us(floorSha)}`, ratio(authorised, floorSha), "at most 2x"],
  ["request without a header", us(anonymous), "", "", "at most 2 us"],
  ["refused guess, repeated (with its log line)", us(refusedAgain), `SHA-256 and timingSafeEqual ${us(floorSha)}`, ratio(refusedAgain, floorSha), ""],
  ["first request", ms(first / 1000), `scrypt N=2^14 ${ms(floorScrypt / 1000)}`, ratio(first, floorScrypt), "one scrypt"],
  ["new wrong guess", ms(guess / 1000), `scrypt N=2^14 ${ms(floorScrypt / 1000)}`, ratio(guess, floorScrypt), "one scrypt"],
  ["first request, generated password", us(firstGenerated), "", "", "at most 1 ms"],
  ["new wrong guess, generated password", us(guessGenerated), "", "", ""],
  ["loading the module", ms(loaded), `node -e 0 ${ms(bare)}`, `+${ms(loaded - bare)}`, "at most +15 ms"],
  ["route()", us(routed), "", "", ""],
  ["route(), 8,100 characters", us(longest), "", "", ""],
  ["CloudFront Function handler under Node.js", us(functionCall), "", "", ""],
  ["size of the Lambda@Edge code", `${Buffer.byteLength(code)} bytes`, "", "", "at most 16,384"],
  ["size of the CloudFront Function", `${Buffer.byteLength(composed.viewerRequest)} bytes`, "", "", "at most 10,240"],
];
const pageRows = pages.flatMap(({ name, cold, warm }) =>
  Object.entries({ "no environment runs yet": cold, "ten run, none has seen the password": warm }).map(([about, { environments, refused, ms: end }]) => [
    name, about, environments, `${refused} of 41`, `${Math.round(end)} ms`,
  ]),
);

if (process.argv.includes("--json")) {
  process.stdout.write(`${JSON.stringify({ node: process.version, floorSha, authorised, anonymous, refusedAgain, floorScrypt, first, guess, firstGenerated, guessGenerated, pages, bare, loaded, routed, longest, functionCall })}\n`);
} else {
  const heading = ["work", "measured", "floor", "ratio", "target"];
  const table = (head, body) => [head, head.map(() => "---"), ...body].map((row) => `| ${row.join(" | ")} |\n`).join("");
  process.stdout.write(table(heading, rows));
  process.stdout.write(`\n${table(["password", "execution environments", "used", "503", "page complete after"], pageRows)}`);
}
