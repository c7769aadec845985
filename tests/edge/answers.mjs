// Answers many paths by the rule of the edge, for the test that compares it with its twin in Python.
// In: {configs: {name: config}, asked: [[name, uri, host]]} on standard input. Out: a list of answers.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const { route } = createRequire(import.meta.url)("../../lambda/routing/route.js");
const { configs, asked } = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(asked.map(([name, uri, host]) => route(uri, configs[name], host))));
