#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
//
// Checks OpenAPI 3.1 documents: the official schema of the format (by @seriousme/openapi-schema-validator), then what
// that cannot see: references that resolve, path parameters, operation ids, every schema against JSON Schema 2020-12,
// and every example and default against its own schema. The packages are in npm/ beside this file.
//
//   openapi_check.mjs FILE.json…                      documents in files
//   openapi_check.mjs --server BINARY [PATH…]         starts the server on a free port and fetches each path
//                                                     (default: the docs pages of all apps)
import { execFileSync, spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const packages = createRequire(new URL("./npm/package.json", import.meta.url));
const load = async (name) => import(pathToFileURL(packages.resolve(name)));
const { Validator } = await load("@seriousme/openapi-schema-validator");
const { default: Ajv2020 } = packages("ajv/dist/2020");
const { default: addFormats } = packages("ajv-formats");

const METHODS = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
export const results = { passed: 0, failed: 0 };

export function report(name, problems) {
  if (problems.length === 0) {
    results.passed += 1;
    console.log(`ok      ${name}`);
  } else {
    results.failed += 1;
    console.log(`NOT OK  ${name}`);
    for (const problem of problems.slice(0, 20)) console.log(`        ${problem}`);
  }
}

/** Calls visit(value, pointer) for every object and array below a value. */
function walk(value, visit, pointer = "#") {
  if (value === null || typeof value !== "object") return;
  visit(value, pointer);
  for (const [key, child] of Object.entries(value)) {
    walk(child, visit, `${pointer}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`);
  }
}

function resolve(document, reference) {
  return reference.slice(2).split("/").reduce(
    (value, key) => value?.[key.replaceAll("~1", "/").replaceAll("~0", "~")], document);
}

function operations(document) {
  return Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => ({ path, method, operation: item[method] })));
}

async function checkFormat(document) {
  const result = await new Validator().validate(structuredClone(document));
  const errors = Array.isArray(result.errors) ? result.errors : [result.errors ?? ""];
  return result.valid ? [] : errors.map((e) => (typeof e === "string" ? e : `${e.instancePath} ${e.message}`));
}

function checkReferences(document) {
  const problems = [];
  walk(document, (value, pointer) => {
    const reference = value.$ref;
    if (typeof reference !== "string") return;
    if (!reference.startsWith("#/") || resolve(document, reference) === undefined) {
      problems.push(`${pointer}: ${reference} leads nowhere`);
    }
  });
  return problems;
}

function checkParameters(document) {
  const problems = [];
  for (const { path, method, operation } of operations(document)) {
    const inPath = [...path.matchAll(/\{([^}]+)\}/g)].map((match) => match[1]).sort();
    const all = (operation.parameters ?? []).map((p) => (p.$ref ? resolve(document, p.$ref) : p));
    const declared = all.filter((p) => p.in === "path").map((p) => p.name).sort();
    if (inPath.join() !== declared.join()) problems.push(`${method} ${path}: path has [${inPath}], declared [${declared}]`);
    const keys = all.map((p) => `${p.in} ${p.name}`);
    if (new Set(keys).size !== keys.length) problems.push(`${method} ${path}: a parameter is declared twice`);
  }
  return problems;
}

function checkOperations(document) {
  const problems = [], seen = new Set(), tags = new Set((document.tags ?? []).map((tag) => tag.name));
  const schemes = Object.keys(document.components?.securitySchemes ?? {});
  for (const { path, method, operation } of operations(document)) {
    const at = `${method} ${path}`;
    if (!/^[a-z][a-z0-9_]*$/.test(operation.operationId ?? "")) problems.push(`${at}: operationId ${operation.operationId}`);
    if (seen.has(operation.operationId)) problems.push(`${at}: operationId ${operation.operationId} is used twice`);
    seen.add(operation.operationId);
    if (!operation.summary) problems.push(`${at}: no summary`);
    if (!(operation.tags ?? []).every((tag) => tags.has(tag))) problems.push(`${at}: a tag is not declared`);
    const success = operation["x-websocket"] ? /^101$/ : /^[23]/;
    if (!Object.keys(operation.responses ?? {}).some((status) => success.test(status))) problems.push(`${at}: no success`);
    for (const scheme of (operation.security ?? []).flatMap(Object.keys)) {
      if (!schemes.includes(scheme)) problems.push(`${at}: unknown security scheme ${scheme}`);
    }
  }
  if (seen.size === 0) problems.push("the document has no operations");
  return problems;
}

/** Schemas with their pointers: models, parameters, headers and contents. */
function schemas(document) {
  const found = Object.entries(document.components?.schemas ?? {}).map(
    ([name, schema]) => ({ schema, pointer: `#/components/schemas/${name}`, examples: [] }));
  walk({ paths: document.paths, components: document.components }, (value, pointer) => {
    if (/\/schemas(\/|$)/.test(pointer) || typeof value.schema !== "object") return;
    const examples = "example" in value ? [value.example] : [];
    found.push({ schema: value.schema, pointer: `${pointer}/schema`, examples });
  });
  return found;
}

function checkSchemas(document) {
  const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: true, allErrors: true, allowUnionTypes: true });
  addFormats(ajv);
  ajv.addKeyword("components");
  ajv.addSchema({ $id: "doc:/", components: document.components });
  const absolute = (schema) => JSON.parse(JSON.stringify(schema).replaceAll('"$ref":"#/', '"$ref":"doc:/#/'));
  const problems = [];
  const check = (schema, value, where) => {
    try {
      const validate = ajv.compile(absolute(schema));
      if (value === undefined || validate(value)) return;
      problems.push(`${where}: ${JSON.stringify(value)}: ${ajv.errorsText(validate.errors)}`);
    } catch (error) {
      problems.push(`${where}: ${error.message}`);
    }
  };
  for (const { schema, pointer, examples } of schemas(document)) {
    check(schema, undefined, pointer);
    examples.forEach((example) => check(schema, example, `${pointer} example`));
    walk(schema, (part, below) => {
      if (/\/(examples|default|enum|properties)$/.test(below)) return;
      const where = pointer + below.slice(1);
      if (Array.isArray(part.examples)) part.examples.forEach((example) => check(part, example, `${where} examples`));
      if (part.default !== undefined && !Array.isArray(part)) check(part, part.default, `${where} default`);
    });
  }
  return problems;
}

async function checkDocument(name, document) {
  report(`${name}: OpenAPI ${document.openapi} by the format's own schema`, await checkFormat(document));
  report(`${name}: references`, checkReferences(document));
  report(`${name}: path parameters`, checkParameters(document));
  report(`${name}: operations`, checkOperations(document));
  report(`${name}: schemas, examples and defaults by JSON Schema 2020-12`, checkSchemas(document));
}

// ---- a server of our own ----

async function freePort() {
  const server = createServer();
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

/** Resolves when /readyz says 200; fails when the process ends before or the time is over. */
async function ready(origin, child) {
  for (const end = Date.now() + 60000; Date.now() < end;) {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`the server ended with ${child.exitCode ?? child.signalCode ?? "no start"}`);
    }
    const answer = await fetch(`${origin}/readyz`).catch(() => null);
    if (answer?.ok) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error("the server is not ready after 60 s");
}

/** What `perigee openapi --json` lists: every docs page of every app. */
export function documents(binary) {
  return JSON.parse(execFileSync(binary, ["openapi", "--json"], { encoding: "utf8" }));
}

/** The app's folders, of which each must have a document: by a page or, without one, by the command. */
async function checkApps(binary, origin) {
  const pages = documents(binary), routes = JSON.parse(execFileSync(binary, ["routes", "--json"], { encoding: "utf8" }));
  for (const { path } of pages) await checkServed(origin, `${path}?format=openapi`);
  for (const app of new Set(routes.map((route) => route.app))) {
    if (pages.some((page) => page.app === app)) continue;
    await checkDocument(app, JSON.parse(execFileSync(binary, ["openapi", app], { encoding: "utf8" })));
  }
}

export async function withServer(binary, use) {
  const data = await mkdtemp(join(tmpdir(), "perigee-openapi-"));
  const port = await freePort();
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("PERIGEE_")));
  const options = ["--env", "production", "--host", "127.0.0.1", "--port", String(port), "--data", data];
  let log = "";
  const child = spawn(binary, ["serve", ...options], { stdio: ["ignore", "pipe", "pipe"], env });
  child.on("error", (error) => { log += `${error.message}\n`; });
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => { log = (log + chunk).slice(-20000); });
  const gone = new Promise((done) => child.once("close", done));
  try {
    await ready(`http://127.0.0.1:${port}`, child);
    await use(`http://127.0.0.1:${port}`);
  } catch (error) {
    console.log(log);
    report("server", [error.message]);
  } finally {
    if (child.pid !== undefined) {
      child.kill("SIGTERM");
      await gone;
    }
    await rm(data, { recursive: true, force: true });
  }
}

async function checkServed(origin, path) {
  const answer = await fetch(origin + path);
  const problems = [];
  if (answer.status !== 200) problems.push(`status ${answer.status}`);
  if (!/json/.test(answer.headers.get("content-type") ?? "")) problems.push(`content type ${answer.headers.get("content-type")}`);
  report(`GET ${path}`, problems);
  if (problems.length === 0) await checkDocument(path, await answer.json());
}

async function main([first, ...rest]) {
  if (first === "--server" && rest.length > 0) {
    const [binary, ...paths] = rest;
    await withServer(binary, async (origin) => {
      for (const path of paths) await checkServed(origin, path);
      if (paths.length === 0) await checkApps(binary, origin);
    });
  } else if (first !== undefined && !first.startsWith("-")) {
    for (const file of [first, ...rest]) await checkDocument(file, JSON.parse(await readFile(file, "utf8")));
  } else {
    console.error("usage: openapi_check.mjs FILE.json… | --server BINARY [PATH…]");
    process.exit(2);
  }
  console.log(`${results.passed} passed, ${results.failed} failed`);
  process.exitCode = results.failed === 0 ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.slice(2));
