/* The Clients page in the browser: a login that is shown once comes into sight. */

(() => {
  function reveal(shown) {
    if (!shown) return;
    requestAnimationFrame(() => {
      const place = document.getElementById("clients-shown");
      const { top } = place.getBoundingClientRect();
      if (top < 0 || top > window.innerHeight - 160) place.scrollIntoView({ block: "start" });
    });
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, { clients: { reveal } });
})();
