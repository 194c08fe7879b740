"use strict";
// Keeps an open page true, and a screen turning: changed texts come by events, all else is fetched.
// Without this script a page is complete, and as old as its last load.
(() => {
  const MISSED_MS = 45000, LOST_MS = 60000, DAY_MS = 86400000, TRY_MS = 10000;
  // Never the wall clock: a screen's may be wrong.
  const now = () => performance.now();
  const main = () => document.querySelector("main");
  const screen = "slides" in main().dataset, evening = main().dataset.night;
  const kept = new Map();
  // What was loaded may come from a worker's store: it is believed for 5 s, until the server speaks.
  let heard = now() + 5000 - LOST_MS, spoke = now(), shown = now(), due = DAY_MS;
  let state = document.body.dataset.state, turns = 0, busy = false, source;
  let halted = new URLSearchParams(location.search).get("rotate") === "0"
    || matchMedia("(prefers-reduced-motion: reduce)").matches;

  const put = (key, text) => {
    for (const el of document.querySelectorAll(`[data-k="${key}"]`)) {
      if (key.endsWith(".turn")) el.setAttribute("transform", text);
      else if (key.endsWith(".state")) el.dataset.state = text;
      else if (el.textContent !== text) el.textContent = text;
    }
  };

  const parse = (text) => new DOMParser().parseFromString(text, "text/html");
  const get = async (url) => {
    const answer = await fetch(url, { cache: "no-store", signal: AbortSignal.timeout(TRY_MS) });
    if (!answer.ok) throw new Error(answer.status);
    return parse(await answer.text());
  };

  const mark = () => {
    const lost = document.getElementById("lost");
    lost.hidden = now() - heard <= LOST_MS;
    const words = lost.hidden ? "" : lost.dataset.words.replace("{0}", main().dataset.at);
    if (lost.textContent !== words) lost.textContent = words;
  };

  const news = () => { heard = spoke = now(); mark(); };

  const listen = () => {
    source?.close();
    source = new EventSource(main().dataset.events);
    source.addEventListener("beat", news);
    source.onmessage = (event) => {
      const { page, at, night, ...texts } = JSON.parse(event.data);
      if (at) main().dataset.at = at;
      for (const key in texts) put(key, texts[key]);
      state = document.body.dataset.state;
      if (night && night !== evening) due = 0;
      if (page && page !== main().dataset.page) (screen ? turn(0) : swap()).catch(() => {});
      news();
    };
  };

  // A page keeps what its reader opened.
  const swap = async () => {
    const old = main(), next = (await get(location.href)).querySelector("main");
    for (const open of old.querySelectorAll("details[open]"))
      next.querySelector(`#${open.id}`)?.setAttribute("open", "");
    const focus = document.activeElement?.closest?.("details")?.id;
    old.replaceWith(next);
    if (focus) next.querySelector(`#${focus} summary`)?.focus();
  };

  // Slides that came once are kept, as many as there are.
  const keep = ({ documentElement: { lang }, body }) => {
    const { slide, slides } = body.querySelector("main").dataset;
    kept.set(slide, { lang, body });
    for (const name of kept.keys()) if (!slides.split(" ").includes(name)) kept.delete(name);
    return { lang, body };
  };
  const address = (name) => {
    const url = new URL(location.href);
    url.searchParams.set("slide", name);
    // Who holds a slide holds it when the page is loaded anew.
    if (halted) url.searchParams.set("rotate", "0");
    else url.searchParams.delete("rotate");
    return url.href;
  };
  const stored = async (name) => {
    const answer = await self.caches?.match(address(name)).catch(() => {});
    return answer && keep(parse(await answer.text()));
  };
  const name = () => {
    const button = document.getElementById("pause");
    if (button) button.textContent = button.dataset[halted ? "go" : "halt"];
  };

  const show = ({ lang, body }) => {
    const focus = document.activeElement?.id;
    document.documentElement.lang = lang;
    body.dataset.state = state;
    if (body !== document.body) document.body.replaceWith(body);
    main().className = `s${++turns % 5}`;
    name();
    mark();
    if (focus) document.getElementById(focus)?.focus();
    listen();
  };

  // The next slide is fetched first; where the server is away, the next that was kept is shown.
  const turn = async (by) => {
    if (busy) return;
    busy = true;
    const names = main().dataset.slides.split(" "), at = names.indexOf(main().dataset.slide);
    let away = false, page;
    for (let n = 1; n <= names.length; n++) {
      const next = names.at((at + by * n) % names.length);
      const fresh = away ? null : await get(address(next)).catch(() => { away = true; });
      if (fresh) state = fresh.body.dataset.state;
      page = fresh ? keep(fresh) : kept.get(next) ?? await stored(next);
      if (page && (fresh || by)) show(page);
      if (page || !by) break;
    }
    // Nothing came and nothing is kept: tried again in 5 s.
    shown = page ? now() : now() + 5000 - main().dataset.dwell * 1000;
    busy = false;
  };

  const acts = {
    previous: () => turn(-1),
    next: () => turn(1),
    pause: () => { halted = !halted; shown = now(); name(); },
  };
  const keys = { " ": "pause", ArrowLeft: "previous", ArrowRight: "next" };

  if (screen) {
    keep(document);
    name();
    addEventListener("click", ({ target }) => acts[target.dataset?.do]?.());
    addEventListener("keydown", (event) => {
      // On a button, space is the button's own.
      if (!keys[event.key] || (event.key === " " && event.target.dataset.do)) return;
      event.preventDefault();
      acts[keys[event.key]]();
    });
  }

  setInterval(() => {
    const time = now();
    mark();
    if (source.readyState === EventSource.CLOSED) listen();
    if (time - spoke > MISSED_MS || time > due) {
      // Loaded anew only after a fetch that succeeded.
      spoke = time;
      due = Math.max(due, time + LOST_MS);
      const here = screen ? address(main().dataset.slide) : location.href;
      get(here).then(() => location.replace(here), () => {});
    }
    if (screen && !halted && state !== "closed" && time - shown >= main().dataset.dwell * 1000) turn(1);
  }, screen ? 1000 : 5000);
  listen();
  if (isSecureContext) navigator.serviceWorker?.register("/sw.js").catch(() => {});
})();
