"use strict";

// A second click sends nothing; coming back to the page makes the button new again.
for (const form of document.querySelectorAll("form[data-once]")) {
  const button = form.querySelector("[type=submit]");
  const words = button.textContent;
  form.addEventListener("submit", (event) => {
    if (button.getAttribute("aria-disabled") === "true") {
      event.preventDefault();
      return;
    }
    button.setAttribute("aria-disabled", "true");
    button.textContent = form.dataset.sending;
  });
  addEventListener("pageshow", () => {
    button.removeAttribute("aria-disabled");
    button.textContent = words;
  });
}

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).href);
    button.parentElement.querySelector("[role=status]").textContent = button.dataset.copied;
  });
}

// The hours of a session where the visitor is, beside those of its own zone.
const french = document.documentElement.lang === "fr";
const inZone = (moment, timeZone) => {
  const style = { timeZone, hourCycle: "h23", hour: "numeric", minute: "2-digit", day: "numeric", weekday: "long", month: "long" };
  const parts = new Intl.DateTimeFormat(document.documentElement.lang, style).formatToParts(moment);
  const { hour, minute, day, weekday, month } = Object.fromEntries(parts.map((part) => [part.type, part.value]));
  const clock = french ? `${Number(hour)}\u00a0h${minute === "00" ? "" : `\u00a0${minute}`}` : `${hour}:${minute}`;
  return { clock, day: `${weekday} ${day}\u00a0${month}` };
};
for (const line of document.querySelectorAll(".local-time")) {
  const [starts, ends] = [new Date(line.dataset.starts), new Date(line.dataset.ends)];
  const [here, there, end] = [inZone(starts), inZone(starts, line.dataset.zone), inZone(ends)];
  if (here.clock === there.clock && here.day === there.day) continue;
  const date = here.day === there.day ? "" : `${here.day}, `;
  const last = here.day === end.day ? "" : `${end.day}, `;
  line.append(` ${date}${here.clock}\u00a0– ${last}${end.clock}`);
  line.hidden = false;
}

// The player of a recording loads after a click on its link, and takes its place. With a key held down, the link opens.
for (const link of document.querySelectorAll("a[data-player]")) {
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const frame = document.createElement("iframe");
    frame.src = link.dataset.player;
    frame.title = link.dataset.title;
    frame.allow = "fullscreen; picture-in-picture";
    frame.allowFullscreen = true;
    frame.className = "player";
    link.replaceWith(frame);
    frame.focus();
  });
}
