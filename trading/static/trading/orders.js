// The order pages: a form is sent once, a code's time is counted down, and an order that is not over is looked at again.
// Nothing here sends an order by itself: what is asked again is only what became of it.
(function () {
  "use strict";

  const RETRY = 15;
  const page = () => document.getElementById("order") || document.getElementById("orders");

  // --- once -----------------------------------------------------------------------------------------------------------

  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-once]");
    if (!form) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    // Later: what is disabled now would not say which button was pressed.
    setTimeout(() => form.querySelectorAll("button").forEach((button) => { button.disabled = true; }));
  });
  // Who comes back to a page finds it as it was left.
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    document.querySelectorAll("form[data-sent]").forEach((form) => {
      delete form.dataset.sent;
      form.querySelectorAll("button").forEach((button) => { button.disabled = false; });
    });
    if (page()) location.reload(); // what has become of it since
  });

  // --- how long a code lives ----------------------------------------------------------------------------------------------

  const from = performance.now();

  function count() {
    const shown = document.querySelector("[data-left]");
    if (!shown) return;
    const left = Number(shown.dataset.left) - Math.floor((performance.now() - from) / 1000);
    if (left <= 0) {
      location.reload();
      return;
    }
    shown.textContent = left >= 60 ? `${Math.floor(left / 60)}분 ${left % 60}초 남음` : `${left}초 남음`;
  }

  // --- what becomes of it ---------------------------------------------------------------------------------------------------

  let timer = null;

  function plan(seconds) {
    clearTimeout(timer);
    if (seconds > 0) timer = setTimeout(look, seconds * 1000);
  }

  function planned() {
    const { askIn, lookIn } = page()?.dataset || {};
    return Number(askIn || lookIn || 0);
  }

  function look() {
    const shown = page();
    if (!shown || document.hidden) return;
    const { askIn, ask, look: address } = shown.dataset;
    htmx.ajax(askIn ? "POST" : "GET", askIn ? ask : address, { source: shown, target: shown, swap: "morph" });
  }

  document.addEventListener("htmx:afterRequest", (event) => {
    const { status } = event.detail.xhr;
    if (status !== 401) plan(status >= 200 && status < 300 ? planned() : RETRY);
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && planned()) look();
  });
  setInterval(count, 1000);
  count();
  plan(planned());
})();
