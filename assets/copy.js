/* Buttons that copy a text of the page. */

(() => {
  /* Over plain HTTP browsers give no clipboard, except on the machine itself: then the text is
     selected, which can be copied everywhere. */
  async function copy({ copyOf, copyTold }) {
    const shown = document.getElementById(copyOf);
    let done = false;
    try {
      await navigator.clipboard.writeText(shown.textContent);
      done = true;
    } catch {
      window.getSelection().selectAllChildren(shown);
      done = document.execCommand("copy");
    }
    const said = done ? "Copied" : "Selected: copy it now";
    window.dash_clientside.set_props(copyTold, { children: said });
  }

  document.addEventListener("click", ({ target }) => {
    const button = target.closest?.("[data-copy-of]");
    if (button) copy(button.dataset);
  });
})();
