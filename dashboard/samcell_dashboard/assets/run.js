/* One run's page: keeps what the server told, and tells every panel. */
"use strict";
window.samcell = window.samcell || {};

(function (samcell) {
  const { byId, write, make } = samcell;
  const ALIVE_MS = 1000;
  const ENDED_MS = 5000;
  const MAX_FAILURES = 50;

  class Run {
    constructor(about) {
      this.about = about;
      this.axis = "hours";
      this.view = 0;
      this.site = 0;
      this.shown = null;
      this.forget();
    }

    forget() {
      this.cursor = "";
      this.scans = new Map();
      this.points = this.about.views.map(() => []);
      this.sites = new Map();
      this.failures = [];
      this.growth = { fit: null, forecast: null, range: null };
    }

    take(update) {
      if (update.reload) this.forget();
      this.cursor = update.cursor;
      this.axis = update.axis;
      this.growth = update.growth || this.growth;
      samcell.rows(update.scans).forEach((scan) => this.scans.set(scan.t, scan));
      samcell.rows(update.sites).forEach((site) => this.sites.set(site.site, site));
      this.failures.unshift(...samcell.rows(update.failures).reverse());
      const points = samcell.rows(update.points);
      points.forEach((point) => this.points[point.view].push(point));
      new Set(points.map((point) => point.view)).forEach((view) =>
        this.points[view].sort((a, b) => a.t - b.t),
      );
    }

    scansInOrder() {
      return [...this.scans.values()].sort((a, b) => a.t - b.t);
    }

    /* State of the selected field: that of its site, with its own latest timepoint. */
    stateOfView() {
      const state = this.sites.get(this.site);
      if (!state) return null;
      const field = this.about.map.sites[this.site].views.indexOf(this.view);
      return { ...state, latest: state.latest[field] };
    }
  }

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
      item.append(make("dt", { textContent: name.replace("_", " ") }), make("dd", { textContent: samcell.whole(number) }));
      return [item];
    });
    byId("counts").replaceChildren(...entries);
  }

  function writeFailures(run) {
    byId("failures-panel").hidden = run.failures.length === 0;
    samcell.table(
      byId("failures"),
      ["Frame", "Position", "Reason"],
      run.failures.slice(0, MAX_FAILURES).map((failure) => [
        samcell.momentText(failure, run.axis),
        failure.view,
        failure.reason,
      ]),
    );
  }

  function writeScans(run) {
    if (!byId("scan-details").open) return;
    const middle = (scan, name, text) =>
      scan[`${name}_low`] === null ? "—" : `${text(scan[`${name}_low`])} to ${text(scan[`${name}_high`])}`;
    const heads = ["Time", "Fields", "Failed", "Confluence", "Middle half", "Cells per field", "Middle half"];
    const lines = run.scansInOrder().reverse().map((scan) => [
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
      ? [["median", "median"], ["band", "middle half"], ["single", "single positions"], ["selected", run.about.views[run.view]]]
      : [["median", run.about.views[0]]];
    if (metric === "cell_count" && run.growth.fit) parts.push(["fit", "fit, and its window"]);
    if (metric === "confluence" && run.growth.forecast) parts.push(["forecast", "forecast to 80 %, not calibrated"]);
    if (run.failures.length) parts.push(["failed", "failed frames"]);
    byId("chart-key").replaceChildren(
      ...parts.map(([kind, text]) =>
        make("span", { className: "key-item" }, make("i", { className: `mark ${kind}` }), text),
      ),
    );
  }

  function writeFacts(about, facts) {
    const source = { simulated: "Simulated culture", microscope: "Microscope", replay: "Recording, replayed" };
    const size = about.pixel_size_um === null ? "pixel size unknown" : `${about.pixel_size_um} µm per pixel`;
    const all = [
      { name: "Source", value: source[about.source] },
      { name: "Images", value: `${about.width_px} × ${about.height_px} px, ${size}` },
      { name: "Channel", value: about.channel },
      ...facts,
    ];
    byId("facts").replaceChildren(
      ...all.map(({ name, value, is_alarm }) =>
        make("div", { className: is_alarm ? "alarm" : "" },
          make("dt", { textContent: name }), make("dd", { textContent: value })),
      ),
    );
  }

  /* Build the page of a run; what is returned brings it up to date. */
  samcell.openRun = async function (id) {
    const about = await samcell.ask(`/runs/${id}`);
    const run = new Run(about);
    byId("run").hidden = false;

    const chart = new samcell.GrowthChart(byId("chart"), run, (t) => viewer.go(t));
    const viewer = new samcell.Viewer(run, (frame) => {
      run.shown = viewer.follows ? null : frame; // looking back is marked in the chart
      chart.draw();
    });
    const map = new samcell.SiteMap(byId("map"), byId("flags"), about, (site) => selectSite(site));

    function selectSite(site) {
      run.site = site;
      map.select(site);
      const { views } = about.map.sites[site];
      byId("fields").hidden = views.length < 2;
      const fields = views.map((view) =>
        make("button", { className: "button", value: String(view), textContent: about.views[view] }),
      );
      byId("fields").replaceChildren(...fields);
      samcell.choice(byId("fields"), String(views[0]), (view) => selectView(Number(view)));
      selectView(views[0]);
    }

    function selectView(view) {
      run.view = view;
      viewer.go(viewer.follows ? viewer.latest() : Math.min(viewer.t, viewer.latest()));
      redraw();
    }

    function redraw() {
      writeKey(run, chart.metric);
      chart.draw();
    }

    samcell.choice(byId("metric"), chart.metric, (metric) => {
      chart.metric = metric;
      redraw();
    });
    samcell.choice(byId("scale"), chart.scale, (scale) => {
      chart.scale = scale;
      redraw();
    });
    byId("scan-details").addEventListener("toggle", () => writeScans(run));
    samcell.startTheme(() => chart.draw());
    selectSite(0);

    return async function update() {
      const news = await samcell.ask(`/runs/${id}/updates?since=${run.cursor}`);
      run.take(news);
      samcell.showStatus(about.name, news.status);
      byId("warning").hidden = news.warning === "";
      write(byId("warning"), news.warning && `▲ ${news.warning}`);
      writeTiles(news.tiles);
      writeCounts(news.counts);
      writeFacts(about, news.facts);
      map.update(samcell.rows(news.sites));
      if (news.sites.site.length) {
        map.writeFlags([...run.sites.values()]);
        viewer.refresh();
      }
      if (news.failures.t.length) writeFailures(run);
      if (news.reload || news.scans.t.length || news.points.t.length) {
        writeScans(run);
        redraw();
      }
      return news.status.state === "finished" ? ENDED_MS : ALIVE_MS;
    };
  };
})(window.samcell);
