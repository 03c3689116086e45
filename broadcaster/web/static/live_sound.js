// A sound when somebody asks for help, or a rule is about to send an alert out. Browsers let a page sound only after a click, so it is off until it is switched on;
// the button always says which it is.
"use strict";

(function () {
  const button = document.getElementById("sound");
  const page = document.getElementById("live");
  if (!button || !page || !window.AudioContext) return;

  let audio = null;
  let heard = cries();

  function cries() {
    const box = document.getElementById("cries");
    return box ? Number(box.dataset.cries) : 0;
  }

  function say(on) {
    button.setAttribute("aria-pressed", String(on));
    button.textContent = on ? button.dataset.on : button.dataset.off;
  }

  // Three falling pairs of tones, about as loud as a telephone.
  function sound() {
    if (!audio) return;
    const volume = audio.createGain();
    volume.gain.value = 0.3;
    volume.connect(audio.destination);
    for (let nth = 0; nth < 6; nth += 1) {
      const tone = audio.createOscillator();
      tone.frequency.value = nth % 2 ? 660 : 880;
      tone.connect(volume);
      tone.start(audio.currentTime + nth * 0.2);
      tone.stop(audio.currentTime + nth * 0.2 + 0.18);
    }
    button.dataset.sounded = String(Number(button.dataset.sounded || 0) + 1);
  }

  button.addEventListener("click", () => {
    if (audio) {
      audio.close();
      audio = null;
    } else {
      audio = new AudioContext();
      sound(); // so that it is known to work
    }
    say(Boolean(audio));
  });
  page.addEventListener("shown", () => {
    const now = cries();
    if (now > heard) sound();
    heard = now;
  });
  say(false);
  button.hidden = false;
})();
