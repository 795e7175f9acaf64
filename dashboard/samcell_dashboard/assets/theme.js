/* Light or dark: the system's setting, until somebody chooses. */
"use strict";
window.samcell = window.samcell || {};

(function (samcell) {
  const KEY = "samcell-theme";
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;

  samcell.theme = () => root.dataset.theme || (system.matches ? "dark" : "light");

  const other = () => (samcell.theme() === "dark" ? "light" : "dark");

  /* Private windows may refuse to remember; the page works without. */
  function remembered() {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null;
    }
  }

  function remember(theme) {
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      /* nothing to do: the choice lasts as long as the page */
    }
  }

  if (remembered()) root.dataset.theme = remembered();

  samcell.startTheme = function (onChange) {
    const button = samcell.byId("theme");
    const show = () => {
      const [icon, word] = other() === "dark" ? ["☾", "Dark"] : ["☀", "Light"];
      button.replaceChildren(
        icon,
        samcell.make("span", { className: "word", textContent: ` ${word}` }),
      );
      button.setAttribute("aria-label", `${word} colours`);
      onChange();
    };
    button.addEventListener("click", () => {
      root.dataset.theme = other();
      remember(root.dataset.theme);
      show();
    });
    system.addEventListener("change", show);
    show();
  };
})(window.samcell);
