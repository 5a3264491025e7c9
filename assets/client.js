/* The client page in the browser: pictures of its charts as files. */

(() => {
  const HEAD_PX = 30;
  const NAME = /[^\p{L}\p{N}._-]+/gu;

  /* The charts as they are seen, on the page's ground, with the client's name above. */
  function picture(button) {
    const chart = document.getElementById('{"chart":"client"}');
    const drawn = chart?.querySelector(".js-plotly-plot");
    if (!drawn || !window.Plotly) return;
    const { data, layout } = drawn;
    const style = getComputedStyle(document.documentElement);
    const meta = layout.meta || {};
    const title = {
      text: meta.title, x: 0, xref: "paper", xanchor: "left", y: 1, yref: "container",
      yanchor: "top", pad: { t: 10 }, font: { size: 16 },
    };
    const margin = { ...layout.margin, t: (layout.margin?.t || 0) + HEAD_PX };
    const height = drawn.offsetHeight + HEAD_PX;
    const kept = {
      ...layout, title, margin, height, paper_bgcolor: style.getPropertyValue("--cx-panel").trim(),
    };
    window.Plotly.downloadImage({ data, layout: kept }, {
      format: button.dataset.form, width: drawn.offsetWidth, height, scale: 2,
      filename: [meta.file, ...layout.xaxis.range].join("_").replace(NAME, "-").slice(0, 150),
    });
  }

  document.addEventListener("click", ({ target }) => {
    const button = target.closest?.(".client-picture");
    if (button) picture(button);
  });
})();
