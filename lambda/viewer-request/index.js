// CloudFront Function (cloudfront-js-2.0) on viewer-request, for environments without Basic Auth.
//
// In: the function event. Out: the request, its path rewritten where the route says so, or a generated response.
// Never: serves the health path; without Basic Auth the Route 53 health check asks for the entry path itself.
//
// Event and response: CloudFront Developer Guide, "CloudFront Functions event structure"; rawQueryString(): "General helper methods".

// --- build: route() and the configuration take the place of this block ---
var { route, unreadable, PAGE_POLICY, PAGE_TYPE } = require("../routing/route.js");
var CONFIG = {
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
// --- end build ---

function handler(event) {
  var request = event.request;
  var decision = route(request.uri, CONFIG, request.headers.host && request.headers.host.value);
  if (decision.action === "redirect") {
    // Absent in the console's test runs only, where the query is then lost.
    var query = typeof request.rawQueryString === "function" ? request.rawQueryString() : "";
    var location = query && /^[\x21-\x7e]+$/.test(query) ? decision.location + "?" + query : decision.location;
    return answer(decision.status, "Redirect", { location: { value: location } });
  }
  if (decision.action === "reject") {
    var refusal = answer(400, "Bad Request", { "content-security-policy": { value: PAGE_POLICY }, "content-type": { value: PAGE_TYPE } });
    if (request.method !== "HEAD") {
      refusal.body = { encoding: "text", data: unreadable(CONFIG) };
    }
    return refusal;
  }
  request.uri = decision.uri;
  return request;
}

function answer(status, description, headers) {
  // A permanent redirect may be remembered, but not for as long as browsers do by themselves: the table of redirects can change.
  headers["cache-control"] = { value: status === 301 || status === 308 ? "private, max-age=3600" : "no-store" };
  headers["strict-transport-security"] = { value: CONFIG.strictTransportSecurity };
  headers["x-content-type-options"] = { value: "nosniff" };
  return { statusCode: status, statusDescription: description, headers: headers };
}

// --- node only ---
module.exports = { handler: handler };
// --- end node only ---
