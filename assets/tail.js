/* The ends of lines: a tick brings the points that changed, the others are in the chart already.
   dashboard/tails.py says what comes; docs/adr/0016 why. */

(() => {
  const missing = (value) => value === null || Number.isNaN(value);

  /* Numbers as a list, however they are kept: packed as they were sent, typed, or a list. */
  function listed(values) {
    if (Array.isArray(values)) return values;
    if (!values) return [];
    if (ArrayBuffer.isView(values)) return Array.from(values);
    const bytes = Uint8Array.from(atob(values.bdata), (char) => char.charCodeAt(0));
    return Array.from(new Float64Array(bytes.buffer));
  }

  /* How many of the places, which are in order, lie before one. */
  function before(places, place) {
    let low = 0;
    let high = places.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (places[middle] < place) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /* A line from the first place on that is seen, its end from a place on replaced. */
  function line(trace, first, cut, added) {
    const x = listed(trace.x);
    const y = listed(trace.y);
    const end = before(x, cut);
    let start = Math.min(before(x, first), end);
    while (start + 1 < end && missing(y[start]) && x[start] === x[start + 1]) start += 1;
    const found = {};
    for (const name of Object.keys(added)) {
      found[name] = listed(trace[name]).slice(start, end).concat(added[name]);
    }
    return found;
  }

  /* The columns that an outline was made of: each stretch goes along its top and comes back. */
  function columns(trace) {
    const x = listed(trace.x);
    const y = listed(trace.y);
    const found = { x: [], low: [], high: [], begins: [] };
    for (let start = 0, end = 0; end < y.length; end += 1) {
      if (!missing(y[end])) continue;
      const length = (end - start) / 2;
      for (let n = 0; n < length; n += 1) {
        found.x.push(x[start + n]);
        found.high.push(y[start + n]);
        found.low.push(y[end - 1 - n]);
        found.begins.push(n === 0);
      }
      start = end + 1;
    }
    return found;
  }

  function outline({ x, low, high, begins }) {
    const found = { x: [], y: [] };
    for (let start = 0, end = 1; start < x.length; end += 1) {
      if (end < x.length && !begins[end]) continue;
      const [there, back] = [x.slice(start, end), x.slice(start, end).reverse()];
      found.x.push(...there, ...back, x[start]);
      found.y.push(...high.slice(start, end), ...low.slice(start, end).reverse(), null);
      start = end;
    }
    return found;
  }

  function band(trace, first, cut, added) {
    const old = columns(trace);
    const end = before(old.x, cut);
    const start = Math.min(before(old.x, first), end);
    const found = {};
    for (const name of Object.keys(added)) {
      found[name] = old[name].slice(start, end).concat(added[name]);
    }
    return outline(found);
  }

  /* The figure with what an update says; null if the update is of another figure than this. */
  function extended(update, figure) {
    const meta = (figure && figure.layout && figure.layout.meta) || {};
    if (!meta.token || meta.token !== update.of) return null;
    const data = figure.data.slice();
    const set = (number, arrays) => { data[number] = { ...data[number], ...arrays }; };
    for (const [number, arrays] of update.whole) set(number, arrays);
    for (const [number, ...end] of update.tails) set(number, line(data[number], ...end));
    for (const [number, ...end] of update.bands) set(number, band(data[number], ...end));
    const layout = { ...figure.layout, ...update.layout };
    layout.meta = { ...meta, token: update.token };
    return { ...figure, data, layout };
  }

  /* An update that does not fit is dropped, and all is asked for anew: what the browser says that
     it has is forgotten. */
  function extend(update, figure) {
    const clientside = window.dash_clientside;
    if (!update) return clientside.no_update;
    const found = extended(update, figure);
    if (found) return found;
    clientside.set_props("drawn", { data: {} });
    return clientside.no_update;
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    tail: { extend, extended },
  });
})();
