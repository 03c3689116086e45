// The page of a draft: boxes of one region go together, the map and the text of shapes are one, and what is lost is said.
"use strict";

(function () {
  const form = document.getElementById("compose");
  if (!form) return;

  const boxes = (name) => Array.from(form.querySelectorAll("input[type=checkbox]")).filter((each) => each.name === name);
  const changed = (element) => element.dispatchEvent(new Event("change", { bubbles: true }));

  form.addEventListener("change", (event) => {
    const box = event.target;
    if (!box.name || !box.name.startsWith("region-")) return;
    boxes(box.name).forEach((each) => { each.checked = box.checked; });
    if (map) map.paint();
  });

  // What the reader has opened stays open when its content is new.
  const opened = new Set();
  document.body.addEventListener("htmx:oobBeforeSwap", (event) => {
    opened.clear();
    event.detail.target.querySelectorAll("details[open][id]").forEach((each) => opened.add(each.id));
  });
  document.body.addEventListener("htmx:oobAfterSwap", (event) => {
    opened.forEach((id) => {
      const [found] = event.detail.target.querySelectorAll("#" + id);
      if (found) found.open = true;
    });
  });

  // Regions that come later are ticked where their chosen twin is.
  document.body.addEventListener("htmx:afterSettle", () => {
    form.querySelectorAll(".below input[type=checkbox], #found input[type=checkbox]").forEach((each) => {
      each.checked = boxes(each.name).some((one) => one.checked);
    });
  });

  // The answer says nothing where it did not come from us: signed out, cut off, refused.
  document.body.addEventListener("htmx:afterRequest", (event) => {
    const asked = event.detail.requestConfig;
    if (!asked || !asked.path.endsWith("/save")) return;
    const came = event.detail.successful && event.detail.xhr.responseURL.includes(asked.path);
    if (!came) document.getElementById("saved").textContent = form.dataset.lost;
  });

  const place = document.getElementById("map");
  let map = null;
  if (place && window.L) {
    const shapes = document.getElementById("shapes");
    const words = place.dataset;
    place.hidden = false;
    place.setAttribute("role", "application");
    place.setAttribute("aria-label", words.label);
    map = new window.DaohuMap(place, {
      outlines: words.outlines,
      isChosen: (code) => boxes("region-" + code).some((each) => each.checked),
      toggle: toggle,
      shapes: () => shapes.value,
      write: (text) => { shapes.value = text; shapes.closest("details").open = true; changed(shapes); },
    });
    shapes.addEventListener("input", () => map.draw());
    tools(place, words, shapes);
    map.load();
  }

  function toggle(code, name) {
    let [box] = boxes("region-" + code);
    if (!box) {
      const item = document.createElement("li");
      const label = item.appendChild(document.createElement("label"));
      label.className = "tick chip";
      box = label.appendChild(document.createElement("input"));
      Object.assign(box, { type: "checkbox", name: "region-" + code });
      label.append(" ", name);
      document.getElementById("chosen").append(item);
    }
    box.checked = !box.checked;
    changed(box);
  }

  function tools(before, words, shapes) {
    const bar = document.createElement("div");
    bar.className = "row map-tools";
    const hint = document.createElement("p");
    hint.className = "faint";
    hint.setAttribute("role", "status");
    const button = (text, press) => {
      const made = document.createElement("button");
      Object.assign(made, { type: "button", textContent: text });
      made.addEventListener("click", press);
      bar.append(made);
      return made;
    };
    const say = (text) => { hint.textContent = text; };
    button(words.polygon, () => { map.begin("polygon"); say(words.hintPolygon); });
    button(words.circle, () => { map.begin("circle"); say(words.hintCircle); });
    button(words.finish, () => { map.finish(); say(""); });
    button(words.undo, () => {
      shapes.value = shapes.value.trim().split("\n").slice(0, -1).join("\n");
      map.draw();
      changed(shapes);
    });
    before.before(bar, hint);
  }
})();
