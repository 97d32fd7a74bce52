// Before the page is drawn: light or dark, when the reader has chosen. Not deferred, so that nothing flashes.
"use strict";
try {
  const chosen = localStorage.getItem("theme");
  if (chosen) document.documentElement.dataset.theme = chosen;
} catch {
  // No storage in this browser: the reader's system setting decides.
}
