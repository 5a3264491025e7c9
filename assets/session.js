/* The session in the browser. Whose session ended is led to the login, and from there back, by the
   first answer that says so. Whoever logs out asks nothing more, and what was asked is answered
   first: it would be a stranger who asks. */

(() => {
  const LEAVING_MS = 10000;
  const LAST_ANSWER_MS = 500;
  const fetched = window.fetch;
  let [left, asked] = [0, 0];
  const leaving = () => Date.now() - left < LEAVING_MS;

  window.fetch = async (...question) => {
    asked += 1;
    try {
      const answer = await fetched(...question);
      if (answer.status === 401 && !leaving()) {
        const { prefix, here } = window.culexLive;
        location.assign(`${prefix()}login?next=${encodeURIComponent(here())}`);
      }
      return answer;
    } finally {
      asked -= 1;
    }
  };

  document.addEventListener("submit", (event) => {
    left = Date.now();
    if (!asked) return;
    event.preventDefault();
    setTimeout(() => event.target.submit(), LAST_ANSWER_MS);
  });

  window.culexSession = { leaving };
})();
