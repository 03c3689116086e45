// The service worker of /r/: opens a reply page without network, and sends what waits when the line is back. What it keeps
// holds names and numbers of households, so it is little and not for long: the latest links only, each until its alert is
// over or the server does not know it any more. Served behind field_queue.js, as one script.
"use strict";

const PAGES = "daohu-field-pages";
const PARTS = "daohu-field-parts";
const MOST_LINKS = 4;
const MOST_PARTS = 30;
const PATIENCE = 4000; // milliseconds until a page that is kept is shown instead
const FOR = "X-Daohu-Keep-For"; // seconds from now: the telephone's clock may be wrong, but it runs
const UNTIL = "X-Daohu-Kept-Until"; // our own mark, milliseconds of the telephone's clock

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(sweep().then(() => self.clients.claim())));
self.addEventListener("sync", (event) => event.waitUntil(send()));
self.addEventListener("message", (event) => event.waitUntil(stock(event.data || {})));

self.addEventListener("fetch", function (event) {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  if (url.pathname.startsWith("/static/") && url.search) event.respondWith(part(event.request));
  else if (url.pathname.startsWith("/r/") && url.pathname !== "/r/worker.js") event.respondWith(page(event));
});

async function send() {
  await FieldQueue.flush(true);
  for (const client of await self.clients.matchAll()) client.postMessage("sent");
  if ((await FieldQueue.all()).some((tap) => !tap.fault)) throw new Error("some are left"); // the browser tries again
}

// A page: the server's when it answers soon, else the one that is kept, marked as such.
async function page(event) {
  const url = new URL(event.request.url);
  const asked = fetch(event.request).then(async function (answer) {
    if (!url.search) await keep(url.pathname, answer.clone());
    return answer;
  });
  const kept = await (await caches.open(PAGES)).match(url.pathname);
  if (!kept || Number(kept.headers.get(UNTIL)) < Date.now()) return asked;
  event.waitUntil(asked.catch(() => {}));
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE));
  const first = await Promise.race([asked.catch(() => undefined), late]);
  if (first && first.status < 500) return first;
  const text = await kept.text();
  return new Response(text.replace('data-kept="no"', 'data-kept="yes"'), { headers: kept.headers });
}

// Only the bare path is kept: further pages and what was said are not.
async function keep(path, answer) {
  if (answer.status >= 500 || answer.status === 429) return;
  const pages = await caches.open(PAGES);
  const link = path.split("/", 3).join("/");
  const seconds = Number(answer.headers.get(FOR));
  if (answer.ok && seconds > 0) {
    const headers = new Headers(answer.headers);
    headers.set(UNTIL, String(Date.now() + seconds * 1000));
    await pages.put(path, new Response(await answer.blob(), { headers })); // in place of the old one, without a gap
  } else {
    await pages.delete(path);
    await pages.delete(link + "/doors");
  }
  await sweep();
}

async function sweep() {
  const pages = await caches.open(PAGES);
  const links = new Set();
  for (const request of (await pages.keys()).reverse()) {
    const kept = await pages.match(request);
    if (!kept) continue; // another answer has taken it away meanwhile
    links.add(new URL(request.url).pathname.split("/", 3).join("/"));
    if (links.size > MOST_LINKS || Number(kept.headers.get(UNTIL)) < Date.now()) await pages.delete(request);
  }
}

async function part(request) {
  const parts = await caches.open(PARTS);
  const kept = await parts.match(request.url);
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok) {
    await parts.put(request.url, answer.clone());
    const known = await parts.keys();
    for (const old of known.slice(0, Math.max(0, known.length - MOST_PARTS))) await parts.delete(old);
  }
  return answer;
}

// The first page was there before this worker: it says what it is made of.
async function stock(asked) {
  for (const path of asked.pages || []) {
    const answer = await fetch(path).catch(() => undefined);
    if (answer) await keep(path, answer);
  }
  for (const url of asked.parts || []) await part(new Request(url)).catch(() => {});
}
