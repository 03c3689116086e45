// The button that prints; without this script the browser's own menu does.
"use strict";

(function () {
  const button = document.getElementById("print");
  if (!button) return;
  button.addEventListener("click", () => window.print());
  button.hidden = false;
})();
