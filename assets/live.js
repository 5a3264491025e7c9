/* What runs in the browser: the gate of live ticks, the view in the URL, the theme.
   Callbacks in dashboard/callbacks.py name these functions. */

(() => {
  const ONE_IN_FLIGHT_MS = 15000;
  const LATE_MS = 6000;
  const LONGEST_PAUSE_MS = 5000;
  const state = { sent: 0, acknowledged: 0, at: 0, took: 0, heard: Date.now(), range: null };
  const unchanged = () => window.dash_clientside.no_update;
  const triggered = () => window.dash_clientside.callback_context.triggered_id;
  const set = (id, props) => window.dash_clientside.set_props(id, props);

  /* Lets a tick through if the last one was answered, the period is over and somebody looks.
     A lost answer holds the gate for 15 s at most, so a restarted server is found again. */
  function gate(_count, acknowledged, period, browser) {
    if (!browser) return unchanged();
    const now = Date.now();
    if (acknowledged > state.acknowledged) {
      state.acknowledged = acknowledged;
      state.took = now - state.at;
      state.heard = now;
    }
    if (document.hidden) return unchanged();
    if (state.sent > state.acknowledged && now - state.at < ONE_IN_FLIGHT_MS) return unchanged();
    if (now - state.at < Math.max(period, state.took + rest())) return unchanged();
    state.at = now;
    state.sent = Math.max(state.sent, state.acknowledged) + 1;
    return state.sent;
  }

  /* As long as the last answer took, so that one page never has a slow server to itself. */
  function rest() {
    return Math.min(state.took, LONGEST_PAUSE_MS);
  }

  /* The view after one of the plain controls changed. */
  function choose(client, metrics, range, spans, zone, _follow, view, drawn) {
    const next = { ...view };
    switch (triggered()) {
      case "client":
        if (!client || client === view.client) return unchanged();
        next.client = client;
        next.metrics = [];
        set("metrics", { value: [] });
        break;
      case "metrics": next.metrics = metrics || []; break;
      case "range":
        if (!range) return unchanged();
        next.start = `now-${range}`;
        next.end = "now";
        break;
      case "spans":
        if (!spans.length) { set("spans", { value: view.spans }); return unchanged(); }
        next.spans = spans;
        break;
      case "zone": next.zone = !zone || zone === "browser" ? "" : zone; break;
      case "follow": Object.assign(next, follow(view, drawn)); break;
      default: return unchanged();
    }
    return JSON.stringify(next) === JSON.stringify(view) ? unchanged() : next;
  }

  /* Live stands still where it is; what stands still follows the clock again. */
  function follow(view, drawn) {
    if (view.end !== "now") return { start: state.range || "now-15m", end: "now" };
    if (!drawn || !drawn.start) return {};
    const iso = (us) => new Date(us / 1000).toISOString();
    return { start: iso(drawn.start), end: iso(drawn.end) };
  }

  function addSpan(text, options, chosen) {
    const span = (text || "").trim();
    if (!/^0*[1-9][0-9]{0,5}[smhdw]$/.test(span)) return [unchanged(), unchanged(), unchanged()];
    const known = options.some((option) => option.value === span);
    const all = known ? options : [...options, { label: span, value: span }];
    return [all, [...new Set([...chosen, span])].slice(0, 6), ""];
  }

  /* The manifest of the file just exported: what is shown, and would be exported, goes on. */
  function manifest(_clicks, _view, exported) {
    if (triggered() !== "export") return [unchanged(), true];
    return [`${exported}&manifest=1`, false];
  }

  /* Puts the view into the URL and into the controls of time, before the server answers. */
  function address(view) {
    if (!view) return;
    const live = view.end === "now";
    if (live) state.range = view.start;
    writeUrl(view);
    set("range", { value: live ? view.start.replace("now-", "") : null });
    set("follow", { className: live ? "btn live-chip live" : "btn live-chip" });
    set("follow-text", { children: live ? "Live" : "Follow" });
  }

  /* Puts what was drawn into the controls that the view left open. */
  function remember(drawn, view) {
    if (!drawn || !view) return;
    if (!view.client && drawn.client) {
      set("client", { value: drawn.client });
      set("view", { data: { ...view, client: drawn.client } });
    }
    const picker = document.querySelector(".time-picker");
    if (drawn.wall && picker && !picker.open) {
      set("from", { value: drawn.wall[0].replace(" ", "T") });
      set("to", { value: drawn.wall[1].replace(" ", "T") });
    }
  }

  function writeUrl(view) {
    const parts = new URLSearchParams();
    if (view.client) parts.append("id", view.client);
    for (const metric of view.metrics) parts.append("metric", metric);
    if (view.start !== "now-15m" || view.end !== "now") {
      parts.append("from", view.start);
      parts.append("to", view.end);
    }
    for (const span of view.spans) parts.append("span", span);
    if (view.zone) parts.append("tz", view.zone);
    const query = parts.toString();
    history.replaceState(history.state, "", query ? `/client?${query}` : "/client");
  }

  /* The button is in the shell, the store that figures look at in the page. */
  document.addEventListener("click", (event) => {
    if (!event.target.closest("#theme-button")) return;
    const root = document.documentElement.dataset;
    root.bsTheme = root.bsTheme === "dark" ? "light" : "dark";
    localStorage.setItem("culex-theme", root.bsTheme);
    if (document.getElementById("charts")) set("theme", { data: root.bsTheme });
  });

  function browser() {
    const facts = {
      zone: Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC",
      touch: matchMedia("(pointer: coarse)").matches,
      width: Math.min(document.documentElement.clientWidth, 1400),
    };
    return [facts, document.documentElement.dataset.bsTheme];
  }

  /* How old the picture is; asks why if no answer came for a while. */
  function since(_count, asOf, period) {
    const now = Date.now();
    if (!asOf) return "";
    if (!document.hidden && now - state.heard > LATE_MS + period) {
      askWhy(now);
      return "reconnecting …";
    }
    return `updated ${Math.max(0, Math.round((now - state.heard) / 1000))} s ago`;
  }

  function askWhy(now) {
    if (now - (state.asked || 0) < LATE_MS) return;
    state.asked = now;
    fetch("/api/v1/clients", { headers: { Accept: "application/json" } })
      .then((answer) => {
        const here = encodeURIComponent(location.pathname + location.search);
        if (answer.status === 401) location.assign(`/login?next=${here}`);
      })
      .catch(() => {});
  }

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) { state.at = 0; state.heard = Date.now(); }
  });

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    culex: { gate, choose, addSpan, manifest, address, remember, browser, since },
  });
})();
