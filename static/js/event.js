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
  isSent = event.submitter?.formTarget !== "_blank"; // a preview opens in another tab: the form stays
});
addEventListener("beforeunload", (event) => {
  const isUnsaved = form.querySelector(".errornote") || [...form.elements].some(isChanged);
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
