/* The navigation where it is wider than the screen: the page that is shown stays in sight, and an
   edge fades where there is more. */

(() => {
  const bar = () => document.getElementById("navigation");

  /* Brings a link to the middle, without moving the page. */
  function reveal(link) {
    const all = bar();
    const [box, own] = [all.getBoundingClientRect(), link.getBoundingClientRect()];
    all.scrollLeft += own.left + own.width / 2 - box.left - box.width / 2;
    fade();
  }

  function fade() {
    const all = bar();
    if (!all) return;
    all.toggleAttribute("data-before", all.scrollLeft > 1);
    all.toggleAttribute("data-after", all.scrollLeft + all.clientWidth < all.scrollWidth - 1);
  }

  document.addEventListener("scroll", (event) => { if (event.target === bar()) fade(); }, { capture: true, passive: true });
  window.addEventListener("resize", fade);

  window.culexNavigation = { reveal };
})();
