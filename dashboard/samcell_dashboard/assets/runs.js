/* The list of runs. */
"use strict";
window.samcell = window.samcell || {};

(function (samcell) {
  const { byId, write, make } = samcell;
  const AGAIN_MS = 4000;

  function card(run) {
    const { status, counts } = run;
    const state = make("span", {
      className: "pill",
      textContent: `${status.icon} ${status.word}`,
    });
    state.dataset.state = status.state;
    const done = `${samcell.whole(counts.acquired)} of ${samcell.whole(counts.expected)} frames`;
    const began = new Date(run.created).toLocaleString([], {
      dateStyle: "medium",
      timeStyle: "short",
    });
    const link = make(
      "a",
      {
        href: `/run/${run.id}`,
        className: status.is_replay ? "card run-card replay" : "card run-card",
      },
      make("strong", { textContent: run.name }),
      state,
      make("span", { className: "run-confluence", textContent: run.confluence }),
      make("span", { className: "muted", textContent: `${done} · ${began}` }),
    );
    return make("li", {}, link);
  }

  samcell.openList = function () {
    byId("runs").hidden = false;
    samcell.startTheme(() => {});
    let shown = "";

    return async function update() {
      const { runs, folder } = await samcell.ask("/runs");
      if (runs.length) samcell.showNotice("●", `${runs.length} runs`, "running", folder);
      else samcell.showNotice("◌", "Waiting", "waiting", `Waiting for a run in ${folder}.`);
      byId("no-runs").hidden = runs.length > 0;
      write(byId("no-runs"), "No run here yet. Start one with: samcell-live demo");
      const ageless = runs.map((run) => ({
        ...run,
        status: { ...run.status, age_s: 0, eta_s: 0 },
      }));
      if (JSON.stringify(ageless) !== shown) {
        shown = JSON.stringify(ageless);
        byId("run-list").replaceChildren(...runs.map(card));
      }
      return AGAIN_MS;
    };
  };
})(window.samcell);
