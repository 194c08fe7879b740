"use strict";
// Where pages are served by HTTPS or from localhost: keeps the last answer of each address for when
// the server is away. Scripts that fetch are told the truth; only what a browser loads is replaced.
const STORE = "beffroi-1", MOST = 80, WAIT_MS = 4000;
const SHELL = ["/static/board.css", "/static/board.js", "/static/belfry.svg"];
const NEVER = /^\/(events|healthz|metrics|sw\.js)/;

addEventListener("install", (event) => {
  skipWaiting();
  event.waitUntil(caches.open(STORE).then((store) => store.addAll(SHELL)));
});

addEventListener("activate", (event) => {
  const drop = async () => {
    for (const name of await caches.keys()) if (name !== STORE) await caches.delete(name);
    await clients.claim();
    // The page that brought this script came before it.
    for (const { url } of await clients.matchAll()) {
      await fetched(url);
      const { pathname } = new URL(url);
      if (pathname.startsWith("/screen/")) await fetched(pathname + ".css");
    }
  };
  event.waitUntil(drop());
});

const keep = async (request, answer) => {
  const store = await caches.open(STORE);
  await store.delete(request);
  await store.put(request, answer);
  for (const old of (await store.keys()).slice(0, -MOST)) await store.delete(old);
};

const fetched = async (url) => {
  const answer = await fetch(url).catch(() => {});
  if (answer?.ok) await keep(new Request(url), answer);
};

const answered = async (event) => {
  const { request } = event;
  const asked = fetch(request).then((answer) => {
    if (answer.ok) event.waitUntil(keep(request, answer.clone()));
    return answer;
  });
  if (!request.destination) return asked;
  const late = new Promise((resolve) => setTimeout(resolve, WAIT_MS));
  const answer = await Promise.race([asked, late]).catch(() => {});
  if (answer && answer.status < 500) return answer;
  const ignoreSearch = new URL(request.url).pathname.startsWith("/screen/");
  return (await caches.match(request)) ?? (await caches.match(request, { ignoreSearch })) ?? asked;
};

addEventListener("fetch", (event) => {
  const { request } = event, { origin, pathname } = new URL(request.url);
  if (request.method === "GET" && origin === location.origin && !NEVER.test(pathname))
    event.respondWith(answered(event));
});
