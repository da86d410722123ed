// Follows what is under way: the page is asked for again, and its main part takes the old one's place.
"use strict";

async function follow() {
  const shown = document.querySelector("main[data-live]");
  if (!shown) return;
  await new Promise((done) => setTimeout(done, Number(shown.dataset.live) * 1000));
  const isBusy = shown.contains(document.activeElement) && document.activeElement !== shown;
  if (!document.hidden && !isBusy) {
    try {
      const answer = await fetch(location.href, {credentials: "same-origin"});
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("main");
      if (answer.ok && fresh) shown.replaceWith(document.adoptNode(fresh));
    } catch (error) {
      // Nobody answers just now: the next round asks again.
    }
  }
  follow();
}

follow();
