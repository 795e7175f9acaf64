/* The bar at the head of the page: alive or not, and since when. */
"use strict";
window.samcell = window.samcell || {};

(function (samcell) {
  const { byId, write } = samcell;
  let newestMs = null;
  let lostMs = null;

  function showState(icon, word, kind, isReplay) {
    write(byId("state"), `${icon} ${word}`);
    byId("state").dataset.state = kind;
    byId("bar").classList.toggle("replay", isReplay);
  }

  samcell.showStatus = function (name, status) {
    lostMs = null;
    newestMs = status.age_s === null ? null : Date.now() - 1000 * status.age_s;
    document.title = `${status.icon} ${name} · samcell_live`;
    write(byId("run-name"), name);
    showState(status.icon, status.word, status.state, status.is_replay);
    write(byId("sentence"), status.sentence);
    const eta =
      status.eta_s === null ? "" : `last frame in about ${samcell.duration(status.eta_s)}`;
    write(byId("eta"), eta);
    tick();
  };

  samcell.showNotice = function (icon, word, kind, sentence) {
    lostMs = null;
    showState(icon, word, kind, false);
    write(byId("sentence"), sentence);
    tick();
  };

  samcell.showLost = function (error) {
    const word = { 404: "Not here", 503: "Failed" }[error.status];
    if (word) {
      samcell.showNotice("✕", word, "failed", error.message);
      return;
    }
    lostMs ||= Date.now();
    const isReplay = byId("bar").classList.contains("replay");
    showState("⚠", "Connection lost", "lost", isReplay);
    write(byId("sentence"), "The dashboard's server does not answer; trying again.");
    tick();
  };

  function tick() {
    const freshness = byId("freshness");
    if (!freshness) return;
    freshness.classList.toggle("stale", lostMs !== null);
    if (lostMs !== null) {
      write(freshness, `no contact since ${new Date(lostMs).toLocaleTimeString()}`);
    } else if (newestMs !== null) {
      const age = Math.max(Date.now() - newestMs, 0) / 1000;
      write(freshness, `updated ${samcell.duration(age)} ago`);
    } else {
      write(freshness, "");
    }
  }

  setInterval(tick, 1000);
})(window.samcell);
