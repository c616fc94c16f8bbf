// Redraws the parts that change, and stops jobs with the key that was typed in.
const kept = "synthcity-bridge-key";
const said = document.getElementById("said");
const say = (text) => { if (said) said.textContent = text; };
const arm = () => {
  const key = sessionStorage.getItem(kept);
  for (const button of document.querySelectorAll("button.stop")) {
    button.hidden = !key;
    button.onclick = async () => {
      const reply = await fetch(`/jobs/${button.dataset.job}/stop`, {
        method: "POST", body: "{}",
        headers: { "Content-Type": "application/json", "X-API-Key": key, "X-Bot-Id": button.dataset.bot },
      });
      const answer = await reply.json();
      say(reply.ok ? `job ${answer.id} is ${answer.state}` : answer.error);
      redraw();
    };
  }
};
const redraw = async () => {
  try {
    const reply = await fetch(location.href);
    if (!reply.ok) return;
    const page = new DOMParser().parseFromString(await reply.text(), "text/html");
    for (const part of document.querySelectorAll("[data-live]")) {
      const fresh = page.querySelector(`[data-live="${part.dataset.live}"]`);
      if (fresh && fresh.innerHTML !== part.dataset.shown) {
        if (!part.contains(document.activeElement)) part.innerHTML = fresh.innerHTML;
        part.dataset.shown = fresh.innerHTML;
      }
    }
    arm();
  } catch { /* the bridge is away; the page stays as it was */ }
};
document.getElementById("key-form")?.addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(kept, document.getElementById("key").value.trim());
  document.getElementById("key").value = "";
  say("kept in this tab");
  arm();
});
arm();
if (document.querySelector("[data-live]")) setInterval(() => document.hidden || redraw(), 5000);
