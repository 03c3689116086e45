// Keeps what somebody must see to up to date on the start page, and counts the seconds until a rule's alert goes out. The page
// is whole without it: reloading shows the same.
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

  // The server says how many seconds are left: a telephone's clock may be wrong, but it runs.
  let last = performance.now();
  function tick() {
    const now = performance.now();
    for (const timer of page.querySelectorAll("[data-seconds]")) {
      const left = Math.max(0, Number(timer.dataset.seconds) - (now - last) / 1000);
      timer.dataset.seconds = String(left);
      const whole = Math.ceil(left);
      timer.textContent = Math.floor(whole / 60) + ":" + String(whole % 60).padStart(2, "0");
    }
    last = now;
  }

  mark();
  setInterval(tick, 1000);
  setInterval(look, EVERY);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && look());
})();
