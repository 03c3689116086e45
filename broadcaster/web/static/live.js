// Keeps the status part of an alert's page up to date. The page is whole without it: reloading shows the same.
"use strict";

(function () {
  const status = document.getElementById("status");
  const line = document.getElementById("line");
  if (!status || !window.EventSource) return;

  const PAUSE = 2000; // milliseconds between two fetches, however fast the events come
  let wanted = false;
  let busy = false;

  async function refresh() {
    if (busy) {
      wanted = true;
      return;
    }
    busy = true;
    wanted = false;
    try {
      const answer = await fetch(status.dataset.status, { headers: { Accept: "text/html" }, redirect: "error" });
      if (answer.ok) replace(await answer.text());
    } catch {
      lost(true);
    }
    setTimeout(function () {
      busy = false;
      if (wanted) refresh();
    }, PAUSE);
  }

  // What the reader has opened and written, and where the keyboard stands, stays as it is. By name, not by place: lists
  // grow and shrink meanwhile, and a number must not slip to another unit.
  function replace(text) {
    const open = new Map(Array.from(status.querySelectorAll("details"), (each) => [each.id, each.open]));
    const written = new Map(Array.from(status.querySelectorAll("input[id]"), (each) => [each.id, each.value]));
    const writing = status.contains(document.activeElement) ? document.activeElement.id : "";
    const regions = Array.from(status.querySelectorAll("[tabindex]"));
    const focused = regions.indexOf(document.activeElement);
    const places = regions.map((each) => each.scrollLeft);
    status.innerHTML = text; // our own page, escaped by the server; scripts in it would not run
    status.querySelectorAll("details").forEach((each) => {
      if (open.has(each.id)) each.open = open.get(each.id);
    });
    status.querySelectorAll("input[id]").forEach((each) => {
      if (written.has(each.id)) each.value = written.get(each.id);
      if (each.id === writing) each.focus({ preventScroll: true });
    });
    status.querySelectorAll("[tabindex]").forEach((each, place) => {
      if (place in places) each.scrollLeft = places[place];
      if (place === focused) each.focus({ preventScroll: true });
    });
  }

  function lost(yes) {
    line.hidden = !yes;
    line.textContent = yes ? status.dataset.lost : "";
  }

  const source = new EventSource(status.dataset.events);
  source.addEventListener("open", () => lost(false));
  source.addEventListener("error", () => lost(true));
  let first = true; // the page has just been made: its first event tells nothing new
  source.addEventListener("progress", () => {
    if (!first) refresh();
    first = false;
  });
})();
