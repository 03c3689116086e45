// The reply page and the list of doors over a bad line: taps go into the queue on the telephone and are sent with retries;
// what waits is shown and counted. Without this script, and where the browser keeps nothing, the forms work by themselves.
"use strict";

(function () {
  const PICTURE = 1600; // pixels of the longer side: a photo is made small before it is sent
  const outbox = document.getElementById("outbox");
  if (!outbox || !window.indexedDB || !window.fetch) return;
  let timer = 0;
  let queueing = true; // until the browser refuses to keep anything

  document.addEventListener("submit", function (event) {
    const form = event.target;
    if (!queueing || form.method !== "post") return;
    event.preventDefault();
    take(form, event.submitter).catch(function () {
      queueing = false;
      form.requestSubmit(event.submitter);
    });
  });

  // Buttons are dead from here on: a second tap has nothing to tap on.
  async function take(form, submitter) {
    if (form.dataset.busy) return;
    form.dataset.busy = "yes";
    try {
      const fields = [];
      let photo = null;
      const given = new FormData(form);
      if (submitter && submitter.name) given.append(submitter.name, submitter.value);
      for (const [name, value] of given) {
        if (name === "key") continue;
        if (typeof value === "string") fields.push([name, value]);
        else photo = await small(value);
      }
      const key = newKey();
      const label = [form.dataset.label, submitter && submitter.textContent.trim()].filter(Boolean);
      await FieldQueue.put({
        key,
        url: form.getAttribute("action"),
        fields: [["key", key], ...fields],
        photo,
        lang: document.documentElement.lang.slice(0, 2),
        mark: form.dataset.tap || "",
        label: Array.from(new Set(label)).join(" "),
        at: Date.now(),
        tries: 0,
        next: 0,
      });
      if (!form.dataset.tap) form.reset();
      await show();
    } finally {
      delete form.dataset.busy;
    }
    await flush(false);
  }

  function newKey() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  async function small(file) {
    try {
      const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
      const scale = Math.min(1, PICTURE / Math.max(picture.width, picture.height));
      const canvas = document.createElement("canvas");
      canvas.width = Math.max(1, Math.round(picture.width * scale));
      canvas.height = Math.max(1, Math.round(picture.height * scale));
      canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
      const made = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.8));
      return made && made.size < file.size ? made : file;
    } catch {
      return file; // the server says what is wrong with it
    }
  }

  async function flush(everything) {
    clearTimeout(timer);
    const settled = await FieldQueue.flush(everything);
    const left = (await show()).filter((tap) => !tap.fault);
    if (settled) await arrived(left);
    if (left.length) {
      const next = Math.min(...left.map((tap) => tap.next)) - Date.now();
      timer = setTimeout(() => flush(false), Math.min(60000, Math.max(1000, next)));
      wake();
    }
  }

  // Something has been sent: what the server says now, and that all of it is there.
  async function arrived(left) {
    await renew();
    if (!left.length && document.getElementById("faults").hidden) document.getElementById("sent").hidden = false;
  }

  // The browser has sent what waited, by the worker, while the page is open.
  async function sentForUs() {
    const waited = !outbox.hidden;
    const left = (await show()).filter((tap) => !tap.fault);
    if (waited) await arrived(left);
  }

  async function show() {
    const taps = await FieldQueue.all();
    const waiting = taps.filter((tap) => !tap.fault);
    outbox.hidden = waiting.length === 0;
    document.getElementById("waiting").textContent = String(waiting.length);
    list(waiting);
    if (waiting.length) document.getElementById("sent").hidden = true;
    const marked = new Set(waiting.filter((tap) => tap.mark).map((tap) => tap.url + " " + tap.mark));
    document.querySelectorAll("form[data-tap]").forEach(function (form) {
      const held = marked.has(form.getAttribute("action") + " " + form.dataset.tap);
      form.classList.toggle("waiting", held);
      form.querySelectorAll("button").forEach((button) => (button.disabled = held));
    });
    faults(taps.filter((tap) => tap.fault));
    return taps;
  }

  // Each with a button that takes it back as long as it has not been sent; what has been is put right on the page.
  function list(taps) {
    const place = document.getElementById("labels");
    place.replaceChildren();
    taps.forEach(function (tap) {
      const line = document.createElement("li");
      line.textContent = tap.label + " ";
      line.append(closer(place.dataset.drop, tap));
      place.append(line);
    });
  }

  function closer(words, tap) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = words;
    button.addEventListener("click", () => FieldQueue.drop(tap.key).then(show));
    return button;
  }

  function faults(taps) {
    const place = document.getElementById("faults");
    place.replaceChildren();
    place.hidden = taps.length === 0;
    taps.forEach(function (tap) {
      const line = document.createElement("p");
      line.className = "fault";
      line.textContent = tap.label + ": " + tap.fault + " ";
      line.append(closer(place.dataset.close, tap));
      place.append(line);
    });
  }

  // Put in what the server says now, part by part; what somebody is writing meanwhile stays.
  async function renew() {
    try {
      const answer = await fetch(location.pathname + location.search.replace(/[?&]said=[^&]*/, ""));
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const open = Array.from(document.querySelectorAll("details[open]"), (each) => each.id);
      for (const id of ["standing", "figures", "photos", "doors"]) {
        const now = document.getElementById(id);
        const then = page.getElementById(id);
        if (now && then) now.replaceWith(then);
      }
      document.getElementById("kept").hidden = true;
      open.forEach(function (id) {
        const each = document.getElementById(id);
        if (each) each.open = true;
      });
      await show();
    } catch {
      // the next one that is sent tries again
    }
  }

  // The browser may send what waits when the line is back, even when the page is closed by then.
  async function wake() {
    try {
      const worker = await navigator.serviceWorker.ready;
      if (worker.sync) await worker.sync.register("daohu-field");
    } catch {
      // it is sent when the page is open
    }
  }

  async function settle() {
    document.getElementById("kept").hidden = document.body.dataset.kept !== "yes";
    if (navigator.serviceWorker) {
      navigator.serviceWorker.register("/r/worker.js").catch(() => {});
      navigator.serviceWorker.addEventListener("message", sentForUs);
      const worker = await Promise.race([navigator.serviceWorker.ready, new Promise((resolve) => setTimeout(resolve, 10000))]);
      const parts = Array.from(document.querySelectorAll("link[href], script[src]"), (each) => each.href || each.src);
      const pages = [location.pathname, document.body.dataset.doors].filter(Boolean);
      if (worker && worker.active) worker.active.postMessage({ pages, parts });
    }
  }

  document.getElementById("retry").addEventListener("click", () => flush(true));
  window.addEventListener("online", () => flush(true));
  document.addEventListener("visibilitychange", function () {
    if (document.visibilityState === "visible") flush(false);
  });
  flush(true).catch(() => (queueing = false));
  settle();
})();
