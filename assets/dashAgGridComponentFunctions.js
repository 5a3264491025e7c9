/* Cells of grids, drawn as React elements: what rows say is always text, never HTML. */

(() => {
  const cells = window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {};
  const make = (...args) => window.React.createElement(...args);
  const mark = (name) => make("i", { className: `bi bi-${name}`, "aria-hidden": "true" });

  /* ---- Fleet ---- */

  const STATES = {
    "disconnected": ["x-octagon-fill", "disconnected"],
    "silent": ["hourglass-split", "silent"],
    "unknown": ["question-circle-fill", "not known"],
    "collector-down": ["slash-circle", "collector down"],
    "reporting": ["broadcast", "reporting"],
    "connected": ["check-circle-fill", "connected"],
    "never-seen": ["dash-circle", "not seen yet"],
    "shut-out": ["dash-circle-fill", "shut out"],
  };

  cells.FleetState = ({ data }) => {
    const [symbol, text] = STATES[data.state] || STATES.unknown;
    const state = make("span", { className: `fleet-state state-${data.state}` }, mark(symbol), ` ${text}`);
    const why = data.state === "connected"
      ? (/no reading yet.*/.exec(data.words) || [])[0]
      : data.words.replace(/^disconnected:? |^connected, but |^added, but not seen yet$/, "");
    return make("span", { className: "fleet-who" }, state, why && make("small", { className: "fleet-why" }, why));
  };

  /* On a phone, which has no room for the values, the first of them stands below the name. */
  function first({ values }) {
    if (!values || !values.length) return null;
    const [metric, value, unit] = values[0];
    return make("small", { className: "fleet-first", "aria-hidden": "true", title: metric }, make("b", null, value), unit ? ` ${unit}` : "");
  }

  /* A link that says where the view leads now; a plain click stays within the page. */
  cells.FleetClient = ({ data }) => {
    const aim = (event) => { event.currentTarget.href = window.culexFleet.address(data.id); };
    const go = (event) => {
      aim(event);
      if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      window.culexFleet.open(data.id);
    };
    const link = make("a", {
      href: window.culexFleet.address(data.id), onClick: go, onMouseDown: aim, onFocus: aim,
      className: "fleet-client",
    }, data.name || data.id);
    const simulated = data.simulated && make("small", { className: "fleet-simulated" }, "simulated");
    return make("span", { className: "fleet-who", title: data.name || data.id }, link, simulated, first(data));
  };

  /* The age itself is kept current by assets/ages.js. */
  cells.FleetSeen = ({ value }) => (
    value ? make("span", { "data-since": String(value), key: value }, "\u2007") : "never"
  );

  cells.FleetValues = ({ data }) => make(
    "span",
    { className: "fleet-values" },
    ...(data.values || []).map(([metric, value, unit]) => make(
      "span",
      { className: "fleet-value", key: metric, title: `${metric}: ${value} ${unit}` },
      make("small", null, metric),
      make("span", null, make("b", null, value), unit ? ` ${unit}` : ""),
    )),
    data.more ? make("small", { className: "fleet-more", key: "" }, `+${data.more}`) : null,
  );

  const WIDTH = 96, HEIGHT = 26;

  /* Heights from 0 to 100 as lines, broken where there is no reading. */
  function lines(points) {
    const step = WIDTH / Math.max(1, points.length - 1);
    let path = "", before = null;
    points.forEach((height, place) => {
      if (height !== null) {
        const at = `${(place * step).toFixed(1)} ${(HEIGHT - 2 - height * (HEIGHT - 4) / 100).toFixed(1)}`;
        path += before === null ? `M${at}h.01` : `L${at}`;
      }
      before = height;
    });
    return path;
  }

  cells.FleetSpark = ({ value }) => {
    const [points, low, high] = value || [[]];
    if (points.filter((height) => height !== null).length < 2) return "";  // a dot says nothing
    return make(
      "span",
      { className: "fleet-spark", role: "img", "aria-label": `from ${low} to ${high}`, title: `from ${low} to ${high}` },
      make("svg", { width: WIDTH, height: HEIGHT, viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true" },
        make("path", { d: lines(points), fill: "none", stroke: "currentColor", strokeWidth: 1.5, strokeLinecap: "round", strokeLinejoin: "round" })),
    );
  };

  cells.FleetComplete = ({ value }) => {
    if (value === undefined || value === null) return "–";
    const bar = make("span", { className: "fleet-bar", "aria-hidden": "true" },
      make("span", { style: { width: `${value}%` }, className: value < 95 ? "low" : "" }));
    return make("span", { className: "fleet-complete" }, bar, `${value} %`);
  };

  cells.FleetTags = ({ value }) => make(
    "span", { className: "fleet-tags" },
    ...(value || []).map((tag) => make("span", { className: "fleet-tag", key: tag }, tag)),
  );
})();
