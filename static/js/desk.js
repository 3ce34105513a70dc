"use strict";

// An address is copied by a button, and the day itself counts anew who is there. Without this script the address
// selects whole, and the link « Compter à nouveau » does the same.
const EVERY = 10000; // milliseconds

for (const button of document.querySelectorAll("button[data-copies]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent.trim());
    button.textContent = button.dataset.copied;
  });
}

// Ticks all rows of a table; without this script each is ticked by itself, or all that were found by the box above.
for (const box of document.querySelectorAll("[data-ticks-all]")) {
  box.hidden = false;
  box.addEventListener("change", () => {
    for (const row of box.closest("table").querySelectorAll("tbody .tick input")) row.checked = box.checked;
  });
}

async function count(day) {
  try {
    const answer = await fetch(day.dataset.fragment, { cache: "no-store" });
    if (answer.redirected || !answer.ok) throw new Error(answer.status);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.getElementById("day-count").replaceChildren(...fresh.getElementById("day-count").childNodes);
  } catch {
    // the site is away or the session has ended: the page stays as it is, with the hour of its last count
  }
  setTimeout(count, EVERY, day);
}

const day = document.getElementById("day");
if (day) setTimeout(count, EVERY, day);
