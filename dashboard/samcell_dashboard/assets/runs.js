/* The list of runs. */
"use strict";
window.samcell = window.samcell || {};

(function (samcell) {
  const { byId, write, make } = samcell;
  const AGAIN_MS = 4000;

  function account({ counts, created, status }) {
    if (counts === null) return status.sentence;
    const done = `${samcell.whole(counts.acquired)} of ${samcell.whole(counts.expected)} frames`;
    const began = new Date(created).toLocaleString([], {
      dateStyle: "medium",
      timeStyle: "short",
    });
    return `${done} · ${began}`;
  }

  function card(run) {
    const { status } = run;
    const state = make("span", {
      className: "pill",
      textContent: `${status.icon} ${status.word}`,
    });
    state.dataset.state = status.state;
    const link = make(
      "a",
      {
        href: `/run/${run.id}`,
        className: status.is_replay ? "card run-card replay" : "card run-card",
      },
      make("strong", { textContent: run.name }),
      state,
      make("span", { className: "muted", textContent: account(run) }),
    );
    return make("li", {}, link);
  }

  samcell.openList = function () {
    byId("runs").hidden = false;
    samcell.startTheme(() => {});
    let shown = "";

    return async function update() {
      const { runs, folder } = await samcell.ask("/runs");
      const found = runs.length === 1 ? "1 run" : `${runs.length} runs`;
      if (runs.length) samcell.showNotice("●", found, "running", folder);
      else samcell.showNotice("◌", "Waiting", "waiting", `Waiting for a run in ${folder}.`);
      byId("no-runs").hidden = runs.length > 0;
      write(byId("no-runs"), "No run here yet. Start one with: samcell-live demo");
      if (JSON.stringify(runs) !== shown) {
        shown = JSON.stringify(runs);
        byId("run-list").replaceChildren(...runs.map(card));
      }
      return AGAIN_MS;
    };
  };
})(window.samcell);
