// The one routing rule of the site: what a request path means.
//
// In: the path of a request as CloudFront hands it over (percent-encoded, without the query string) and
//     {entryPath: "/buy" or "/", indexDocument: "/index.html", healthPath: "/healthz" or ""}.
// Out: {action: "rewrite", uri} | {action: "pass", uri} | {action: "redirect", location} | {action: "health"} | {action: "reject"}.
// Never: throws, keeps state, or lets the path into a redirect. Plain ECMAScript 5.1, since it also runs in cloudfront-js-2.0.
//
// The table of answers is in ../README.md, the vectors in tests/edge/vectors.json.

function route(uri, config) {
  if (typeof uri !== "string" || uri.charAt(0) !== "/" || uri.length > 8192) {
    return { action: "reject" };
  }
  if (uri === config.healthPath) {
    return { action: "health" };
  }
  var entry = config.entryPath;
  // AWS does not say whether the default root object has been put in the place of "/" before this runs: both forms lead to the app.
  if (entry !== "/" && (uri === "/" || uri === config.indexDocument)) {
    return { action: "redirect", location: entry };
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
  // The browser's router sees the raw path, so the entry path must stand there literally.
  var base = entry === "/" ? "" : entry;
  if (uri !== entry && uri.indexOf(base + "/") !== 0) {
    return { action: "pass", uri: uri };
  }
  var rest = path.slice(base.length);
  var last = rest.slice(rest.lastIndexOf("/") + 1);
  var extension = last.indexOf(".") < 0 ? "" : last.slice(last.lastIndexOf(".") + 1);
  // Hidden segments (.well-known, .git) and names with an extension are files; ".2" in "v1.2" is no extension.
  if (/\/\./.test(rest) || /[^0-9]/.test(extension)) {
    return { action: "pass", uri: uri };
  }
  return { action: "rewrite", uri: config.indexDocument };
}

// --- node only ---
module.exports = { route: route };
// --- end node only ---
