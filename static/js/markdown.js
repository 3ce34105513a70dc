"use strict";

// Buttons above each text in Markdown. Without script there are none, and the text is typed all the same.
const around = (before, after = before) => (words) => `${before}${words}${after}`;
const MARKS = {
  bold: around("**"),
  link: (words) => `[${words}](https://)`,
  list: (words) => words.split("\n").map((line) => `- ${line}`).join("\n"),
  title: (words) => `## ${words}`,
};

const apply = (text, mark) => {
  const { selectionStart: start, selectionEnd: end } = text;
  text.setRangeText(mark(text.value.slice(start, end)), start, end, "select");
  text.focus();
  text.dispatchEvent(new Event("input", { bubbles: true }));
};

const equip = (text) => {
  const tools = document.createElement("div");
  tools.className = "tools";
  tools.setAttribute("role", "group");
  tools.setAttribute("aria-label", text.labels[0]?.textContent.trim() ?? "");
  for (const [name, mark] of Object.entries(MARKS)) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: text.dataset[name] });
    button.addEventListener("click", () => apply(text, mark));
    tools.append(button);
  }
  const editor = Object.assign(document.createElement("div"), { className: "editor" });
  text.replaceWith(editor);
  editor.append(tools, text);
};

for (const text of document.querySelectorAll("textarea[data-bold]")) equip(text);
document.addEventListener("formset:added", (event) => {
  for (const text of event.target.querySelectorAll("textarea[data-bold]")) {
    if (!text.closest(".editor")) equip(text);
  }
});

// The preview beside the text follows what is typed.
const update = document.querySelector("[formtarget=text-preview]");
if (update) {
  const frame = document.querySelector("iframe[name=text-preview]");
  let waiting;
  const show = async () => {
    const body = new FormData();
    for (const name of ["csrfmiddlewaretoken", "description"]) body.append(name, update.form.elements[name].value);
    const answer = await fetch(update.formAction, { method: "POST", body });
    if (answer.ok && !answer.redirected) frame.srcdoc = await answer.text();
  };
  update.form.elements.description.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(show, 400);
  });
}
