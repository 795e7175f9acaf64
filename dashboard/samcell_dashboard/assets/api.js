/* Asking the server: one request at a time, less often when it fails, never when hidden. */
"use strict";
window.samcell = window.samcell || {};

(function (samcell) {
  const TIMEOUT_MS = 20000;
  const LONGEST_WAIT_MS = 30000;

  samcell.ask = async function (path) {
    const answer = await fetch("/api/v1" + path, {
      cache: "no-store",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (!answer.ok) {
      const { error } = await answer.json();
      throw Object.assign(new Error(error), { status: answer.status });
    }
    return answer.json();
  };

  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

  const untilVisible = () =>
    new Promise((resolve) => {
      const look = () => {
        if (!document.hidden) {
          document.removeEventListener("visibilitychange", look);
          resolve();
        }
      };
      document.addEventListener("visibilitychange", look);
      look();
    });

  /* Call `once` again and again; it returns how many milliseconds to wait. */
  samcell.repeat = async function (once, onLost) {
    let failures = 0;
    for (;;) {
      await untilVisible();
      let wait;
      try {
        wait = await once();
        failures = 0;
      } catch (error) {
        failures += 1;
        wait = Math.min(500 * 2 ** failures, LONGEST_WAIT_MS);
        onLost(error);
      }
      await sleep(wait);
    }
  };
})(window.samcell);
