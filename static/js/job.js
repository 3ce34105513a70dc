"use strict";

// A long act is followed without loading the page anew: focus and place stay, and its end is announced.
const EVERY = 2000; // milliseconds

async function follow() {
  const state = document.getElementById("job-state");
  if (!("underWay" in state.dataset)) return;
  try {
    const answer = await fetch(location.href, { cache: "no-store" });
    if (answer.redirected || !answer.ok) throw new Error(answer.status);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const now = fresh.getElementById("job-state");
    document.getElementById("job-figures").replaceChildren(...fresh.getElementById("job-figures").childNodes);
    if (now.textContent !== state.textContent) state.replaceChildren(...now.childNodes);
    if (!("underWay" in now.dataset)) {
      delete state.dataset.underWay;
      document.getElementById("job-refresh").remove();
    }
    document.title = fresh.title;
  } catch {
    // the site is away or the session has ended: the page stays as it is, and “Refresh” tells more
  }
  setTimeout(follow, EVERY);
}

setTimeout(follow, EVERY);
