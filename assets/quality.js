/* The Quality page in the browser: numbers and links in its grids, and a click in its map. */

(() => {
  const dag = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});
  const cells = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});

  dag.qualityNumber = (value) => (
    value === null || value === undefined ? "–" : value.toLocaleString("en").replaceAll(",", "\u00a0")
  );

  /* Goes to another page as dcc.Link does: nothing is loaded again. */
  function go(href) {
    history.pushState({}, "", href);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
    window.scrollTo(0, 0);
  }

  cells.QualityClient = ({ value, data }) => {
    if (!data.href) return value;
    const follow = (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      go(data.href);
    };
    return window.React.createElement("a", { href: data.href, onClick: follow }, value);
  };

  /* The grid hears its click, also that of the Enter key. */
  cells.QualityOpen = ({ value }) => window.React.createElement(
    "button", { type: "button", className: "quality-open" }, value,
  );

  /* A click in the map leads to the client at that time. */
  function visit(click, map) {
    const point = click && click.points && click.points[0];
    if (!point || !map) return window.dash_clientside.no_update;
    const client = map.clients[Math.round(Number(point.y))];
    const at = wall(point.x);
    const place = map.places.findIndex((text) => text.slice(0, 16) === at);
    if (client === undefined || place < 0) return window.dash_clientside.no_update;
    const iso = (ms) => new Date(ms).toISOString();
    const view = new URLSearchParams({
      id: client, from: iso(map.edges[place]), to: iso(map.edges[place + 1]),
    });
    if (map.zone) view.append("tz", map.zone);
    go(`${map.page}?${view}`);
    return window.dash_clientside.no_update;
  }

  /* Where a point stands on the axis: plotly says it in a text, or in milliseconds of our zone. */
  function wall(x) {
    if (typeof x !== "number") return String(x).replace(" ", "T").slice(0, 16);
    const date = new Date(x);
    return new Date(x - date.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, { quality: { visit } });
})();
