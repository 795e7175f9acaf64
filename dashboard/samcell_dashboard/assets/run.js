/* One run's page: keeps what the server told, and tells every panel. */
"use strict";
window.samcell = window.samcell || {};

(function (samcell) {
  const { byId, write, make } = samcell;
  const ALIVE_MS = 1000;
  const ENDED_MS = 5000;

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

  /* Build the page of a run; what is returned brings it up to date. */
  samcell.openRun = async function (id) {
    const { panels } = samcell;
    const about = await samcell.ask(`/runs/${id}`);
    const run = new Run(about);
    byId("run").hidden = false;
    byId("map-card").hidden = about.map.sites.length < 2; // nothing to choose

    const chart = new samcell.GrowthChart(byId("chart"), run, (t) => viewer.go(t));
    const viewer = new samcell.Viewer(run, (frame) => {
      run.shown = viewer.follows ? null : frame; // looking back is marked in the chart
      chart.draw();
    });
    const map = new samcell.SiteMap(byId("map"), byId("flags"), about, (site) =>
      selectSite(site),
    );

    function selectSite(site) {
      run.site = site;
      map.select(site);
      const { views } = about.map.sites[site];
      byId("fields").hidden = views.length < 2;
      const fields = views.map((view) =>
        make("button", {
          className: "button",
          value: String(view),
          textContent: about.views[view],
        }),
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
      panels.writeKey(run, chart.metric);
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
    byId("scan-details").addEventListener("toggle", () => panels.writeScans(run));
    samcell.startTheme(() => chart.draw());
    selectSite(0);

    return async function update() {
      const news = await samcell.ask(`/runs/${id}/updates?since=${run.cursor}`);
      run.take(news);
      samcell.showStatus(about.name, news.status);
      byId("warning").hidden = news.warning === "";
      write(byId("warning"), news.warning && `▲ ${news.warning}`);
      panels.writeTiles(news.tiles);
      panels.writeCounts(news.counts);
      panels.writeFacts(about, news.facts);
      map.update(samcell.rows(news.sites));
      if (news.reload) viewer.forget();
      if (news.sites.site.length) {
        map.writeFlags([...run.sites.values()]);
        viewer.refresh();
      }
      if (news.reload || news.failures.t.length) panels.writeFailures(run);
      if (news.reload || news.scans.t.length || news.points.t.length) {
        panels.writeScans(run);
        redraw();
      }
      return news.status.state === "finished" ? ENDED_MS : ALIVE_MS;
    };
  };
})(window.samcell);
