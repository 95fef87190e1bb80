// Keeps the live page live: asks again when something new should be there, changes only what has changed, and says when
// the server is away. Nothing here knows a figure.
(function () {
  "use strict";

  const RETRY = 10, SLOWEST = 120, FORGET = 20;
  const live = () => document.getElementById("live");
  const words = {
    light: "밝게", dark: "어둡게",
    away: "서버에 연결하지 못했습니다. 아래 값은 {time} 기준입니다. 다시 시도하고 있습니다.",
    back: "다시 연결했습니다.",
    out: "로그인이 끝났습니다. ", again: "다시 로그인",
    failed: "서버가 답하지 못했습니다. 잠시 뒤 다시 시도합니다.",
  };

  // --- the same nodes, new content ------------------------------------------------------------------------------------
  // Focus, scroll position and whatever the reader has opened stay where they are, because their nodes do.

  function morph(old, fresh) {
    if (old.isEqualNode(fresh) || keeps(old)) return;
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
      return;
    }
    for (const { name } of [...old.attributes]) {
      if (!fresh.hasAttribute(name) && !passing(old, name)) old.removeAttribute(name);
    }
    for (const { name, value } of [...fresh.attributes]) {
      if (old.getAttribute(name) !== value && !passing(old, name)) old.setAttribute(name, value);
    }
    let place = old.firstChild;
    for (let next = fresh.firstChild, after; next; next = after) {
      after = next.nextSibling;
      if (!place) {
        old.appendChild(next);
        settle(next);
      } else if (alike(place, next)) {
        morph(place, next);
        place = place.nextSibling;
      } else {
        old.insertBefore(next, place);
        settle(next);
        if (next.nodeType === place.nodeType) {
          const gone = place;
          place = place.nextSibling;
          gone.remove();
        }
      }
    }
    while (place) {
      const gone = place;
      place = place.nextSibling;
      gone.remove();
    }
  }

  const keeps = (node) => node.nodeType === Node.ELEMENT_NODE && node.hasAttribute("data-keep");
  const alike = (one, other) =>
    one.nodeType === other.nodeType && one.nodeName === other.nodeName && (one.id || "") === (other.id || "");
  // What the reader or a script has set on a node, not the server.
  const passing = (node, name) => name === "open" && node.nodeName === "DETAILS";

  function settle(node) {
    if (node.nodeType === Node.ELEMENT_NODE) htmx.process(node);
  }

  // --- when to look again ------------------------------------------------------------------------------------------------

  let timer = null, waits = 0;

  function lookIn(seconds) {
    clearTimeout(timer);
    if (seconds > 0) timer = setTimeout(look, seconds * 1000);
  }

  function look() {
    const page = live();
    if (page && !document.hidden) htmx.trigger(page, "aegis:look");
  }

  function planned() {
    return Number(live()?.dataset.lookAgain || 0);
  }

  // --- how old it is ------------------------------------------------------------------------------------------------------

  let ageAt = performance.now();

  function ago(seconds) {
    if (seconds < 60) return `${seconds}초 전`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)}분 전`;
    return seconds < 2 * 86400 ? `${Math.floor(seconds / 3600)}시간 전` : `${Math.floor(seconds / 86400)}일 전`;
  }

  function count() {
    const shown = document.querySelector("[data-age]");
    if (!shown) return;
    const text = ago(Number(shown.dataset.age) + Math.floor((performance.now() - ageAt) / 1000));
    if (shown.textContent !== text) shown.textContent = text;
  }

  // --- what is said ----------------------------------------------------------------------------------------------------------

  let isAway = false;

  function say(text, link) {
    const place = document.getElementById("said");
    if (!place || (place.textContent === text && !link)) return;
    place.textContent = text;
    if (link) {
      const anchor = document.createElement("a");
      anchor.href = link;
      anchor.textContent = words.again;
      place.appendChild(anchor);
    }
  }

  // What went well need not stay; trouble does, until it is over.
  const forget = () => setTimeout(() => { if (!isAway) say(""); }, FORGET * 1000);

  function away(text) {
    isAway = true;
    document.getElementById("strip")?.classList.add("away");
    say(text);
  }

  function back() {
    if (!isAway) return;
    isAway = false;
    document.getElementById("strip")?.classList.remove("away");
    say(words.back);
    forget();
  }

  // --- light and dark ----------------------------------------------------------------------------------------------------------

  const root = document.documentElement, prefersDark = matchMedia("(prefers-color-scheme: dark)");
  const theme = () => root.dataset.theme || (prefersDark.matches ? "dark" : "light");

  function offer() {
    const button = document.getElementById("theme");
    if (!button) return;
    button.hidden = false;
    button.textContent = theme() === "dark" ? words.light : words.dark;
  }

  function turn() {
    root.dataset.theme = theme() === "dark" ? "light" : "dark";
    try { localStorage.setItem("aegis-theme", root.dataset.theme); } catch { /* storage may be switched off */ }
    offer();
  }

  // --- together -----------------------------------------------------------------------------------------------------------------

  htmx.defineExtension("morph", {
    isInlineSwap: (style) => style === "morph",
    handleSwap: (style, target, fragment) => {
      if (style !== "morph") return false;
      const fresh = fragment.firstElementChild;
      if (fresh && fresh.id === target.id && "waiting" in fresh.dataset === "waiting" in target.dataset) morph(target, fresh);
      else location.reload(); // another kind of page: the first data is here
      return [target];
    },
  });

  document.addEventListener("htmx:configRequest", (event) => {
    const page = live();
    if (event.detail.elt === page && page.dataset.etag) {
      event.detail.headers["If-None-Match"] = `"${page.dataset.etag}"`;
    }
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const { xhr, elt } = event.detail, isLook = elt === live();
    if (xhr.status === 401) {
      away(words.out);
      say(words.out, `/login/?next=${encodeURIComponent(location.pathname + location.search)}`);
      return;
    }
    if (xhr.status === 0 || xhr.status >= 400) {
      const time = document.querySelector(".when .time")?.textContent || "";
      away(xhr.status ? words.failed : words.away.replace("{time}", time));
      if (isLook) lookIn(Math.min(RETRY * 2 ** waits++, SLOWEST));
      return;
    }
    back();
    waits = 0;
    if (!isLook) {
      forget();
      return;
    }
    if (xhr.status === 304) {
      lookIn(Number(xhr.getResponseHeader("Look-Again")));
      return;
    }
    ageAt = performance.now();
    count();
    document.title = live().dataset.title || document.title;
    lookIn(planned());
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && planned()) look();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("#theme")) turn();
  });
  prefersDark.addEventListener("change", offer);
  setInterval(count, 1000);
  offer();
  lookIn(planned());
})();
