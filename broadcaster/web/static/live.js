// Keeps an alert's live page up to date: parts come over one line as they change, and are morphed into place, so that the
// keyboard's place, what is open and what is being typed stay. The page is whole without it: reloading shows the same.
"use strict";

(function () {
  const page = document.getElementById("live");
  const line = document.getElementById("line");
  if (!page || !window.EventSource || !window.Idiomorph) return;

  function show(name, text) {
    if (name === "shares") {
      page.dispatchEvent(new CustomEvent("shares", { detail: JSON.parse(text) }));
      return;
    }
    if (name === "standing") {
      if (page.dataset.standing !== undefined && page.dataset.standing !== text) renew(text);
      return;
    }
    const part = document.getElementById("part-" + name);
    if (part) window.Idiomorph.morph(part, text, KEPT);
  }

  // Somebody else has done something to the alert itself. Before its issue nothing is typed on its page.
  async function renew(standing) {
    if (page.dataset.issued === undefined) {
      location.replace(location.pathname); // without what was said of an earlier step
      return;
    }
    let answer;
    try {
      answer = await fetch(location.pathname, { cache: "no-store", redirect: "manual" });
    } catch {
      return; // the line is down as well; when it comes back it brings the mark again
    }
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("standing");
    if (!fresh) return;
    window.Idiomorph.morph(document.getElementById("standing"), fresh.innerHTML, KEPT);
    page.dataset.standing = standing;
  }

  function lost(yes) {
    if (line.hidden !== yes) return;
    line.hidden = !yes;
    line.textContent = yes ? page.dataset.lost : "";
  }

  const source = new EventSource(page.dataset.events);
  source.addEventListener("open", () => lost(false));
  source.addEventListener("error", () => {
    lost(true);
    // Refused for good (signed out, say): the browser does not come back by itself.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 10000);
  });
  source.addEventListener("parts", (event) => {
    for (const [name, text] of Object.entries(JSON.parse(event.data))) show(name, text);
    page.dispatchEvent(new Event("shown"));
  });
})();
