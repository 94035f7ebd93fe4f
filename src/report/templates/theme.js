// Which theme is in force: the system's, unless a reader chose one. Runs before anything is drawn.
"use strict";
(() => {
  const KEY = "ensayo-theme";
  const root = document.documentElement;
  const remembered = () => {
    // A page that is opened from disk may have no storage.
    try { return localStorage.getItem(KEY); } catch { return null; }
  };
  const remember = (theme) => {
    try { localStorage.setItem(KEY, theme); } catch { /* It holds for this page, then. */ }
  };
  const isDark = () =>
    root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const known = remembered();
  if (known === "dark" || known === "light") root.dataset.theme = known;

  document.addEventListener("DOMContentLoaded", () => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "theme";
    const say = () => { button.textContent = isDark() ? "Light theme" : "Dark theme"; };
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      remember(root.dataset.theme);
      say();
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", say);
    say();
    document.querySelector(".top").append(button);
  });

  // Paper has no switches to unfold what is folded.
  addEventListener("beforeprint", () => {
    for (const folded of document.querySelectorAll("details:not([open])")) {
      folded.open = true;
      folded.dataset.unfolded = "";
    }
  });
  addEventListener("afterprint", () => {
    for (const unfolded of document.querySelectorAll("details[data-unfolded]")) {
      unfolded.open = false;
      delete unfolded.dataset.unfolded;
    }
  });
})();
