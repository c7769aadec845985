// The one routing rule of the site: what a request path means.
//
// In: the path of a request as CloudFront hands it over (percent-encoded, without the query string), the Host that was asked for, and
//     {entryPath: "/buy" or "/", indexDocument: "/index.html", healthPath: "/healthz" or "", domain: "example.org",
//     fileExtensions: " css js ", hashedPaths: ["/assets/*"], redirects: [["/old/*", "/buy/*", 301]], redirectHosts: ["www.example.org"]}.
// Out: {action: "rewrite", uri} | {action: "pass", uri} | {action: "redirect", location, status} | {action: "health"} | {action: "reject"}.
// Never: throws, keeps state, or lets a path choose the host of a redirect. Plain ECMAScript 5.1, since it also runs in cloudfront-js-2.0.
//
// The table of answers is in ../README.md, the vectors in tests/edge/vectors.json; the same rule in Python is website/routing.py.

function route(uri, config, host) {
  if (typeof uri !== "string" || uri.charAt(0) !== "/" || uri.length > 8192) {
    return { action: "reject" };
  }
  // Raw: what no request target may hold. Encoded: control characters and the backslash. And a percent sign without two hexadecimal digits.
  if (/[\x00-\x20\x7f\\?#]|%(?:[01][0-9a-f]|7f|5c|(?![0-9a-f]{2}))/i.test(uri)) {
    return { action: "reject" };
  }
  // Judged as S3 would read it, where %2F separates and %2E is a dot; one decoding only, like S3.
  var path = uri.indexOf("%") < 0 ? uri : uri.replace(/%2f/gi, "/").replace(/%2e/gi, ".");
  // A client-side router could take "//host" for another site; dot segments mean another path to every hop.
  if (path.charAt(1) === "/" || /\/\.\.?(?:\/|$)/.test(path)) {
    return { action: "reject" };
  }
  if (typeof host === "string" && config.redirectHosts.indexOf(host.replace(/:[0-9]+$/, "").toLowerCase()) >= 0) {
    return /[^\x21-\x7e]/.test(uri) ? { action: "reject" } : { action: "redirect", location: "https://" + config.domain + uri, status: 301 };
  }
  if (uri === config.healthPath) {
    return { action: "health" };
  }
  var entry = config.entryPath;
  // AWS does not say whether the default root object has been put in the place of "/" before this runs: both forms lead to the app.
  if (entry !== "/" && (uri === "/" || uri === config.indexDocument)) {
    return { action: "redirect", location: entry, status: 302 };
  }
  for (var i = 0; i < config.redirects.length; i++) {
    var location = redirected(uri, config.redirects[i][0], config.redirects[i][1]);
    if (location !== "") {
      return { action: "redirect", location: location, status: config.redirects[i][2] };
    }
  }
  // The browser's router sees the raw path, so the entry path must stand there literally.
  var base = entry === "/" ? "" : entry;
  if (uri !== entry && uri.indexOf(base + "/") !== 0) {
    return { action: "pass", uri: uri };
  }
  var rest = path.slice(base.length);
  var last = rest.slice(rest.lastIndexOf("/") + 1);
  var extension = /\.([A-Za-z0-9_]+)$/.exec(last);
  // Hidden segments (.well-known, .git), known extensions and whatever lies where hashed files do are files; all else is a route of the app.
  if (/\/\./.test(rest) || (extension && config.fileExtensions.indexOf(" " + extension[1].toLowerCase() + " ") >= 0)) {
    return { action: "pass", uri: uri };
  }
  for (var n = 0; n < config.hashedPaths.length; n++) {
    if (matches(config.hashedPaths[n], uri)) {
      return { action: "pass", uri: uri };
    }
  }
  return { action: "rewrite", uri: config.indexDocument };
}

// Where a redirect leads for a path, or "". What a trailing asterisk stands for is put in the place of the target's.
function redirected(uri, from, to) {
  var wild = from.charAt(from.length - 1) === "*";
  if (wild ? uri.indexOf(from.slice(0, -1)) !== 0 : uri !== from) {
    return "";
  }
  var rest = wild ? uri.slice(from.length - 1) : "";
  var location = to.charAt(to.length - 1) === "*" ? to.slice(0, -1) + rest : to;
  // Browsers take "//host", and a path that loses its dots, for another place; a header line holds visible ASCII.
  return location.charAt(1) === "/" || /[^\x21-\x7e]/.test(location) ? "" : location;
}

// Path patterns as CloudFront's behaviours have them: "*" is any characters, "?" any one. Without a regular expression, whose cost a path
// could drive up.
function matches(pattern, uri) {
  var p = 0, u = 0, star = -1, mark = 0;
  while (u < uri.length) {
    if (pattern.charAt(p) === "*") {
      star = p++;
      mark = u;
    } else if (p < pattern.length && (pattern.charAt(p) === "?" || pattern.charAt(p) === uri.charAt(u))) {
      p++;
      u++;
    } else if (star >= 0) {
      p = star + 1;
      u = ++mark;
    } else {
      return false;
    }
  }
  while (pattern.charAt(p) === "*") {
    p++;
  }
  return p === pattern.length;
}

// The page of a refusal. Links that hold a bare percent sign (/buy/50%off) lead visitors here.
function unreadable(config) {
  return (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>400 Bad Request</title><h1>This address cannot be read</h1>' +
    '<p>It may have been mistyped, or cut off.</p><p><a href="' + config.entryPath + '">Go to the start page</a></p></html>\n'
  );
}

// Of a page that loads nothing.
var PAGE_POLICY = "default-src 'none'; frame-ancestors 'none'";
var PAGE_TYPE = "text/html; charset=utf-8";

// --- node only ---
module.exports = { route: route, unreadable: unreadable, PAGE_POLICY: PAGE_POLICY, PAGE_TYPE: PAGE_TYPE };
// --- end node only ---
