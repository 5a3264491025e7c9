/* The theme, the keys and the help: what the shell does by itself in the browser. */

(() => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  /* First the one that the system does not have: the first press is always seen. */
  const themes = () => ["auto", ...(system.matches ? ["light", "dark"] : ["dark", "light"])];
  const press = (id) => document.getElementById(id)?.click();

  function wanted() {
    const kept = localStorage.getItem("culex-theme");
    return themes().includes(kept) ? kept : "auto";
  }

  function show() {
    const theme = wanted();
    const dark = theme === "dark" || (theme === "auto" && system.matches);
    root.dataset.bsTheme = root.dataset.agThemeMode = dark ? "dark" : "light";
    const button = document.getElementById("theme-button");
    if (!button) return;
    button.title = `Theme: ${theme} (d)`;
    button.querySelector(".visually-hidden").textContent = button.title;
    window.dash_clientside.set_props("theme", { data: root.dataset.bsTheme });
  }

  function turn() {
    const all = themes();
    localStorage.setItem("culex-theme", all[(all.indexOf(wanted()) + 1) % all.length]);
    show();
  }

  const help = () => document.getElementById("help")?.showModal();

  function pick() {
    const picker = document.querySelector(".time-picker");
    picker.open = !picker.open;
    picker.querySelector(picker.open ? "input" : "summary").focus();
  }

  const KEYS = {
    t: pick,
    p: () => press("follow"),
    r: () => press("refresh-now"),
    d: turn,
    "/": () => document.querySelector("main input[type=search]")?.focus(),
    "?": help,
    ArrowLeft: () => press("back"),
    ArrowRight: () => press("forward"),
  };
  const TYPING = "input, textarea, select, [contenteditable], [role=slider], [role=gridcell], " +
    "[role=combobox], [role=listbox], [role=option], [role=tab], dialog, .js-plotly-plot";

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") document.querySelector(".time-picker[open]")?.removeAttribute("open");
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.(TYPING)) return;
    const action = KEYS[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest("#theme-button")) turn();
    if (event.target.closest("#help-button")) help();
    const picker = document.querySelector(".time-picker[open]");
    if (picker && !event.target.closest(".time-picker, [data-radix-popper-content-wrapper]")) picker.open = false;
  });

  system.addEventListener("change", show);
})();
