/* The fleet page in the browser: the way to a client, and the search, which asks no server. */

(() => {
  /* The client page at the time that is shown here: the navigation's link knows it. */
  function address(client, from, to) {
    const link = document.getElementById("to-client");
    const target = new URL(link ? link.href : "/client", location.href);
    target.searchParams.set("id", client);
    if (from) {
      target.searchParams.set("from", from);
      target.searchParams.set("to", to);
    }
    return target.pathname + target.search;
  }

  function go(href) {
    history.pushState({}, "", href);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
    window.scrollTo(0, 0);
  }

  const open = (client) => go(address(client));

  /* A strip that was clicked on, with some time around it. */
  function jump(click) {
    const [start, end, client] = click?.points?.[0]?.customdata || [];
    if (!client) return;
    const more = Math.max(30000, (end - start) / 4);
    const iso = (ms) => new Date(ms).toISOString();
    go(address(client, iso(start - more), iso(Math.min(end + more, Date.now()))));
  }

  /* What the search looks at of a row, made once as long as the row is the same. */
  const texts = new WeakMap();

  function text(row) {
    let found = texts.get(row);
    if (found === undefined) {
      const values = (row.values || []).map(([metric, , unit]) => `${metric} ${unit}`);
      const simulated = row.simulated ? "simulated" : "";
      found = [row.id, row.name, row.state, row.words, simulated, ...values, ...(row.tags || [])].join(" ").toLowerCase();
      texts.set(row, found);
    }
    return found;
  }

  /* Leaves the rows that have every word; functions of our own, for AG Grid's take a second. */
  function search() {
    const api = window.dash_ag_grid?.getApi("fleet-grid");
    const field = document.querySelector(".fleet-search");
    if (!api || !field) return;
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    api.setGridOption("isExternalFilterPresent", () => words.length > 0);
    api.setGridOption("doesExternalFilterPass", ({ data }) => words.every((word) => text(data).includes(word)));
    api.onFilterChanged();
  }

  /* At each letter; the view and the address hear of it when typing stops. */
  document.addEventListener("input", ({ target }) => {
    if (target.matches?.(".fleet-search")) search();
  });

  window.culexFleet = { address, open, search };
  window.dash_clientside = Object.assign({}, window.dash_clientside, { fleet: { jump } });
})();
