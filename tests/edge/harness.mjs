// Loads the edge code exactly as the templates carry it, and makes events shaped like CloudFront's.

import { execFileSync } from "node:child_process";
import crypto from "node:crypto";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import util from "node:util";
import vm from "node:vm";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const VENV = `${ROOT}.venv/bin/python`;
const PYTHON = process.env.PYTHON ?? (existsSync(VENV) ? VENV : "python3");

export const nodeRequire = createRequire(import.meta.url);

export const CONFIG = { username: "admin", realm: "dev.example.org", entry_path: "/buy", index_document: "/index.html", health_path: "/healthz" };
export const PASSWORD = "open:sesame:pässwörd";
export const SALT = Buffer.from("000102030405060708090a0b0c0d0e0f", "hex");

// Nothing of the shell but where programs are: no option of Python, no credential.
const ENV = { PATH: process.env.PATH ?? "" };

export function python(script, input) {
  return JSON.parse(execFileSync(PYTHON, [`${ROOT}tests/edge/${script}`], { input: JSON.stringify(input), encoding: "utf8", env: ENV }));
}

export const compose = (config = CONFIG) => python("compose.py", config);

// What CloudFormation does with the template's value.
export function resolve(zipFile, parameters) {
  const [separator, values] = zipFile["Fn::Join"];
  return values.map((value) => (typeof value === "string" ? value : parameters[value.Ref])).join(separator);
}

export const phc = (hash, { ln = 14, salt = SALT } = {}) => `$scrypt$ln=${ln},r=8,p=1$${unpadded(salt)}$${unpadded(hash)}`;
// The form of a password that the deployer generated.
export const generatedPhc = (password, { salt = SALT } = {}) =>
  `$hmac-sha256$${unpadded(salt)}$${unpadded(crypto.createHmac("sha256", salt).update(password.normalize("NFC")).digest())}`;
const unpadded = (octets) => octets.toString("base64").replace(/=+$/, "");

// node:crypto with a scrypt that counts its calls and costs next to nothing; the code under test asks for the real cost all the same.
export function cheapCrypto() {
  const cheap = { N: 2, r: 1, p: 1 };
  const calls = [];
  return {
    ...crypto,
    calls,
    hashOf: (password, salt = SALT) => crypto.scryptSync(password.normalize("NFC"), salt, 32, cheap),
    scrypt: (password, salt, length, options, callback) => {
      calls.push({ password, salt, length, options });
      crypto.scrypt(password, salt, length, cheap, callback);
    },
  };
}

// Runs published code as Lambda does: index.js, CommonJS. The log, the clock and node:crypto are handed in.
export function loadBasicAuth(code, { crypto: cryptoModule = crypto, now = () => Date.now(), write } = {}) {
  const lines = [];
  const module = { exports: {} };
  const required = [];
  const require = (name) => {
    required.push(name);
    return name === "node:crypto" ? cryptoModule : nodeRequire(name);
  };
  class Clock extends Date {
    static now() {
      return now();
    }
  }
  const process = { stdout: { write: write ?? ((line) => lines.push(line)) } };
  vm.compileFunction(code, ["exports", "require", "module", "process", "Date"], { filename: "index.js" })(
    module.exports,
    require,
    module,
    process,
    Clock,
  );
  return { ...module.exports, lines, required };
}

// Runs function code where nothing exists but ECMAScript 5.1: neither require, process and Buffer nor any later built-in.
export function loadFunction(code) {
  const context = vm.createContext(Object.create(null), { codeGeneration: { strings: false, wasm: false } });
  vm.runInContext(`(${keepEs5})(${JSON.stringify(ES5)})`, context);
  vm.runInContext(`"use strict";\n${code}\nthis.handler = handler; this.route = route;`, context);
  return { handler: context.handler, route: context.route, context };
}

const ES5 = {
  global: `NaN Infinity undefined parseInt parseFloat isNaN isFinite decodeURI decodeURIComponent encodeURI encodeURIComponent Object Function
    Array String Boolean Number Date RegExp Error EvalError RangeError ReferenceError SyntaxError TypeError URIError Math JSON`.split(/\s+/),
  string: `constructor length toString valueOf charAt charCodeAt concat indexOf lastIndexOf localeCompare match replace search slice split substring
    toLowerCase toLocaleLowerCase toUpperCase toLocaleUpperCase trim`.split(/\s+/),
  array: `constructor length toString toLocaleString concat join pop push reverse shift slice sort splice unshift indexOf lastIndexOf every some
    forEach map filter reduce reduceRight`.split(/\s+/),
  object: `length name prototype getPrototypeOf getOwnPropertyDescriptor getOwnPropertyNames create defineProperty defineProperties seal freeze
    preventExtensions isSealed isFrozen isExtensible keys`.split(/\s+/),
};

// Runs inside the context. Symbols stay: the language itself needs them.
function keepEs5(allowed) {
  const names = Object.getOwnPropertyNames;
  const drop = (object, kept) => names(object).forEach((name) => kept.indexOf(name) < 0 && delete object[name]);
  const pairs = [
    [String.prototype, allowed.string],
    [Array.prototype, allowed.array],
    [Object, allowed.object],
    [globalThis, allowed.global],
  ];
  pairs.forEach(([object, kept]) => drop(object, kept));
}

export function lambdaEvent({ method = "GET", uri = "/buy", querystring = "", headers = {} } = {}) {
  const list = (value) => (Array.isArray(value) ? value : [value]);
  return {
    Records: [
      {
        cf: {
          config: {
            distributionDomainName: "d111111abcdef8.cloudfront.net",
            distributionId: "EDFDVBD6EXAMPLE",
            eventType: "viewer-request",
            requestId: "4TyzHTaYWb1GX1qTfsHhEqV6HUDd_BzoBZnwfnvQc_1oF26ClkoUSEQ==",
          },
          request: {
            clientIp: "203.0.113.178",
            headers: {
              host: [{ key: "Host", value: "dev.example.org" }],
              "user-agent": [{ key: "User-Agent", value: "curl/8.5.0" }],
              accept: [{ key: "Accept", value: "*/*" }],
              ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, list(value).map((one) => ({ key: name, value: one }))])),
            },
            method,
            querystring,
            uri,
          },
        },
      },
    ],
  };
}

export function functionEvent({ method = "GET", uri = "/buy", rawQueryString, host = "prod.example.org" } = {}) {
  const request = { method, uri, querystring: {}, headers: { host: { value: host } }, cookies: {} };
  if (rawQueryString !== undefined) request.rawQueryString = () => rawQueryString;
  return {
    version: "1.0",
    context: { distributionDomainName: "d111111abcdef8.cloudfront.net", distributionId: "EDFDVBD6EXAMPLE", eventType: "viewer-request", requestId: "EXAMPLE" },
    viewer: { ip: "203.0.113.178" },
    request,
  };
}

export const basic = (username, password, scheme = "Basic") => `${scheme} ${Buffer.from(`${username}:${password}`).toString("base64")}`;

// A generator of numbers that a failing run can repeat: mulberry32.
export function random(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return { next, below: (n) => Math.floor(next() * n), pick: (list) => list[Math.floor(next() * list.length)] };
}

export const inspect = (value) => util.inspect(value, { depth: 9, breakLength: Infinity });
