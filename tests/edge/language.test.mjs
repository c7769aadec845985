// cloudfront-js-2.0 speaks ECMAScript 5.1 and a choice of later features (CloudFront Developer Guide, "JavaScript runtime 2.0 features").
// The function's code keeps to 5.1, so that nobody has to know the choice. This lint says where it does not.

import assert from "node:assert/strict";
import { test } from "node:test";

import * as h from "./harness.mjs";

const STRING = /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g;
// A slash after an operator, a bracket or "return" begins a regular expression.
const REGEXP = /((?:^|[=(,:!&|?{};[\n+]|\breturn)\s*)\/((?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+)\/([a-z]*)/g;

const LATER_SYNTAX = {
  "declaration or keyword": /\b(?:let|const|class|extends|super|async|await|yield|import|export|enum|of)\b/,
  "arrow function": /=>/,
  "template literal": /`/,
  "spread or rest": /\.\.\./,
  "optional chaining": /\?\.(?!\d)/,
  "nullish coalescing": /\?\?/,
  exponentiation: /\*\*/,
  destructuring: /\b(?:var|function\s*\w*\s*\([^)]*)\s*[[{]|\bcatch\s*\(\s*[[{]/,
  "default parameter": /\bfunction\b[^(]*\([^)]*=/,
  "catch without binding": /\bcatch\s*\{/,
  "shorthand property": /\{\s*[A-Za-z_$][\w$]*\s*[,}]|,\s*[A-Za-z_$][\w$]*\s*\}/,
  "shorthand method": /[{,]\s*[A-Za-z_$][\w$]*\s*\([^)]*\)\s*\{/,
  "logical assignment": /(?:&&|\|\|)=/,
  "numeric separator or binary, octal, big integer literal": /\b\d+_\d|\b0[bo]\d|\b\d+n\b/i,
  "host or restricted name": /\b(?:require|module|exports|process|Buffer|globalThis|eval|setTimeout|setInterval|setImmediate|fetch|XMLHttpRequest|URL|TextDecoder|atob|btoa|Promise|Proxy|Reflect|Symbol|Map|Set|WeakMap|WeakSet|Intl)\b/,
  "Function constructor": /\bnew\s+Function\b|\bFunction\s*\(/,
};
const LATER_REGEXP = { flag: /[^gim]/, group: /\(\?(?:<|[a-z-]+:)/, "property escape": /\\[pPk]/ };

function laterThanEs5(code) {
  const found = [];
  const bare = code.replace(STRING, '""').replace(REGEXP, (_, before, body, flags) => {
    if (LATER_REGEXP.flag.test(flags)) found.push(`regular expression flag: ${flags}`);
    if (LATER_REGEXP.group.test(body)) found.push(`regular expression group: ${body}`);
    if (LATER_REGEXP["property escape"].test(body)) found.push(`regular expression property escape: ${body}`);
    return `${before}0`;
  });
  for (const [what, pattern] of Object.entries(LATER_SYNTAX)) {
    const match = pattern.exec(bare);
    if (match) found.push(`${what}: ${match[0]}`);
  }
  return found;
}

test("the composed function is ECMAScript 5.1", () => {
  assert.deepEqual(laterThanEs5(h.compose().viewerRequest), []);
});

for (const snippet of [
  "let a = 1;", "const a = 1;", "class A {}", "var f = async function () {};", "for (var a of b) {}", "import cf from 'cloudfront';",
  "var f = function () { return (a) => a; };", "var a = `x`;", "f(...a);", "a?.b;", "a ?? b;", "a ** b;", "var { a } = b;", "var [a] = b;",
  "function f({ a }) {}", "function f(a = 1) {}", "try { f(); } catch { g(); }", "var a = { b };", "var a = { b: 1, c };", "var a = { b() { return 1; } };",
  "a ||= b;", "var a = 1_000;", "var a = 0b1;", "var a = 1n;", 'require("crypto");', "module.exports = {};", "process.env.A;", "Buffer.from(a);",
  "eval(a);", "new Function(a);", "setTimeout(f, 1);", "new Map();", "var a = /x/u;", "var a = /(?<y>x)/;", "var a = f(/(?<=x)y/);", "return /\\p{L}/.test(a);",
]) {
  test(`the lint sees ${snippet}`, () => assert.notDeepEqual(laterThanEs5(snippet), []));
}

for (const snippet of [
  'var a = "let const => ` ... ?. ?? ** of";', "var a = 'it' + /=>|`/g.source;", "var a = { b: c, d: e };", "var a = b ? .5 : c;", "if (a) { f(a, b); }",
  "var a = /[/]=>(?:x|(?!y))/i.test(b);", "function f(a, b) { return a / b / 2; }", "a.concat(b).slice(0);",
]) {
  test(`the lint lets pass ${snippet}`, () => assert.deepEqual(laterThanEs5(snippet), []));
}

test("the context of the function's tests has nothing later than ECMAScript 5.1 and no host", () => {
  const run = (expression) => h.loadFunction(`function route() { return ${expression}; } function handler() {}`).route();
  for (const name of ["require", "process", "Buffer", "module", "console", "Map", "Promise", "Symbol", "globalThis", "setTimeout"]) {
    assert.equal(run(`typeof ${name}`), "undefined", name);
  }
  for (const method of ['"".includes', '"".startsWith', '"".padStart', '"".at', '"".matchAll', "[].includes", "[].find", "[].flat", "Object.entries", "Object.assign"]) {
    assert.equal(run(`typeof ${method}`), "undefined", method);
  }
  assert.throws(() => run('eval("1")'), /eval/);
  for (const method of ['"".slice', '"".replace', "[].map", "Object.keys", "JSON.stringify"]) assert.equal(run(`typeof ${method}`), "function", method);
});
