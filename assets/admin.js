/* The page Admin in the browser: buttons in lists, and secrets that are shown once. */

(() => {
  const set = (id, props) => window.dash_clientside.set_props(id, props);

  /* A button in a list says whom it is about; the time makes a second click another one. */
  function choose({ adminTo, adminOf }) {
    set(adminTo, { data: { of: adminOf, at: Date.now() } });
  }

  document.addEventListener("click", ({ target }) => {
    const button = target.closest?.("[data-admin-to]");
    if (button) choose(button.dataset);
  });

  /* A secret leaves with the form that shows it. */
  const forget = (open) => (open ? window.dash_clientside.no_update : null);

  window.dash_clientside = Object.assign({}, window.dash_clientside, { admin: { forget } });
})();
