/* How long ago something was: elements with data-since say it, in the words of telemetry/words.py's
   age_text. What an answer brings is never seen without its age. */

(() => {
  function ages() {
    const now = Date.now();
    for (const one of document.querySelectorAll("[data-since]")) age(one, now);
  }

  /* Since when; with data-newest, since the newest of what that selector finds, if there is any. */
  function since(one) {
    const others = one.dataset.newest ? [...document.querySelectorAll(one.dataset.newest)] : [];
    return Math.max(...[one, ...others].map((each) => Number(each.dataset.since)));
  }

  function age(one, now) {
    const seconds = Math.max(0, Math.floor((now - since(one)) / 1000));
    let text = `${seconds} s ago`;
    for (const [unit, width] of [["min", 60], ["h", 3600], ["d", 86400]]) {
      if (seconds >= (unit === "min" ? 1 : 2) * width) text = `${Math.floor(seconds / width)} ${unit} ago`;
    }
    if (one.firstChild && one.firstChild.nodeValue !== text) one.firstChild.nodeValue = text;
  }

  const brings = (node) => node.nodeType === 1 && (node.dataset?.since || node.querySelector("[data-since]"));
  const changed = (one) => one.type === "attributes" || [...one.addedNodes].some(brings);
  const watch = { childList: true, subtree: true, attributes: true, attributeFilter: ["data-since"] };
  new MutationObserver((news) => { if (news.some(changed)) ages(); }).observe(document.documentElement, watch);
  setInterval(ages, 250);
})();
