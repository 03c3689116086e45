// Counts the seconds until a rule's alert goes out by itself. The server says how many are left: a telephone's clock may be
// wrong, but it runs.
"use strict";

(function () {
  const AGAIN = 3000; // milliseconds after the end, when a page that does not renew itself asks what became of it
  let last = performance.now();
  let over = false;

  function tick() {
    const now = performance.now();
    for (const timer of document.querySelectorAll("[data-seconds]")) {
      const left = Math.max(0, Number(timer.dataset.seconds) - (now - last) / 1000);
      timer.dataset.seconds = String(left);
      const whole = Math.ceil(left);
      timer.textContent = Math.floor(whole / 60) + ":" + String(whole % 60).padStart(2, "0");
      if (left === 0 && !over && !document.querySelector("[data-cries]")) {
        over = true;
        setTimeout(() => location.reload(), AGAIN);
      }
    }
    last = now;
  }

  setInterval(tick, 1000);
})();
