/* Making and filling elements. Text is always text, never markup. */
"use strict";
window.samcell = window.samcell || {};

(function (samcell) {
  samcell.byId = (id) => document.getElementById(id);

  samcell.make = function (tag, properties = {}, ...children) {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };

  /* Write only what differs, so that screen readers and selections are left in peace. */
  samcell.write = function (element, text) {
    if (element.textContent !== text) {
      element.textContent = text;
    }
  };

  samcell.press = function (button, pressed) {
    button.setAttribute("aria-pressed", String(pressed));
  };

  /* A row of buttons, one of which is pressed. */
  samcell.choice = function (group, chosen, onChoice) {
    const buttons = [...group.querySelectorAll("button")];
    const show = (value) => buttons.forEach((b) => samcell.press(b, b.value === value));
    buttons.forEach((button) =>
      button.addEventListener("click", () => {
        show(button.value);
        onChoice(button.value);
      }),
    );
    show(chosen);
  };

  samcell.table = function (table, heads, rows) {
    const line = (tag, cells) =>
      samcell.make(
        "tr",
        {},
        ...cells.map((text) => samcell.make(tag, { textContent: text })),
      );
    table.replaceChildren(
      samcell.make("thead", {}, line("th", heads)),
      samcell.make("tbody", {}, ...rows.map((row) => line("td", row))),
    );
  };

  /* Columns, as the API sends them, back to rows. */
  samcell.rows = function (columns) {
    const names = Object.keys(columns);
    return columns[names[0]].map((_, i) =>
      Object.fromEntries(names.map((name) => [name, columns[name][i]])),
    );
  };
})(window.samcell);
