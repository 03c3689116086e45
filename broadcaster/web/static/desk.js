// Keeps what somebody must see to up to date on the start page. The page is whole without it: reloading shows the same.
"use strict";

(function () {
  const EVERY = 5000; // milliseconds
  const page = document.getElementById("live");
  const line = document.getElementById("line");
  if (!page || !window.Idiomorph) return;
  const title = document.title;

  function say(lost) {
    if (line.hidden !== lost) return;
    line.hidden = !lost;
    line.textContent = lost ? page.dataset.lost : "";
  }

  // How many go out by themselves unless somebody vetoes them: seen in the tab, whatever is in front.
  function mark() {
    const held = page.querySelectorAll("[data-seconds]").length;
    document.title = held ? "(" + held + ") " + title : title;
  }

  async function look() {
    let answer;
    try {
      answer = await fetch(page.dataset.from, { redirect: "manual", cache: "no-store" });
    } catch {
      say(true);
      return;
    }
    if (answer.type === "opaqueredirect") location.reload(); // signed out
    say(!answer.ok);
    if (!answer.ok) return;
    window.Idiomorph.morph(page, await answer.text(), KEPT);
    mark();
    page.dispatchEvent(new Event("shown"));
  }

  mark();
  setInterval(look, EVERY);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && look());
})();
