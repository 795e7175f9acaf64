/* The map: one button for each well or position, coloured by its latest confluence. */
"use strict";
window.samcell = window.samcell || {};

(function (samcell) {
  const { make } = samcell;

  class SiteMap {
    constructor(element, flags, about, onSite) {
      this.sites = about.map.sites;
      this.flags = flags;
      this.buttons = this.sites.map((site, i) => {
        const button = make("button", { className: "site unknown", title: site.name });
        button.append(make("span", { className: "site-name", textContent: site.name }));
        button.append(make("span", { className: "site-value" }));
        button.addEventListener("click", () => onSite(i));
        return button;
      });
      element.classList.add(about.map.arrangement);
      if (about.map.arrangement === "plate") this.layPlate(element, about.map);
      else if (about.map.arrangement === "stage") this.layStage(element, about.map);
      else element.append(...this.buttons);
    }

    layPlate(element, { rows, columns }) {
      element.style.setProperty("--columns", columns.length);
      element.classList.toggle("dense", columns.length > 6);
      const named = (text, column, row) => {
        const head = make("span", { className: "plate-head", textContent: text });
        head.style.gridArea = `${row} / ${column}`;
        return head;
      };
      element.append(...columns.map((text, i) => named(text, i + 2, 1)));
      element.append(...rows.map((text, i) => named(text, 1, i + 2)));
      this.buttons.forEach((button, i) => {
        const { across, down } = this.sites[i];
        button.style.gridArea = `${down + 2} / ${across + 2}`;
        element.append(button);
      });
    }

    layStage(element, { aspect }) {
      element.style.aspectRatio = aspect;
      this.buttons.forEach((button, i) => {
        button.style.left = `${100 * this.sites[i].across}%`;
        button.style.top = `${100 * this.sites[i].down}%`;
        element.append(button);
      });
    }

    update(states) {
      for (const state of states) {
        const button = this.buttons[state.site];
        const { name } = this.sites[state.site];
        const said =
          state.confluence === null ? "no result yet" : samcell.percent(state.confluence);
        button.classList.toggle("unknown", state.fill === null);
        button.classList.toggle("flagged", state.flag !== "");
        button.style.background = state.fill || "";
        button.style.color = state.ink;
        const value = state.confluence === null ? "" : Math.round(100 * state.confluence);
        samcell.write(button.querySelector(".site-value"), String(value));
        const text = [name, said, state.flag].filter(Boolean).join(", ");
        button.title = text;
        button.setAttribute("aria-label", text);
      }
    }

    /* Glyphs need words: every flag is written out below the map. */
    writeFlags(states) {
      const flagged = states.filter((state) => state.flag);
      const items = flagged
        .slice(0, 6)
        .map((state) =>
          make("li", { textContent: `▲ ${this.sites[state.site].name}: ${state.flag}` }),
        );
      if (flagged.length > 6) {
        items.push(make("li", { textContent: `and ${flagged.length - 6} more` }));
      }
      this.flags.replaceChildren(...items);
    }

    select(chosen) {
      this.buttons.forEach((button, i) => samcell.press(button, i === chosen));
    }
  }

  samcell.SiteMap = SiteMap;
})(window.samcell);
