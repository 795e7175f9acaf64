/* The panels of words and tables: each writes what it is given. */
"use strict";
window.samcell = window.samcell || {};

(function (samcell) {
  const { byId, write, make } = samcell;
  const MAX_FAILURES = 50;

  function writeTiles(tiles) {
    for (const tile of tiles) {
      const element = byId(`tile-${tile.id}`);
      for (const part of ["value", "detail", "note"]) {
        write(element.querySelector(`.${part}`), tile[part]);
      }
    }
  }

  function writeCounts(counts) {
    const entries = Object.entries(counts).flatMap(([name, number]) => {
      const item = make("div", { className: name === "failed" && number ? "alarm" : "" });
      item.append(
        make("dt", { textContent: name.replace("_", " ") }),
        make("dd", { textContent: samcell.whole(number) }),
      );
      return [item];
    });
    byId("counts").replaceChildren(...entries);
  }

  function writeFailures(run) {
    byId("failures-panel").hidden = run.failures.length === 0;
    samcell.table(
      byId("failures"),
      ["Frame", "Position", "Reason"],
      run.failures
        .slice(0, MAX_FAILURES)
        .map((failure) => [
          samcell.momentText(failure, run.axis),
          failure.view,
          failure.reason,
        ]),
    );
  }

  function writeScans(run) {
    if (!byId("scan-details").open) return;
    const middle = (scan, name, text) =>
      scan[`${name}_low`] === null
        ? "—"
        : `${text(scan[`${name}_low`])} to ${text(scan[`${name}_high`])}`;
    const heads = [
      "Time",
      "Fields",
      "Failed",
      "Confluence",
      "Middle half",
      "Cells per field",
      "Middle half",
    ];
    const lines = run
      .scansInOrder()
      .reverse()
      .map((scan) => [
        samcell.momentText(scan, run.axis),
        String(scan.n_analysed),
        String(scan.n_failed),
        samcell.percent(scan.confluence),
        middle(scan, "confluence", samcell.percent),
        samcell.whole(scan.cell_count),
        middle(scan, "cell_count", samcell.whole),
      ]);
    samcell.table(byId("scan-table"), heads, lines);
  }

  function writeKey(run, metric) {
    const several = run.about.views.length > 1;
    const parts = several
      ? [
          ["median", "median"],
          ["band", "middle half"],
          ["single", "single positions"],
          ["selected", run.about.views[run.view]],
        ]
      : [["median", run.about.views[0]]];
    if (metric === "cell_count" && run.growth.fit)
      parts.push(["fit", "fit, and its window"]);
    if (metric === "confluence" && run.growth.forecast)
      parts.push(["forecast", "forecast to 80 %, not calibrated"]);
    if (run.failures.length) parts.push(["failed", "failed frames"]);
    byId("chart-key").replaceChildren(
      ...parts.map(([kind, text]) =>
        make(
          "span",
          { className: "key-item" },
          make("i", { className: `mark ${kind}` }),
          text,
        ),
      ),
    );
  }

  function writeFacts(about, facts) {
    const source = {
      simulated: "Simulated culture",
      microscope: "Microscope",
      replay: "Recording, replayed",
    };
    const size =
      about.pixel_size_um === null
        ? "pixel size unknown"
        : `${about.pixel_size_um} µm per pixel`;
    const all = [
      { name: "Source", value: source[about.source] },
      { name: "Images", value: `${about.width_px} × ${about.height_px} px, ${size}` },
      { name: "Channel", value: about.channel },
      ...facts,
    ];
    byId("facts").replaceChildren(
      ...all.map(({ name, value, is_alarm }) =>
        make(
          "div",
          { className: is_alarm ? "alarm" : "" },
          make("dt", { textContent: name }),
          make("dd", { textContent: value }),
        ),
      ),
    );
  }

  samcell.panels = {
    writeTiles,
    writeCounts,
    writeFailures,
    writeScans,
    writeKey,
    writeFacts,
  };
})(window.samcell);
