/* Cells of the tree of topics. What clients call their topics is text, whatever it holds. */

(() => {
  const cells = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});
  const make = (...parts) => window.React.createElement(...parts);
  const icon = (name) => make("i", { className: `bi bi-${name}`, "aria-hidden": true });

  /* A level, indented; it opens what is below it, or shows what was said on it. */
  cells.TopicsLevel = ({ data }) => {
    const { level } = data;
    const turns = data.open !== undefined;
    const style = { paddingLeft: `${Math.min(data.depth, 12) * 18}px` };
    const use = (act) => window.dash_clientside.set_props(
      "topics-used", { data: { row: data.id, act, open: data.open === true, at: Date.now() } },
    );
    const turn = () => use("turn");
    const show = () => use("show");
    const parts = [];
    if (turns) {
      parts.push(make("button", {
        key: "turn", type: "button", className: "topics-turn", onClick: turn,
        "aria-expanded": data.open, "aria-label": `${level}, ${data.topics}`,
      }, icon(data.open ? "chevron-down" : "chevron-right")));
    }
    if (data.path !== undefined) {
      parts.push(make("button", {
        key: "show", type: "button", onClick: show, "aria-pressed": Boolean(data.shown),
        className: `topics-show${turns ? "" : " topics-leaf"}`,
      }, level));
    } else {
      parts.push(make("span", { key: "level", className: turns ? "" : "topics-rest", onClick: turns ? turn : undefined }, level));
    }
    if (turns) parts.push(make("span", { key: "topics", className: "topics-number" }, data.topics));
    if (data.new) parts.push(make("span", { key: "new", className: "topics-new" }, "new"));
    return make("span", { className: "topics-level", style }, parts);
  };

  /* What became of it, with a link to where more of it is. */
  cells.TopicsBecame = ({ value, data }) => {
    if (!value) return null;
    const style = { className: `topics-badge topics-${data.mood}` };
    const parts = [icon(data.symbol), make("span", { key: "text" }, value)];
    if (!data.href) return make("span", style, ...parts);
    return make("a", { ...style, href: data.href, onClick: follow }, ...parts);
  };

  /* How long ago it was heard; assets/ages.js keeps such texts true. */
  cells.TopicsAge = ({ value, data }) => {
    if (!value) return null;
    const kept = data.retained
      ? make("span", { key: "kept", className: "topics-kept", title: "kept by the broker" },
        icon("pin-angle"), make("span", { className: "visually-hidden" }, "kept by the broker, "))
      : null;
    return make("span", null, kept, make("span", { key: value, "data-since": String(value) }, words(value)));
  };

  function words(at) {
    const seconds = Math.max(0, Math.floor((Date.now() - at) / 1000));
    const [unit, width] = [["d", 86400], ["h", 3600], ["min", 60]]
      .find(([name, size]) => seconds >= 2 * size || (name === "min" && seconds >= size)) || ["s", 1];
    return `${Math.floor(seconds / width)} ${unit} ago`;
  }

  /* Goes there as dcc.Link does: nothing is loaded again. */
  function follow(event) {
    if (event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    history.pushState({}, "", event.currentTarget.href);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
    window.scrollTo(0, 0);
  }
})();
