"use strict";

// The mail of what was typed is asked for by a form; without this script, by its button.
document.getElementById("show-mail").click();
