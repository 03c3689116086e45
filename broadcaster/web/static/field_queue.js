// The queue on the telephone: taps that have not reached the server yet, each under a key of its own, so that sending one
// twice changes nothing. Shared by the page (field.js) and the service worker (field_worker.js); the page may be closed.
"use strict";

const FieldQueue = (function () {
  const STORE = "taps";
  const LONGEST = 60000; // milliseconds between two tries
  const KEPT = 7 * 24 * 3600 * 1000; // after that nobody waits for the answer any more
  const FINAL = new Set([400, 403, 404, 409, 410, 413, 415, 422]); // trying again would be refused again

  function open() {
    return new Promise(function (resolve, reject) {
      const asked = indexedDB.open("daohu-field", 1);
      asked.onupgradeneeded = () => asked.result.createObjectStore(STORE, { keyPath: "key" });
      asked.onsuccess = () => resolve(asked.result);
      asked.onerror = () => reject(asked.error);
    });
  }

  async function work(mode, deed) {
    const base = await open();
    try {
      return await new Promise(function (resolve, reject) {
        const transaction = base.transaction(STORE, mode);
        const asked = deed(transaction.objectStore(STORE));
        transaction.oncomplete = () => resolve(asked.result);
        transaction.onabort = () => reject(transaction.error);
      });
    } finally {
      base.close();
    }
  }

  const put = (tap) => work("readwrite", (store) => store.put(tap));
  // A tap that was taken back while it was being sent does not come back.
  const change = (tap) =>
    work("readwrite", function (store) {
      const known = store.getKey(tap.key);
      known.onsuccess = () => known.result !== undefined && store.put(tap);
      return known;
    });
  const drop = (key) => work("readwrite", (store) => store.delete(key));

  // Oldest first: what was tapped first is sent first.
  async function all() {
    const found = await work("readonly", (store) => store.getAll());
    return found.sort((one, other) => one.at - other.at);
  }

  function body(tap) {
    const form = tap.photo ? new FormData() : new URLSearchParams();
    tap.fields.forEach(([name, value]) => form.append(name, value));
    if (tap.photo) form.append("photo", tap.photo, "photo.jpg");
    return form;
  }

  // Whether it is settled, one way or the other.
  async function send(tap) {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), tap.photo ? 180000 : 20000);
    try {
      // Without cookies the server learns from the address in which language a refusal is read.
      const answer = await fetch(tap.url + "?lang=" + (tap.lang || "zh"), {
        method: "POST",
        body: body(tap),
        headers: { Accept: "application/json" },
        credentials: "omit",
        signal: stop.signal,
      });
      if (answer.ok) {
        await drop(tap.key);
        return true;
      }
      if (FINAL.has(answer.status)) {
        const problem = await answer.json().catch(() => ({}));
        await change({ ...tap, photo: null, fields: [], fault: [problem.detail, problem.remedy].filter(Boolean).join(" ") || String(answer.status) });
        return true;
      }
      const after = Number(answer.headers.get("Retry-After")) || 0;
      await later(tap, after * 1000);
    } catch {
      await later(tap, 0);
    } finally {
      clearTimeout(timer);
    }
    return false;
  }

  function later(tap, least) {
    const pause = Math.min(LONGEST, 1000 * 2 ** Math.min(tap.tries, 10)) * (0.75 + Math.random() / 2);
    return change({ ...tap, tries: tap.tries + 1, next: Date.now() + Math.max(pause, least) });
  }

  // Send what is due, or everything at once; how many were settled.
  async function flush(everything) {
    let settled = 0;
    for (const tap of await all()) {
      if (Date.now() - tap.at > KEPT) await drop(tap.key);
      else if (!tap.fault && (everything || tap.next <= Date.now()) && (await send(tap))) settled += 1;
    }
    return settled;
  }

  // One at a time on this telephone, whoever is at it; the server would take a second copy for the first anyway.
  function flushAlone(everything) {
    if (!navigator.locks) return flush(everything);
    return navigator.locks.request("daohu-field", { ifAvailable: true }, (held) => (held ? flush(everything) : 0));
  }

  return { all, put, drop, flush: flushAlone };
})();
