"use strict";
// The page is whole without this. It adds: fold or unfold all sessions, and a print that shows them unfolded.
(function () {
  const sessions = document.querySelectorAll("details.dialogue");
  const setAll = function (open) { sessions.forEach(function (part) { part.open = open; }); };
  const bar = document.getElementById("fold-bar");
  if (bar && sessions.length > 1) {
    bar.hidden = false;
    document.getElementById("unfold-all").addEventListener("click", function () { setAll(true); });
    document.getElementById("fold-all").addEventListener("click", function () { setAll(false); });
  }
  const reveal = function () {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const part = target && target.querySelector("details.dialogue");
    if (part) { part.open = true; }
  };
  addEventListener("hashchange", reveal);
  addEventListener("beforeprint", function () { setAll(true); });
  reveal();
})();
