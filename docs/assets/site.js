"use strict";
// What the theme makes in the browser and leaves without a name, or out of the reach of the keyboard.
(() => {
  const complete = () => {
    document.querySelector(".md-search")?.setAttribute("aria-label", "Search");
    for (const each of document.querySelectorAll(".md-typeset__scrollwrap, .md-typeset pre > code")) each.tabIndex = 0;
    for (const [number, each] of document.querySelectorAll(".md-code__nav").entries()) {
      each.setAttribute("aria-label", `Code block ${number + 1}`);
    }
  };
  const start = () => {
    complete();
    // The theme wraps a table, and adds buttons to a block of code, when they come into view.
    new MutationObserver(complete).observe(document.querySelector("article"), { childList: true, subtree: true });
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
