#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
//
// Lets the verifier of Standard Webhooks (npm standardwebhooks, in npm/ beside this file) judge what a real server
// sends: with a secret of each form, with one that the server made, in every attempt.
//
//   webhook_check.mjs BINARY
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const packages = createRequire(new URL("./npm/package.json", import.meta.url));
const { Webhook } = packages("standardwebhooks");
const root = fileURLToPath(new URL("../..", import.meta.url));
const results = { passed: 0, failed: 0 };

function report(name, problem) {
  results[problem ? "failed" : "passed"] += 1;
  console.log(problem ? `NOT OK  ${name}\n        ${problem}` : `ok      ${name}`);
}

/** A receiver whose next() resolves with { headers, body } of each request; answers 500 as often as fail(n) says. */
async function receiver() {
  const requests = [], waiting = [];
  let failures = 0;
  const server = createServer((request, answer) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      answer.writeHead(failures > 0 ? 500 : 200).end();
      failures -= failures > 0;
      const received = { headers: request.headers, body: Buffer.concat(chunks).toString("utf8") };
      waiting.length > 0 ? waiting.shift()(received) : requests.push(received);
    });
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    fail: (n) => { failures = n; },
    next: () => requests.length > 0 ? requests.shift() : Promise.race([
      new Promise((done) => waiting.push(done)),
      new Promise((_, refuse) => setTimeout(refuse, 30000, new Error("nothing came")).unref()),
    ]),
    close: () => { server.closeAllConnections(); server.close(); },
  };
}

async function freePort() {
  const server = createServer();
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

async function withServer(binary, use) {
  const data = await mkdtemp(join(tmpdir(), "perigee-webhook-")), port = await freePort();
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("PERIGEE_")));
  const child = spawn(binary, ["serve", "--env", "development", "--port", String(port), "--data", data, "--scripts",
    join(root, "tests/support/apps"), "--db", join(root, "db"), "--outbound-allow", "127.0.0.1/32",
    "--webhook-schedule", "0,0,0", "--apps", "post"], { stdio: ["ignore", "pipe", "pipe"], env });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => { log = (log + chunk).slice(-20000); });
  const gone = new Promise((done) => child.once("close", done));
  const origin = `http://127.0.0.1:${port}`;
  try {
    for (const end = Date.now() + 60000; !(await fetch(`${origin}/readyz`).catch(() => null))?.ok;) {
      if (child.exitCode !== null || Date.now() > end) throw new Error("the server does not start");
      await new Promise((done) => setTimeout(done, 50));
    }
    await use(async (path, body) => {
      const answer = await fetch(origin + path, { method: "POST", body: JSON.stringify(body),
        headers: { "content-type": "application/json" } });
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
      return answer.json();
    });
  } catch (error) {
    console.log(log);
    report("server", error.message);
  } finally {
    child.kill("SIGTERM");
    await gone;
    await rm(data, { recursive: true, force: true });
  }
}

function refusal(verifier, { headers, body }) {
  try {
    verifier.verify(body, headers);
    return null;
  } catch (error) {
    return error.message;
  }
}

const SECRETS = {
  "a whsec_ secret of 24 bytes": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
  "a whsec_ secret with padding": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
  "a secret as text": "plain text with blanks and ümläute",
  "a secret of the server's": undefined,
};

async function check(post) {
  for (const [name, secret] of Object.entries(SECRETS)) {
    const there = await receiver();
    const hook = await post("/post/hooks", { url: there.url, owner: name, secret });
    const known = secret ?? hook.secret;
    const verifier = known.startsWith("whsec_") ? new Webhook(known) : new Webhook(Buffer.from(known), { format: "raw" });
    there.fail(1);
    await post("/post/events", { owner: name, data: { text: "Grüße 🎉", n: 1 } });
    const first = await there.next(), second = await there.next();
    report(`${name}: the first attempt`, refusal(verifier, first));
    report(`${name}: the second attempt`, refusal(verifier, second));
    report(`${name}: same id, same body`, first.headers["webhook-id"] === second.headers["webhook-id"] &&
      first.body === second.body ? null : "they differ");
    report(`${name}: a changed body is refused`, refusal(verifier, { ...first, body: `${first.body} ` }) ? null : "it was taken");
    there.close();
  }
}

const [binary] = process.argv.slice(2);
if (!binary) {
  console.error("usage: webhook_check.mjs BINARY");
  process.exit(2);
}
await withServer(binary, check);
console.log(`${results.passed} passed, ${results.failed} failed`);
process.exitCode = results.failed === 0 ? 0 : 1;
