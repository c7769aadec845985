// The review works without it: it opens and closes everything at once, and opens the stack that a link of the picture leads to.
"use strict";

for (const button of document.querySelectorAll("button[data-open]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    for (const details of document.querySelectorAll("details")) {
      details.open = button.dataset.open === "1";
    }
  });
}

function reveal() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target && target.tagName === "DETAILS") {
    target.open = true;
    target.scrollIntoView();
  }
}

addEventListener("hashchange", reveal);
reveal();
