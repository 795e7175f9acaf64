/* The image of one frame, its cells outlined, and the slider that goes back in time. */
"use strict";
window.samcell = window.samcell || {};

(function (samcell) {
  const { byId, write } = samcell;

  class Viewer {
    constructor(run, onShown) {
      this.run = run;
      this.onShown = onShown;
      this.follows = true;
      this.wanted = "";
      this.slider = samcell.make("input", { type: "range", min: 0, max: 0, step: 1 });
      this.slider.setAttribute("aria-label", "Timepoint of the image");
      byId("time").append(this.slider);
      this.slider.addEventListener("input", () => this.go(Number(this.slider.value)));
      byId("follow").addEventListener("click", () => this.go(this.latest()));
      this.outlined = true;
      byId("toggle-outlines").addEventListener("click", () => {
        this.outlined = !this.outlined;
        this.showOutlines();
      });
      byId("viewer").style.setProperty(
        "--aspect",
        run.about.width_px / run.about.height_px,
      );
      this.showOutlines();
    }

    latest() {
      const state = this.run.stateOfView();
      return state ? state.latest : -1;
    }

    showOutlines() {
      samcell.press(byId("toggle-outlines"), this.outlined);
      byId("outlines").style.visibility = this.outlined ? "visible" : "hidden";
    }

    /* Show a timepoint; the last one follows the run as it goes on. */
    go(t) {
      this.follows = t >= this.latest();
      this.t = t;
      this.refresh();
    }

    refresh() {
      const latest = this.latest();
      if (this.follows) this.t = latest;
      this.slider.max = Math.max(latest, 0);
      this.slider.disabled = latest < 1;
      this.slider.value = this.t;
      samcell.press(byId("follow"), this.follows);
      if (latest < 0) this.showNothing("No frame of this position yet.");
      else this.show(this.t);
    }

    /* Another analysis is shown: what was loaded is of the old one. */
    forget() {
      this.settled = false;
    }

    async show(t) {
      const path = `/runs/${this.run.about.id}/views/${this.run.view}/frames/${t}`;
      if (path === this.wanted && this.settled) return;
      this.wanted = path;
      this.settled = false;
      const frame = await samcell.ask(path).catch(() => null);
      if (frame === null || this.wanted !== path) return;
      this.settled = frame.status === "analysed" || frame.status === "failed";
      const absent = {
        missing: "This frame was not acquired.",
        "to come": "This frame is still to come.",
      }[frame.status];
      if (absent) {
        this.describe(frame);
        this.showNothing(absent);
        return;
      }
      await this.load(path, frame);
    }

    /* Both layers change at once, when both have come. */
    async load(path, frame) {
      const urls = [`/api/v1${path}/image.png`];
      if (frame.status === "analysed")
        urls.push(`/api/v1${path}/outlines.png?edition=${frame.edition}`);
      const images = urls.map((src) => samcell.make("img", { src }));
      try {
        await Promise.all(images.map((image) => image.decode()));
      } catch {
        this.settled = false; // the next update tries again
        return;
      }
      if (this.wanted !== path) return;
      byId("no-frame").hidden = true;
      this.put("frame", urls[0]);
      this.put("outlines", urls[1]);
      this.describe(frame);
    }

    put(id, url) {
      const image = byId(id);
      image.hidden = !url;
      if (url) image.src = url;
      else image.removeAttribute("src");
    }

    describe(frame) {
      const { axis, about } = this.run;
      const name = about.views[frame.view];
      const said = {
        analysed: () =>
          `${samcell.whole(frame.cell_count)} cells · ${samcell.percent(frame.confluence)} covered`,
        failed: () => "analysis failed, see the list of failed frames",
        waiting: () => "waiting for its analysis",
        missing: () => "not acquired",
        "to come": () => "still to come",
      }[frame.status]();
      const when = samcell.momentText(frame, axis);
      const all = about.n_timepoints === null ? "" : ` of ${about.n_timepoints}`;
      const place = `frame ${frame.t + 1}${all}`;
      const moment = axis === "hours" ? [when, place] : [place];
      write(byId("caption"), [name, ...moment, said].filter(Boolean).join(" · "));
      byId("frame").alt = `${name}, ${when}: ${said}`;
      this.onShown(frame);
    }

    showNothing(sentence) {
      this.put("frame");
      this.put("outlines");
      byId("no-frame").hidden = false;
      write(byId("no-frame"), sentence);
    }
  }

  samcell.Viewer = Viewer;
})(window.samcell);
