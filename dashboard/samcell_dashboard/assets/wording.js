/* Numbers as people read them. */
"use strict";
window.samcell = window.samcell || {};

(function (samcell) {
  samcell.percent = (fraction) =>
    fraction === null ? "—" : `${(100 * fraction).toFixed(1)} %`;
  samcell.whole = (number) =>
    number === null ? "—" : Math.round(number).toLocaleString("en");

  samcell.duration = function (seconds) {
    if (seconds < 60) return `${Math.round(seconds)} s`;
    if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
    if (seconds < 172800) return `${(seconds / 3600).toFixed(1)} h`;
    return `${Math.round(seconds / 86400)} days`;
  };

  /* A timepoint on the page's axis: hours, or its number counted from 1. */
  samcell.moment = (row, axis) => (axis === "hours" ? row.hours : row.t + 1);

  samcell.momentText = function (row, axis) {
    const at = samcell.moment(row, axis);
    if (at === null) return "";
    return axis === "hours" ? `${at.toFixed(1)} h` : `timepoint ${at}`;
  };
})(window.samcell);
