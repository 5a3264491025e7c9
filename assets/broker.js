/* Cells of the Broker page's grid: text is text, whatever a client calls itself. */

(() => {
  const cells = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});
  const make = (...parts) => window.React.createElement(...parts);

  cells.BrokerState = ({ data, value }) => make(
    "span", { className: `broker-state ${data.mood}`, title: value },
    make("i", { className: `bi bi-${data.symbol}`, "aria-hidden": true }), value,
  );

  /* Goes there as dcc.Link does, without loading the document again. */
  function go(event) {
    if (event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    history.pushState(null, "", event.currentTarget.href);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
    window.scrollTo(0, 0);
  }

  cells.BrokerClient = ({ data, value }) => (
    data.href ? make("a", { href: data.href, onClick: go }, value) : value
  );
})();
