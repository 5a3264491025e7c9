/* The live engine in the browser: what is asked and when, the view in the address, and how old
   the picture is. dashboard/browser.py connects these functions to components. */

(() => {
  const ONE_IN_FLIGHT_MS = 15000;
  const LATE_MS = 6000;
  const LONGEST_PAUSE_MS = 5000;
  const SLOW_MS = 400;
  const MOST_PAST = 20;
  const state = { sent: 0, acknowledged: 0, at: 0, took: 0, heard: Date.now(), range: null, page: "", places: 0, shown: 0, drags: 0 };
  const unchanged = () => window.dash_clientside.no_update;
  const changes = () => window.dash_clientside.callback_context.triggered;
  const set = (id, props) => window.dash_clientside.set_props(id, props);
  const root = document.documentElement;

  /* ---- Where we are ---- */

  const prefix = () => {
    const config = document.getElementById("_dash-config");
    return (config && JSON.parse(config.textContent).requests_pathname_prefix) || "/";
  };

  /* The name of the page that is there, or nothing while another is on its way. */
  function page() {
    const links = [...document.querySelectorAll("#navigation a")];
    const name = location.pathname.slice(prefix().length).replace(/\/$/, "")
      || (links.length ? links[0].id.slice(3) : "");
    return document.querySelector(`.of-${CSS.escape(name)}`) ? name : "";
  }

  function place() {
    state.places += 1;
    state.here = here();
    return { path: `/${location.pathname.slice(prefix().length)}`, search: location.search, number: state.places };
  }

  function begin() {
    const facts = {
      zone: Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC",
      touch: matchMedia("(pointer: coarse)").matches,
      width: Math.min(root.clientWidth, 1400),
    };
    return [facts, root.dataset.bsTheme, place()];
  }

  const here = () => location.pathname + location.search;

  for (const event of ["_dashprivate_pushstate", "popstate"]) {
    window.addEventListener(event, () => { if (here() !== state.here) set("place", { data: place() }); });
  }

  /* ---- Asking ---- */

  /* Asks the page that is there. A change of view is asked at once, and the answer to what was
     asked before is dropped by Dash. A tick waits until the last one was answered, the period is
     over and somebody looks; a lost answer holds it for 15 s at most, so that a server that was
     started again is found. */
  function ask(_count, view, theme, _now, acknowledged, period, refresh, browser) {
    hear(acknowledged);
    const name = page();
    if (!browser || !view || !name || document.hidden || window.culexSession.leaving()) return;
    const tick = changes().every((change) => change.prop_id.startsWith("ticker."));
    if (tick && name === state.page && !due(period, refresh)) return;
    const now = Date.now();
    state.page = name;
    state.at = now;
    state.sent = Math.max(state.sent, state.acknowledged) + 1;
    state.moved = !tick;
    set(`${name}-ask`, { data: { number: state.sent, visit: state.places, view, theme, ...browser } });
  }

  function hear(acknowledged) {
    const now = Date.now();
    if (acknowledged > state.acknowledged) {
      state.acknowledged = acknowledged;
      state.took = now - state.at;
      state.heard = now;
    }
    const slow = state.moved && state.sent > state.acknowledged && now - state.at > SLOW_MS;
    if (slow) root.dataset.asking = "";
    else delete root.dataset.asking;
  }

  function due(period, refresh) {
    const now = Date.now();
    if (refresh === "off") return false;
    if (state.sent > state.acknowledged && now - state.at < ONE_IN_FLIGHT_MS) return false;
    return now - state.at >= Math.max(Number(refresh) || period, state.took + rest());
  }

  /* As long as the last answer took, so that one page never has a slow server to itself. */
  function rest() {
    return Math.min(state.took, LONGEST_PAUSE_MS);
  }

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) { state.at = 0; state.heard = Date.now(); }
  });

  /* ---- The view ---- */

  /* The view after controls changed; those of a page that was just shown have not. */
  function choose(_choices, _options, _range, _zone, _follow, view, asOf) {
    if (!view) return unchanged();
    const next = { ...view, options: { ...view.options } };
    const known = state.shown === state.places;
    for (const change of changes()) {
      const id = change.prop_id.slice(0, change.prop_id.lastIndexOf("."));
      if (id.startsWith("{")) {
        state.shown = state.places;
        if (!known) continue;
        const { choice, option } = JSON.parse(id);
        if (choice) chosen(next, view, choice, change.value);
        else if (change.value) next.options[option] = String(change.value);
        else delete next.options[option];
      } else timed(next, view, asOf, id, change.value);
    }
    return JSON.stringify(next) === JSON.stringify(view) ? unchanged() : next;
  }

  function chosen(next, view, choice, value) {
    const values = Array.isArray(value) ? value : value ? [value] : [];
    if (choice === "client") {
      if (!value || value === view.clients[0]) return;
      next.clients = [value];
      next.metrics = [];
      if (control("choice", "metrics")) set({ choice: "metrics" }, { value: [] });
    } else if (choice === "clients") next.clients = values;
    else if (choice === "metric" || choice === "metrics") next.metrics = values;
    else if (choice === "spans" && values.length) next.spans = values;
    else if (choice === "spans") set({ choice: "spans" }, { value: view.spans });
  }

  const control = (kind, name) => document.getElementById(`{"${kind}":"${name}"}`);

  function timed(next, view, asOf, id, value) {
    if (id === "range" && value) Object.assign(next, { start: `now-${value}`, end: "now" });
    else if (id === "zone" && value) next.zone = value === "browser" ? "" : value;
    else if (id === "follow" && value) Object.assign(next, follow(view, asOf));
  }

  /* Live stands still where it is; what stands still follows the clock again. */
  function follow(view, asOf) {
    if (view.end !== "now") return { start: state.range || "now-15m", end: "now" };
    if (!asOf || !asOf.start) return {};
    const iso = (us) => new Date(us / 1000).toISOString();
    return { start: iso(asOf.start), end: iso(asOf.end) };
  }

  /* Puts the view into the address, the navigation and the controls of time at once. */
  function address(view) {
    if (!view) return;
    const live = view.end === "now";
    if (live) state.range = view.start;
    const query = String(parts(view));
    history.replaceState(history.state, "", location.pathname + (query ? `?${query}` : ""));
    state.here = here();
    set("range", { value: live ? view.start.replace("now-", "") : null });
    set("zone", { value: view.zone || "browser" });
    const kept = String(parts({ start: view.start, end: view.end, zone: view.zone }));
    const shown = page();
    for (const link of document.querySelectorAll("#navigation a")) {
      const name = link.id.slice(3);
      const active = name === shown;
      set(link.id, {
        href: `${prefix()}${name}${kept ? `?${kept}` : ""}`,
        className: active ? "nav-to active" : "nav-to",
      });
      if (active) {
        link.setAttribute("aria-current", "page");
        if (state.linked !== name) window.culexNavigation.reveal(link);
        state.linked = name;
        document.title = [...(view.clients.length === 1 ? view.clients : []), link.textContent, "Culex"].join(" · ");
      } else link.removeAttribute("aria-current");
    }
  }

  function parts({ clients = [], metrics = [], start, end, spans = [], zone, options = {} }) {
    const found = new URLSearchParams();
    for (const client of clients) found.append("id", client);
    for (const metric of metrics) found.append("metric", metric);
    if (start !== "now-15m" || end !== "now") {
      found.append("from", start);
      found.append("to", end);
    }
    for (const span of spans) found.append("span", span);
    if (zone) found.append("tz", zone);
    for (const name of Object.keys(options).sort()) found.append(name, options[name]);
    return found;
  }

  /* Puts what was drawn into the controls that the view left open. */
  function remember(drawn, asOf, view) {
    const picker = document.querySelector(".time-picker");
    if (asOf && asOf.wall && picker && !picker.open) {
      set("from", { value: asOf.wall[0].replace(" ", "T") });
      set("to", { value: asOf.wall[1].replace(" ", "T") });
    }
    const found = (drawn && drawn.of === page() && drawn.chosen) || {};
    if (!view) return;
    const client = !view.clients.length && found.client;
    const metric = !view.metrics.length && found.metric;
    if (!client && !metric) return;
    const next = { ...view };
    if (client) next.clients = [client];
    if (metric) next.metrics = [metric];
    set("view", { data: next });
    if (client && control("choice", "client")) set({ choice: "client" }, { value: client });
    if (metric && control("choice", "metric")) set({ choice: "metric" }, { value: metric });
  }

  /* What of a chart's report is the reader's doing; that it has another size is not. */
  function dragged() {
    const moved = changes().map((change) => change.value)
      .find((value) => value && Object.keys(value).some((key) => key.startsWith("xaxis.")));
    if (!moved) return unchanged();
    state.drags += 1;
    return { ...moved, number: state.drags };
  }

  /* ---- How old it is ---- */

  /* How old the picture is; asks why if no answer came for a while. */
  function beat(_count, asOf, view, period, refresh) {
    const now = Date.now();
    forgetThePast();
    if (!asOf || !view) return "";
    const off = refresh === "off";
    const late = !document.hidden && !off && now - state.heard > LATE_MS + (Number(refresh) || period);
    chip(late ? "behind" : off || view.end !== "now" ? "paused" : "live");
    if (late) {
      askWhy(now);
      return "reconnecting …";
    }
    return `updated ${Math.max(0, Math.round((now - state.heard) / 1000))} s ago`;
  }

  /* Dash keeps every beat for an undo button that nobody has, in a list that each beat copies:
     after a day that is 345 600 entries. */
  function forgetThePast() {
    for (const store of window.dash_stores || []) {
      const { past } = store.getState().history || {};
      if (past && past.length > MOST_PAST) past.length = 0;
    }
  }

  const CHIP = { live: "Live", paused: "Paused", behind: "Behind" };

  function chip(kind) {
    if (state.chip === kind) return;
    state.chip = kind;
    set("follow", { className: `btn live-chip ${kind}` });
    set("follow-text", { children: CHIP[kind] });
  }

  function askWhy(now) {
    if (now - (state.asked || 0) < LATE_MS) return;
    state.asked = now;
    fetch(`${prefix()}api/v1/clients`, { headers: { Accept: "application/json" } }).catch(() => {});
  }

  /* ---- The client page ---- */

  function addSpan(text, options, chosenSpans) {
    const span = (text || "").trim();
    if (!/^0*[1-9][0-9]{0,5}[smhdw]$/.test(span)) return [unchanged(), unchanged(), unchanged()];
    const known = options.some((option) => option.value === span);
    const all = known ? options : [...options, { label: span, value: span }];
    return [all, [...new Set([...chosenSpans, span])].slice(0, 6), ""];
  }

  /* The manifest of the file just exported: what is shown, and would be exported, goes on. */
  function manifest(_clicks, _view, exported) {
    if (changes().every((change) => !change.prop_id.endsWith(".n_clicks"))) return [unchanged(), true];
    return [`${exported}&manifest=1`, false];
  }

  window.culexLive = { prefix, here };
  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    culex: { begin, ask, choose, dragged, address, remember, beat, addSpan, manifest },
  });
})();
