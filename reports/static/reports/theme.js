// Runs before the first paint, so that a remembered choice does not flash by in the other colours.
(function () {
  "use strict";
  let theme = null;
  try { theme = localStorage.getItem("aegis-theme"); } catch { /* storage may be switched off */ }
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
})();
