/* The slider of the playground: the span it stands at goes into the view, one question at a time.
   While an answer is on its way only the newest step waits, so that dragging never piles up. */

(() => {
  const WAIT_MS = 3000;
  const state = { asked: 0, next: null };
  const track = () => document.getElementById("playground-track");
  const slider = () => document.getElementById("playground-slider");

  function ask(step) {
    const box = track();
    if (!box) return;
    state.asked = Date.now();
    state.next = null;
    const span = box.dataset.spans.split(" ")[step];
    window.dash_clientside.set_props({ choice: "spans" }, { value: span });
  }

  function moved(step) {
    say(step);
    if (Date.now() - state.asked < WAIT_MS) state.next = step;
    else ask(step);
  }

  /* An answer has come: what was chosen meanwhile is asked now. */
  function answered() {
    state.asked = 0;
    if (state.next !== null) ask(state.next);
  }

  function say(step) {
    const text = track().dataset.texts.split("|")[step];
    document.getElementById("playground-span").textContent = text;
    slider().setAttribute("aria-valuetext", text);
  }

  document.addEventListener("input", (event) => {
    if (event.target === slider()) moved(Number(event.target.value));
  });

  document.addEventListener("click", (event) => {
    const mark = event.target.closest(".playground-mark");
    if (!mark) return;
    const step = Number(mark.dataset.step);
    window.dash_clientside.set_props("playground-slider", { value: step });
    moved(step);
  });

  window.dash_clientside = Object.assign({}, window.dash_clientside, { playground: { answered } });
})();
