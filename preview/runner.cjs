// Runs the edge functions of the templates, in one process for the whole life of the preview.
//
// In: one JSON document a line on stdin: {id, load: {key, kind, name, code, handler}} or {id, call: key, event, timeout}.
// Out: one JSON document a line on stdout: {begun: id}, then {id, result} | {id, error: {name, message, stack}} | {log, line, id} for what a function prints.
// Never: gives a function the preview's environment variables, lets what it prints break the protocol, outlives stdin.
//
// A Lambda function gets Node as it is, without files, processes, threads and debugger (node.py starts it with the permission model). A CloudFront Function gets a context of its own, without timers, network, eval and
// process, and with the three modules that cloudfront-js-2.0 has (CloudFront Developer Guide, "JavaScript runtime 2.0 features"). The
// context imitates that runtime and keeps nobody in: node:vm is no security boundary (Node.js documentation, "VM").

"use strict";

const { AsyncLocalStorage } = require("node:async_hooks");
const Module = require("node:module");
const readline = require("node:readline");
const util = require("node:util");
const vm = require("node:vm");

const out = process.stdout.write.bind(process.stdout);
const current = new AsyncLocalStorage();
const functions = new Map();
const MODULES = ["crypto", "querystring", "buffer"];

function send(message) {
  out(JSON.stringify(message) + "\n");
}

function logged(chunk, encoding, done) {
  const text = typeof chunk === "string" ? chunk : Buffer.from(chunk).toString();
  const where = current.getStore() ?? { id: null, name: "" };
  for (const line of text.split("\n")) {
    if (line !== "") {
      send({ log: where.name, id: where.id, line });
    }
  }
  const callback = typeof encoding === "function" ? encoding : done;
  callback?.();
  return true;
}

process.stdout.write = logged;
process.stderr.write = logged;

function described(error) {
  const known = error !== null && typeof error === "object" && typeof error.message === "string";
  return known
    ? { name: String(error.name), message: error.message, stack: String(error.stack ?? "") }
    : { name: "Error", message: `threw ${util.inspect(error)}`, stack: "" };
}

function loadLambda({ name, code, handler }) {
  const [file, exported] = handler.split(".");
  const filename = `/var/task/${file}.js`;
  const module = new Module(filename);
  module.filename = filename;
  module.paths = [];
  module._compile(code, filename);
  const run = module.exports[exported];
  if (typeof run !== "function") {
    throw new TypeError(`${handler} is not a function that the code exports`);
  }
  return (event) =>
    new Promise((resolve, reject) => {
      const context = { functionName: name, functionVersion: "1", awsRequestId: event.Records[0].cf.config.requestId };
      const returned = run(event, context, (error, result) => (error ? reject(error) : resolve(result)));
      if (returned !== undefined && typeof returned?.then === "function") {
        returned.then(resolve, reject);
      } else if (run.length < 3) {
        // Lambda answers null for a handler that is neither async nor takes a callback.
        resolve(null);
      }
    });
}

function loadCloudFront({ name, code }) {
  const allowed = (wanted) => {
    const bare = String(wanted).replace(/^node:/, "");
    if (!MODULES.includes(bare)) {
      throw new Error(`cannot find module ${JSON.stringify(wanted)}: cloudfront-js-2.0 has ${MODULES.join(", ")}`);
    }
    return require(`node:${bare}`);
  };
  const say = (...parts) => console.log(...parts);
  const sandbox = { console: { log: say, error: say }, require: allowed, Buffer, atob, btoa, TextEncoder, TextDecoder, __event: null };
  const context = vm.createContext(sandbox, { codeGeneration: { strings: false, wasm: false } });
  vm.runInContext(code, context, { filename: `${name}.js`, timeout: 1000 });
  if (vm.runInContext("typeof handler", context) !== "function") {
    throw new TypeError("the code defines no function handler(event)");
  }
  const call = new vm.Script("handler(__event)", { filename: "cloudfront" });
  return (event, timeout) => {
    const raw = event.rawQueryString ?? "";
    delete event.rawQueryString;
    sandbox.__event = vm.runInContext(`(${JSON.stringify(event).replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029")})`, context);
    Object.defineProperty(sandbox.__event.request, "rawQueryString", { value: () => raw, enumerable: false });
    return call.runInContext(context, { timeout });
  };
}

async function answer({ id, load, call, event, timeout }) {
  const name = load?.name ?? functions.get(call)?.name ?? "";
  send({ begun: id });
  await current.run({ id, name }, async () => {
    try {
      if (load !== undefined) {
        const make = load.kind === "lambda" ? loadLambda : loadCloudFront;
        functions.set(load.key, { name, run: make(load) });
        send({ id, result: null });
      } else {
        const result = await functions.get(call).run(event, timeout);
        send({ id, result: result === undefined ? null : result });
      }
    } catch (error) {
      send({ id, error: described(error) });
    }
  });
}

process.on("uncaughtException", (error) => {
  const where = current.getStore();
  send({ id: where?.id ?? null, error: described(error) });
});
process.on("unhandledRejection", (error) => send({ log: "", id: null, line: `unhandled rejection: ${described(error).message}` }));

for (const name of Object.keys(process.env)) {
  delete process.env[name];
}
process.env.AWS_REGION = "us-east-1";
process.env.TZ = ":UTC";

const lines = readline.createInterface({ input: process.stdin, crlfDelay: Infinity });
lines.on("line", (line) => void answer(JSON.parse(line)));
lines.on("close", () => process.exit(0));
send({ ready: process.versions.node });
