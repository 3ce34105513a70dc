"use strict";

// The button of an import says how many people are chosen at this moment.
for (const button of document.querySelectorAll("[data-many]")) {
  const choices = [...document.querySelectorAll("[data-presence]")];
  const count = () => {
    const chosen = choices.filter((choice) => (choice.type === "checkbox" ? choice.checked : choice.value));
    const people = new Set(chosen.map((choice) => choice.value)).size;
    button.value = (people < 2 ? button.dataset.one : button.dataset.many).replace("#", people);
  };
  for (const choice of choices) choice.addEventListener("change", count);
  addEventListener("pageshow", count);
}
