#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
//
// Lets OAuth clients that others wrote complete each flow against a real server: openid-client, which finds everything
// from the metadata and checks all that the RFCs let a client check, and simple-oauth2, which is told the addresses. The
// packages are in npm/.
//
//   oauth_check.mjs BINARY
import { createRequire } from "node:module";
import { report, results, withServer } from "./openapi_check.mjs";

const packages = createRequire(new URL("./npm/package.json", import.meta.url));
const oauth = packages("openid-client");
const { AuthorizationCode, ClientCredentials } = packages("simple-oauth2");
const BACK = "https://app.example.com/back";
const PERSON = { name: "Ada", email: "ada@example.com", password: "correct horse battery" };
const STATE = "a b&c=d/ü";

/** Runs one check, which passes unless it throws. */
async function check(name, run) {
  try {
    await run();
    report(name, []);
  } catch (error) {
    report(name, [error.cause ? `${error.message}: ${JSON.stringify(error.cause)}` : error.message]);
  }
}

function expect(condition, message) {
  if (!condition) throw new Error(message);
}

async function post(url, body, key) {
  const headers = { "content-type": "application/json", ...(key && { authorization: `Bearer ${key}` }) };
  const answer = await fetch(url, { method: "POST", body: JSON.stringify(body), headers });
  expect(answer.status === 201, `${url}: ${answer.status}`);
  return answer.json();
}

/** What a browser and a person do with an authorization URL: the address that the page sends them back to. */
async function signIn(url) {
  const page = await fetch(url, { redirect: "manual" }), html = await page.text();
  expect(page.status === 200, `the page: ${page.status} ${html}`);
  const text = (value) => value.replaceAll("&quot;", '"').replaceAll("&#39;", "'").replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">").replaceAll("&amp;", "&");
  const fields = [...html.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)]
    .map(([, name, value]) => [name, text(value)]);
  const action = new URL(/<form method="post" action="([^"]*)">/.exec(html)[1], url);
  const body = new URLSearchParams([...fields, ["email", PERSON.email], ["password", PERSON.password], ["decision", "allow"]]);
  const headers = { cookie: page.headers.get("set-cookie").split(";")[0], origin: action.origin };
  const answer = await fetch(action, { method: "POST", body, headers, redirect: "manual" });
  expect(answer.status === 302, `the form: ${answer.status}`);
  return new URL(answer.headers.get("location"));
}

async function works(origin, token) {
  const answer = await fetch(`${origin}/v1/projects`, { headers: { authorization: `Bearer ${token}` } });
  return answer.status === 200;
}

async function refused(promise, code) {
  const error = await promise.then(() => null, (reason) => reason);
  const said = error?.error ?? error?.data?.payload?.error;
  expect(said === code, `expected ${code}, got ${said ?? error?.message ?? "success"}`);
}

async function checkDiscovered(origin, name, client, authentication) {
  const config = await oauth.discovery(new URL(`${origin}/v1`), client.client_id, {}, authentication,
    { algorithm: "oauth2", execute: [oauth.allowInsecureRequests] });
  const verifier = oauth.randomPKCECodeVerifier();
  const checks = { pkceCodeVerifier: verifier, expectedState: STATE };
  const url = oauth.buildAuthorizationUrl(config, { redirect_uri: BACK, state: STATE, code_challenge_method: "S256",
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier) });
  let tokens, location;
  await check(`${name}: code with PKCE, state and issuer`, async () => {
    location = await signIn(url);
    tokens = await oauth.authorizationCodeGrant(config, location, checks);
    expect(tokens.expires_in === 3600 && await works(origin, tokens.access_token), "the token does not work");
  });
  await check(`${name}: refresh, with rotation`, async () => {
    const next = await oauth.refreshTokenGrant(config, tokens.refresh_token);
    expect(next.refresh_token !== tokens.refresh_token && await works(origin, next.access_token), "no new tokens");
    await refused(oauth.refreshTokenGrant(config, tokens.refresh_token), "invalid_grant");
    expect(!await works(origin, next.access_token), "reuse must end the grant");
  });
  await check(`${name}: revocation`, async () => {
    const some = await oauth.authorizationCodeGrant(config, await signIn(url), checks);
    await oauth.tokenRevocation(config, some.refresh_token);
    expect(!await works(origin, some.access_token), "the grant goes on");
    await oauth.tokenRevocation(config, some.refresh_token);
  });
  await check(`${name}: a code a second time, a wrong verifier`, async () => {
    await refused(oauth.authorizationCodeGrant(config, location, checks), "invalid_grant");
    const pkceCodeVerifier = oauth.randomPKCECodeVerifier();
    await refused(oauth.authorizationCodeGrant(config, await signIn(url), { ...checks, pkceCodeVerifier }), "invalid_grant");
  });
  return config;
}

async function checkSimple(origin, client, authorizationMethod, bodyFormat) {
  const name = `simple-oauth2, ${authorizationMethod}, ${bodyFormat}`;
  const settings = {
    client: { id: client.client_id, secret: client.client_secret }, options: { authorizationMethod, bodyFormat },
    auth: { tokenHost: origin, tokenPath: "/v1/oauth/token", revokePath: "/v1/oauth/revoke" },
  };
  const withPage = { ...settings, auth: { ...settings.auth, authorizePath: "/v1/oauth/authorize" } };
  await check(`${name}: code, refresh and revocation`, async () => {
    const flow = new AuthorizationCode(withPage);
    const location = await signIn(flow.authorizeURL({ redirect_uri: BACK, state: STATE }));
    expect(location.searchParams.get("state") === STATE, "another state");
    const first = await flow.getToken({ code: location.searchParams.get("code"), redirect_uri: BACK });
    const second = await first.refresh();
    expect(await works(origin, second.token.access_token), "the token does not work");
    await second.revokeAll();
    expect(!await works(origin, second.token.access_token), "the grant goes on");
  });
  await check(`${name}: client credentials`, async () => {
    const token = await new ClientCredentials(settings).getToken();
    expect(await works(origin, token.token.access_token), "the token does not work");
  });
}

async function main(origin) {
  const { api_key: key } = await post(`${origin}/v1/auth/register`, PERSON);
  const register = (more) => post(`${origin}/v1/oauth/clients`, { name: "Reports", redirect_uris: [BACK], ...more }, key);
  const confidential = await register(), open = await register({ token_endpoint_auth_method: "none" });
  const secret = confidential.client_secret;
  const config = await checkDiscovered(origin, "openid-client, Basic", confidential, oauth.ClientSecretBasic(secret));
  await check("openid-client, Basic: client credentials", async () => {
    const tokens = await oauth.clientCredentialsGrant(config);
    expect(await works(origin, tokens.access_token), "the token does not work");
    expect(config.serverMetadata().supportsPKCE("S256"), "the metadata do not name S256");
  });
  await checkDiscovered(origin, "openid-client, post", confidential, oauth.ClientSecretPost(secret));
  await checkDiscovered(origin, "openid-client, public", open, oauth.None());
  await checkSimple(origin, confidential, "header", "form");
  await checkSimple(origin, confidential, "body", "json");
}

const [binary, ...rest] = process.argv.slice(2);
if (binary === undefined || binary.startsWith("-") || rest.length > 0) {
  console.error("usage: oauth_check.mjs BINARY");
  process.exit(2);
}
await withServer(binary, main);
console.log(`${results.passed} passed, ${results.failed} failed`);
process.exitCode = results.failed === 0 && results.passed > 0 ? 0 : 1;
