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

  /* First opens a page, and from then on is that page's update. */
  function page() {
    let update = null;
    return async () => {
      if (update === null) {
        const id = await chooseRun();
        update = id ? await samcell.openRun(id) : samcell.openList();
      }
      return update();
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
