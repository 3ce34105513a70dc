"use strict";

// The form of an event: leaving it with unsaved text asks first, and the zone beside each hour is the one chosen.
const form = document.getElementById("event_form");

const isChanged = (control) => {
  if (control.type === "checkbox" || control.type === "radio") return control.checked !== control.defaultChecked;
  if (control.type === "file") return control.value !== "";
  if (control.tagName !== "SELECT") return "defaultValue" in control && control.value !== control.defaultValue;
  const saved = [...control.options].findIndex((option) => option.defaultSelected);
  return control.selectedIndex !== Math.max(saved, 0);
};

let isSent = false;
form.addEventListener("submit", (event) => {
  isSent = !event.submitter?.formTarget; // a preview opens elsewhere: the form stays
});
addEventListener("beforeunload", (event) => {
  const isUnsaved = form.querySelector(".summary") || [...form.elements].some(isChanged);
  if (isUnsaved && !isSent) event.preventDefault();
});

const zone = form.elements.timezone;
const nameZone = () => {
  const words = zone.selectedOptions[0].dataset.spoken;
  for (const place of form.querySelectorAll("[data-zone]")) place.textContent = words;
};
if (zone) zone.addEventListener("change", nameZone);

addEventListener("pageshow", () => {
  isSent = false;
  if (zone) nameZone();
});

// An hour is shown as it was understood: 14h30, 1430 and 14:30 become « 14 h 30 ».
const HOUR = /^\s*(\d{1,2}?)\s*(?:h|:|\.)?\s*(\d{2})?\s*$/i;
form.addEventListener("change", ({ target }) => {
  if (!("hour" in target.dataset)) return;
  const [, hour, minute = "00"] = HOUR.exec(target.value) ?? [];
  if (!(hour < 24 && minute < 60)) return;
  const isFrench = document.documentElement.lang === "fr";
  const french = `${Number(hour)}\u00a0h${minute === "00" ? "" : `\u00a0${minute}`}`;
  target.value = isFrench ? french : `${hour.padStart(2, "0")}:${minute}`;
});
