/* What AG Grid asks of rows, by name, in column definitions: {"function": "fleetLength(params.value)"}.
   One small function for each need; they get data and give texts, never HTML. */

(() => {
  const functions = window.dashAgGridFunctions = window.dashAgGridFunctions || {};

  /* ---- For every page ---- */

  /* A length of time in milliseconds, in the words of dashboard/display.py's length_text. */
  functions.fleetLength = (ms) => {
    if (!ms) return "–";
    for (const [unit, width] of [["d", 86400000], ["h", 3600000], ["min", 60000]]) {
      if (ms % width === 0) return `${ms / width} ${unit}`;
    }
    return ms < 1000 ? `${Number(ms.toPrecision(3))} ms` : `${Number((ms / 1000).toPrecision(3))} s`;
  };

  /* A number, or a dash where there is none. */
  functions.fleetNumber = (value) => (value === undefined || value === null ? "–" : String(value));

  /* ---- Fleet ---- */

  /* Rows that are new are searched as the others are. */
  functions.fleetSearch = () => window.culexFleet.search();

  /* A click anywhere on a row opens its client, unless text was chosen or a link was meant. */
  functions.fleetOpen = (params) => {
    const event = params.event;
    if (!params.data || String(window.getSelection())) return;
    if (event && event.target.closest && event.target.closest("a, button")) return;
    window.culexFleet.open(params.data.id);
  };
})();
