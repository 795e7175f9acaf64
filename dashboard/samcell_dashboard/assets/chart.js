/* The growth chart: the server's empty figure, filled with the points known here. */
"use strict";
window.samcell = window.samcell || {};

(function (samcell) {
  const CONFIG = {
    displaylogo: false,
    displayModeBar: false,
    responsive: true,
    showSendToCloud: false,
    showEditInChartStudio: false,
    doubleClick: false,
  };

  const MANY_VIEWS = 12;
  /* A forecast far ahead is drawn up to here, so that it does not squeeze what was seen. */
  const AHEAD = 1.6;

  const unit = (metric) => (metric === "confluence" ? 100 : 1);
  const drawn = (value, metric, scale) =>
    value === null || (scale === "log" && value <= 0) ? null : value * unit(metric);

  class GrowthChart {
    constructor(element, run, onTime) {
      this.element = element;
      this.run = run;
      this.onTime = onTime;
      this.metric = "confluence";
      this.scale = "linear";
      this.templates = {};
      this.drawing = false;
      this.stale = false;
    }

    /* Draw what is known now; asked for while drawing, draw once more at the end. */
    async draw() {
      this.stale = true;
      if (this.drawing) return;
      this.drawing = true;
      try {
        while (this.stale) {
          this.stale = false;
          await this.drawOnce();
        }
      } catch {
        this.stale = true; // the server did not answer; the next update draws again
      } finally {
        this.drawing = false;
      }
    }

    async drawOnce() {
      const figure = structuredClone(await this.template());
      const filled = this.fill();
      figure.data.forEach((trace) => Object.assign(trace, filled[trace.meta]));
      figure.layout.shapes.forEach((shape) => this.place(shape));
      this.limit(figure.layout.xaxis);
      const first = !this.element.classList.contains("js-plotly-plot");
      await Plotly.react(this.element, figure.data, figure.layout, CONFIG);
      if (first) {
        this.element.on("plotly_click", (event) => this.clicked(event.points[0].x));
      }
    }

    async template() {
      const { metric, scale } = this;
      const query = new URLSearchParams({
        metric,
        scale,
        axis: this.run.axis,
        theme: samcell.theme(),
      }).toString();
      this.templates[query] ||= await samcell.ask(`/growth-figure?${query}`);
      return this.templates[query];
    }

    fill() {
      const { run, metric, scale } = this;
      const scans = run.scansInOrder();
      const at = (row) => samcell.moment(row, run.axis);
      const value = (row, name) => drawn(row[name], metric, scale);
      const banded =
        run.about.views.length > 1 ? scans.filter((s) => s[metric] !== null) : [];
      const failed = scans.filter((scan) => scan.n_failed > 0);
      const several = run.about.views.length > 1;
      return {
        low: { x: banded.map(at), y: banded.map((s) => value(s, `${metric}_low`)) },
        high: { x: banded.map(at), y: banded.map((s) => value(s, `${metric}_high`)) },
        singles: several ? this.singles(value, at) : {},
        selected: several ? this.selected(value, at) : {},
        median: {
          x: scans.map(at),
          y: scans.map((s) => value(s, metric)),
          name: several ? "Median" : run.about.views[0],
          mode: scans.length === 1 ? "markers" : "lines",
        },
        failed: {
          x: failed.map(at),
          y: failed.map(() => 0.02),
          text: failed.map((s) => `${s.n_failed} of ${s.n_failed + s.n_analysed} frames`),
        },
        fit: metric === "cell_count" ? this.curve(run.growth.fit) : {},
        forecast: metric === "confluence" ? this.curve(run.growth.forecast) : {},
        range: metric === "confluence" ? this.curve(run.growth.range) : {},
        labels: this.labels(scans, value, at),
      };
    }

    curve(found) {
      if (!found) return {};
      return {
        x: found.hours,
        y: found.values.map((v) => drawn(v, this.metric, this.scale)),
      };
    }

    /* One trace for all thin lines, with gaps between them: traces are what costs time. */
    singles(value, at) {
      const x = [];
      const y = [];
      for (const points of this.run.points) {
        for (const point of points) {
          x.push(at(point));
          y.push(value(point, this.metric));
        }
        x.push(null);
        y.push(null);
      }
      return { x, y, opacity: this.run.points.length > MANY_VIEWS ? 0.4 : 1 };
    }

    selected(value, at) {
      const points = this.run.points[this.run.view] || [];
      return {
        x: points.map(at),
        y: points.map((point) => value(point, this.metric)),
        name: this.run.about.views[this.run.view],
      };
    }

    /* The selected line is named at its end; the median only where there is room. */
    labels(scans, value, at) {
      const known = (rows) => rows.filter((row) => row[this.metric] !== null).at(-1);
      const median = known(scans);
      const views = this.run.about.views;
      const ends = [];
      if (median) ends.push([median, views.length > 1 ? "Median" : views[0]]);
      const selected = known(this.run.points[this.run.view] || []);
      if (selected && median && views.length > 1) {
        const [a, b] = [selected, median].map((row) => value(row, this.metric));
        const top = Math.max(...scans.map((s) => value(s, `${this.metric}_high`) || 0), a);
        const apart =
          this.scale === "log"
            ? Math.abs(Math.log10(a / b)) > 0.1
            : Math.abs(a - b) > 0.06 * (this.metric === "confluence" ? 100 : top);
        if (apart) ends.push([selected, views[this.run.view]]);
      }
      const right = Math.max(...[median, selected].filter(Boolean).map(at));
      return {
        x: ends.map(() => right),
        y: ends.map(([row]) => value(row, this.metric)),
        text: ends.map(([, text]) => ` ${text}`),
      };
    }

    place(shape) {
      const { shown, growth } = this.run;
      if (shape.name === "shown" && shown) {
        const x = samcell.moment(shown, this.run.axis);
        Object.assign(shape, { x0: x, x1: x, visible: x !== null });
      }
      if (shape.name === "window" && growth.fit && this.metric === "cell_count") {
        const { hours } = growth.fit;
        Object.assign(shape, { x0: hours[0], x1: hours.at(-1), visible: true });
      }
    }

    limit(axis) {
      const { forecast } = this.run.growth;
      if (this.metric !== "confluence" || !forecast) return;
      const end = Math.max(AHEAD * forecast.hours[0], 1);
      if (forecast.hours.at(-1) > end) axis.range = [0, end];
    }

    clicked(x) {
      const distance = (row) => Math.abs(samcell.moment(row, this.run.axis) - x);
      const rows = this.run.scansInOrder();
      if (rows.length) {
        this.onTime(rows.reduce((a, b) => (distance(b) < distance(a) ? b : a)).t);
      }
    }
  }

  samcell.GrowthChart = GrowthChart;
})(window.samcell);
