#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
//
// Checks the Postman collection of every app: read by Postman's own SDK it must have each request of the OpenAPI document
// (and no other), with an address, authorisation and a body that is JSON; then newman sends the requests that change
// nothing and need nobody to the live server, whose answers must be documented ones. The packages are in npm/.
//
//   postman_check.mjs BINARY
import { createRequire } from "node:module";
import { documents, report, results, withServer } from "./openapi_check.mjs";

const packages = createRequire(new URL("./npm/package.json", import.meta.url));
const { Collection } = packages("postman-collection");
const newman = packages("newman");
const METHODS = ["get", "put", "post", "delete", "patch"];

/** "GET /a/{}" of every operation that is not a WebSocket. */
function operations(openapi) {
  return Object.entries(openapi.paths).flatMap(([path, item]) => METHODS
    .filter((method) => item[method] && !item[method]["x-websocket"])
    .map((method) => `${method.toUpperCase()} ${path.replace(/\{[^}]+\}/g, "{}")}`)).sort();
}

function requests(collection) {
  const found = [];
  collection.forEachItem((item) => found.push(item));
  return found;
}

function nameOf(item) {
  const segments = item.request.url.path.map((segment) => (segment.startsWith(":") ? "{}" : segment));
  return `${item.request.method} /${segments.join("/")}`;
}

function checkItem(item) {
  const problems = [], { request } = item;
  const variables = request.url.variables.map((variable) => variable.key).sort().join();
  const inPath = request.url.path.filter((segment) => segment.startsWith(":")).map((s) => s.slice(1)).sort().join();
  if (request.url.host.join() !== "{{baseUrl}}") problems.push(`${item.name}: host ${request.url.host}`);
  if (variables !== inPath) problems.push(`${item.name}: variables [${variables}], in the path [${inPath}]`);
  if (!request.url.variables.all().every((variable) => variable.value !== "")) problems.push(`${item.name}: no example id`);
  for (const text of [request.body?.raw, ...item.responses.map((response) => response.body)]) {
    try {
      if (text) JSON.parse(text);
    } catch (error) {
      problems.push(`${item.name}: ${error.message}`);
    }
  }
  return problems;
}

function checkCollection(raw, openapi) {
  const collection = new Collection(raw);
  const problems = requests(collection).flatMap(checkItem);
  const found = requests(collection).map(nameOf).sort(), wanted = operations(openapi);
  if (found.join("\n") !== wanted.join("\n")) {
    problems.push(`not in both: ${[...found, ...wanted].filter((x) => !(found.includes(x) && wanted.includes(x)))}`);
  }
  for (const name of ["baseUrl", "token"]) {
    if (!collection.variables.has(name)) problems.push(`no variable ${name}`);
  }
  if (collection.auth?.type !== "bearer") problems.push(`authorisation ${collection.auth?.type}`);
  if (!collection.items.all().every((folder) => folder.items?.count() > 0)) problems.push("an empty folder");
  return problems;
}

/** Sends every GET with a wrong token: to be refused (401) or, where nobody need be known, answered. */
function run(raw, origin, openapi) {
  const only = structuredClone(raw);
  for (const folder of only.item) folder.item = folder.item.filter((item) => item.request.method === "GET");
  const envVar = [{ key: "baseUrl", value: origin }, { key: "token", value: "nobody" }];
  return new Promise((done, fail) => newman.run({ collection: only, envVar, reporters: [] }, (error, summary) => {
    if (error) return fail(error);
    const problems = [];
    for (const { item, response, requestError } of summary.run.executions) {
      const open = item.request.auth?.type === "noauth";
      const documented = Object.entries(openapi.paths).find(([path]) =>
        `GET ${path.replace(/\{[^}]+\}/g, "{}")}` === nameOf(item))[1].get.responses;
      const fits = response && String(response.code) in documented && (open || response.code === 401);
      if (!fits) problems.push(`${nameOf(item)}: ${response?.code ?? requestError?.message}`);
    }
    return done({ problems, sent: summary.run.executions.length });
  }));
}

const [binary, ...rest] = process.argv.slice(2);
if (binary === undefined || binary.startsWith("-") || rest.length > 0) {
  console.error("usage: postman_check.mjs BINARY");
  process.exit(2);
}
await withServer(binary, async (origin) => {
  for (const { app, path } of documents(binary)) {
    const openapi = await (await fetch(`${origin}${path}?format=openapi`)).json();
    const answer = await fetch(`${origin}${path}?format=postman`);
    const raw = await answer.json();
    report(`${app} ${path}: Postman collection`, checkCollection(raw, openapi));
    const { problems, sent } = await run(raw, origin, openapi);
    report(`${app} ${path}: ${sent} requests sent by newman`, sent > 0 || !operations(openapi).some((o) =>
      o.startsWith("GET")) ? problems : ["none was sent"]);
  }
});
console.log(`${results.passed} passed, ${results.failed} failed`);
process.exitCode = results.failed === 0 && results.passed > 0 ? 0 : 1;
