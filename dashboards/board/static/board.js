"use strict";
// Keeps an open page true: changed texts come by events, a changed shape fetches the page.
// Without this script the page is complete, and as old as its last load.
(() => {
  const LOST_MS = 60000, NIGHT_MS = 86400000;
  const lost = document.getElementById("lost"), opened = Date.now();
  let heard = Date.now(), source;

  const put = (key, text) => {
    for (const el of document.querySelectorAll(`[data-k="${key}"]`)) {
      if (key.endsWith(".turn")) el.setAttribute("transform", text);
      else if (key.endsWith(".state")) el.dataset.state = text;
      else if (el.textContent !== text) el.textContent = text;
    }
  };

  const fresh = async () => {
    const answer = await fetch(location.href, { cache: "no-store" });
    if (!answer.ok) throw new Error(answer.status);
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  };

  const swap = async () => {
    const page = await fresh();
    const old = document.querySelector("main"), next = page.querySelector("main");
    // A first sensor brings the place its name and its clock.
    if (!document.querySelector(".clock"))
      document.querySelector("header").replaceWith(page.querySelector("header"));
    for (const open of old.querySelectorAll("details[open]"))
      next.querySelector(`#${open.id}`)?.setAttribute("open", "");
    const focus = document.activeElement?.closest?.("details")?.id;
    old.replaceWith(next);
    if (focus) next.querySelector(`#${focus} summary`)?.focus();
  };

  const news = () => { heard = Date.now(); lost.hidden = true; };

  const listen = () => {
    source = new EventSource("/events" + location.search);
    source.addEventListener("beat", news);
    source.onmessage = (event) => {
      news();
      const { page, ...texts } = JSON.parse(event.data);
      for (const key in texts) put(key, texts[key]);
      if (page && page !== document.querySelector("main").dataset.page) swap().catch(() => {});
    };
  };

  // The last data stay on the page; it is loaded anew only after a fetch that succeeded.
  setInterval(() => {
    if (source.readyState === EventSource.CLOSED) listen();
    if (Date.now() - heard > LOST_MS && lost.hidden) {
      const time = new Date(heard).toLocaleTimeString(document.documentElement.lang,
        { hour: "2-digit", minute: "2-digit" });
      lost.textContent = lost.dataset.words.replace("{0}", time);
      lost.hidden = false;
    }
    if (Date.now() - opened > NIGHT_MS) fresh().then(() => location.reload(), () => {});
  }, 15000);
  listen();
})();
