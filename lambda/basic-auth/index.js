// Lambda@Edge on viewer-request: HTTP Basic authentication (RFC 7617), then the route.
//
// In: the viewer-request event. Out: the request without its Authorization header, or a generated response (401, 200 for the
//     health path, 302, 400).
// Never: throws (CloudFront would answer 502), admits anybody while its credential is missing or malformed, logs a credential,
//        hands the Authorization header on.
//
// Configuration is part of the code, since Lambda@Edge has no environment variables. Node.js 22 and 24, CommonJS, no dependencies.

"use strict";

const crypto = require("node:crypto");
const { isUtf8 } = require("node:buffer");

// --- build: route(), the configuration and the password hash take the place of this block ---
const { route, unreadable, PAGE_POLICY, PAGE_TYPE } = require("../routing/route.js");
const CONFIG = {
  username: "",
  realm: "",
  entryPath: "/",
  indexDocument: "/index.html",
  healthPath: "",
  domain: "",
  fileExtensions: " ",
  hashedPaths: [],
  redirects: [],
  redirectHosts: [],
  strictTransportSecurity: "max-age=63072000",
};
const PASSWORD_HASH = "";
// --- end build ---

// Room for a user name of 255 octets and a password of 1,024 in base64.
const HEADER_LIMIT = 2048;
const VERIFIED_LIMIT = 100;
const VERIFIED_AGE_MS = 15 * 60 * 1000;
const REFUSED_LIMIT = 1000;

// The accepted forms, also enforced by the template's parameter and by the tool that makes them: anything else is malformed.
// N above 2^15 would not finish within the 5 s that 128 MB (a fourteenth of a core) have.
const PASSWORD_HASH_FORM = /^\$(?:scrypt\$ln=(1[45]),r=8,p=1|hmac-sha256)\$([A-Za-z0-9+/]{21}[AQgw])\$([A-Za-z0-9+/]{42}[AEIMQUYcgkosw048])$/;

const PAGE =
  '<!doctype html><html lang="en"><meta charset="utf-8"><title>401 Unauthorized</title>' +
  "<h1>401 Unauthorized</h1><p>This site asks for a user name and a password.</p></html>\n";

function createHandler({ config, passwordHash, now = Date.now, write = (line) => process.stdout.write(line), derive = derived }) {
  const credential = parseCredential(config.username, passwordHash);
  const verified = new Map(); // SHA-256 of the header -> time until which it counts
  const refused = new Set(); // SHA-256 of the header
  const pending = new Map(); // SHA-256 of the header -> promise of the verdict
  const { page, head } = unauthorizedResponses(config);

  if (credential === null) {
    log("ERROR", "Basic Auth has no usable credential: the user name or the password hash is missing or malformed, so everybody is refused", {
      remedy: "python deploy.py set-password --env ENVIRONMENT, then deploy again",
    });
  }

  function log(level, message, fields) {
    try {
      write(JSON.stringify({ timestamp: new Date(now()).toISOString(), level, message, ...fields }) + "\n");
    } catch {
      // A visitor must not pay for a log line that cannot be written.
    }
  }

  function refuse(cf, reason) {
    log("WARN", "credentials refused", { reason, requestId: cf.config?.requestId, clientIp: cf.request.clientIp });
    return false;
  }

  // True, false, or a promise of one of them; a promise only for a header seen for the first time.
  function authorize(cf) {
    const values = cf.request.headers.authorization;
    if (values === undefined) {
      return false; // The first request of every visit: no log line.
    }
    if (values.length !== 1) {
      return refuse(cf, "not exactly one header");
    }
    const header = values[0].value;
    if (typeof header !== "string" || header.length > HEADER_LIMIT) {
      return refuse(cf, "oversized");
    }
    const digest = crypto.hash("sha256", header);
    const until = verified.get(digest);
    if (until !== undefined) {
      if (now() < until) {
        return true;
      }
      verified.delete(digest);
    }
    if (refused.has(digest)) {
      return refuse(cf, "refused before");
    }
    return authorizeFirst(cf, header, digest);
  }

  // scrypt runs off the event loop; requests that bring the same header meanwhile wait for the same verdict. At the edge these are few: an
  // execution environment is given one request at a time.
  function authorizeFirst(cf, header, digest) {
    const guess = parseHeader(header);
    if (guess === null) {
      return refuse(cf, "malformed");
    }
    if (credential === null) {
      return refuse(cf, "no credential configured");
    }
    let verdict = pending.get(digest);
    if (verdict === undefined) {
      verdict = verify(guess, digest);
      pending.set(digest, verdict);
      const done = () => pending.delete(digest);
      verdict.then(done, done);
    }
    return verdict.then((matches) => matches || refuse(cf, "wrong user name or password"));
  }

  // Both are always checked, whichever is wrong.
  async function verify(guess, digest) {
    const userMatches = crypto.timingSafeEqual(sha256(guess.username), credential.usernameDigest);
    const passwordMatches = crypto.timingSafeEqual(await derive(guess.password, credential), credential.hash);
    const matches = (userMatches & passwordMatches) === 1;
    if (matches) {
      remember(verified, VERIFIED_LIMIT, () => verified.set(digest, now() + VERIFIED_AGE_MS));
      log("INFO", "credentials verified");
    } else {
      remember(refused, REFUSED_LIMIT, () => refused.add(digest));
    }
    return matches;
  }

  return async function handler(event) {
    try {
      const cf = event.Records[0].cf;
      const request = cf.request;
      const host = request.headers?.host?.[0]?.value;
      const decision = route(request.uri, config, host);
      if (decision.action === "health") {
        return generated("200", "OK", config);
      }
      // To the site's own name first: a browser would ask for the password twice, once for each name.
      if (decision.action === "redirect" && decision.location.charAt(0) !== "/") {
        return redirect(decision, request, config);
      }
      const verdict = authorize(cf);
      if (verdict !== true && (verdict === false || !(await verdict))) {
        return request.method === "HEAD" ? head : page;
      }
      if (decision.action === "redirect") {
        return redirect(decision, request, config);
      }
      if (decision.action === "reject") {
        const refusal = generated("400", "Bad Request", config, { "content-security-policy": PAGE_POLICY, "content-type": PAGE_TYPE });
        return request.method === "HEAD" ? refusal : { ...refusal, bodyEncoding: "text", body: unreadable(config) };
      }
      // Copied without it: twice as fast as delete, which turns the object into a dictionary.
      const { authorization, ...headers } = request.headers;
      request.headers = headers;
      request.uri = decision.uri;
      return request;
    } catch (error) {
      // The name only: a message could quote what the visitor sent.
      log("ERROR", "request refused because it could not be examined", { error: error?.name, code: error?.code });
      return page;
    }
  };
}

// Oldest out first. Verified and refused headers live apart, so that guesses cannot push out a visitor.
function remember(store, limit, add) {
  if (store.size >= limit) {
    store.delete(store.keys().next().value);
  }
  add();
}

// {usernameDigest, salt, hash, N, r, p}, without N, r and p for a generated password, or null where the configuration cannot be trusted.
function parseCredential(username, passwordHash) {
  const match = typeof passwordHash === "string" ? PASSWORD_HASH_FORM.exec(passwordHash) : null;
  if (match === null || typeof username !== "string" || !/^[^:\x00-\x1f\x7f]+$/.test(username)) {
    return null;
  }
  return {
    usernameDigest: sha256(username.normalize("NFC")),
    salt: Buffer.from(match[2], "base64"),
    hash: Buffer.from(match[3], "base64"),
    ...(match[1] && { N: 2 ** Number(match[1]), r: 8, p: 1 }),
  };
}

// RFC 7617 section 2: "Basic" in any case, spaces, canonical base64 of "user:password" in UTF-8 without control characters; the
// first colon separates. Both parts in Unicode Normalization Form C (section 2.1). Null where it is anything else.
function parseHeader(header) {
  const match = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(header);
  if (match === null) {
    return null;
  }
  const octets = Buffer.from(match[1], "base64");
  if (octets.toString("base64") !== match[1] || !isUtf8(octets)) {
    return null;
  }
  const text = octets.toString("utf8");
  const colon = text.indexOf(":");
  if (colon < 0 || /[\x00-\x1f\x7f]/.test(text)) {
    return null;
  }
  return { username: text.slice(0, colon).normalize("NFC"), password: text.slice(colon + 1).normalize("NFC") };
}

function sha256(text) {
  return crypto.createHash("sha256").update(text, "utf8").digest();
}

// scrypt makes guesses of a password that somebody chose expensive. A generated one cannot be guessed, so a salted HMAC is enough, and
// execution environments that start side by side answer at once.
function derived(password, credential) {
  return credential.N ? scrypt(password, credential) : crypto.createHmac("sha256", credential.salt).update(password, "utf8").digest();
}

// RFC 7914, in the thread pool. `length` octets, by default as many as the stored hash has.
function scrypt(password, { salt, hash, N, r, p, length = hash.length }) {
  return new Promise((resolve, reject) => {
    crypto.scrypt(password, salt, length, { N, r, p, maxmem: 64 * 1024 * 1024 }, (error, key) => (error ? reject(error) : resolve(key)));
  });
}

// A permanent redirect may be remembered, but not for as long as browsers do by themselves: the table of redirects can change.
function redirect(decision, request, config) {
  const permanent = decision.status === 301 || decision.status === 308;
  const headers = { location: withQuery(decision.location, request.querystring) };
  return generated(String(decision.status), "Redirect", config, permanent ? { ...headers, "cache-control": "private, max-age=3600" } : headers);
}

// The response CloudFront expects: status as a string, header names in lower case, no header it forbids.
function generated(status, statusDescription, config, headers = {}) {
  const all = {
    "cache-control": "no-store",
    "strict-transport-security": config.strictTransportSecurity,
    "x-content-type-options": "nosniff",
    ...headers,
  };
  return {
    status,
    statusDescription,
    headers: Object.fromEntries(Object.entries(all).map(([name, value]) => [name, [{ key: name, value }]])),
  };
}

// A realm is a quoted-string (RFC 9110 section 5.6.4). It has no encoding beyond ASCII, so anything else becomes "?".
function unauthorizedResponses(config) {
  const realm = String(config.realm).replace(/[^\x20-\x7e]/g, "?").replace(/["\\]/g, "\\$&");
  const head = generated("401", "Unauthorized", config, {
    "content-security-policy": PAGE_POLICY,
    "content-type": PAGE_TYPE,
    "www-authenticate": `Basic realm="${realm}", charset="UTF-8"`,
  });
  return { head: deepFreeze(head), page: deepFreeze({ ...head, bodyEncoding: "text", body: PAGE }) };
}

function deepFreeze(value) {
  if (typeof value === "object") {
    Object.values(value).forEach(deepFreeze);
  }
  return Object.freeze(value);
}

// A query that a header line cannot carry is dropped.
function withQuery(location, query) {
  return typeof query === "string" && /^[\x21-\x7e]+$/.test(query) ? `${location}?${query}` : location;
}

module.exports = { handler: createHandler({ config: CONFIG, passwordHash: PASSWORD_HASH }), createHandler, parseHeader, scrypt };
