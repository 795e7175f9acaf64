/* Dash calls this once its skeleton stands. */
"use strict";
window.samcell = window.samcell || {};

(function (samcell) {
  let started = false;

  /* The address names a run, or the folder holds only one, or there is a list to choose from. */
  async function chooseRun() {
    const named = location.pathname.match(/^\/run\/([0-9a-f]+)$/);
    if (named) return named[1];
    const { runs } = await samcell.ask("/runs");
    return runs.length === 1 ? runs[0].id : null;
  }

  /* A run that took the place of the only one is shown in its stead. */
  async function followReplacement(id) {
    const now = await chooseRun();
    if (now && now !== id) location.reload();
  }

  /* First opens a page, and from then on is that page's update. */
  function page() {
    let id = null;
    let update = null;
    return async () => {
      if (update === null) {
        id = await chooseRun();
        update = id ? await samcell.openRun(id) : samcell.openList();
      }
      try {
        return await update();
      } catch (error) {
        if (error.status === 404) await followReplacement(id);
        throw error;
      }
    };
  }

  function start() {
    if (!started) {
      started = true;
      samcell.repeat(page(), samcell.showLost);
    }
    return window.dash_clientside.no_update;
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    samcell: { start },
  });
})(window.samcell);
