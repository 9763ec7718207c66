// Copyright (c) planetary.hub contributors
// SPDX-License-Identifier: MIT
// Tells in JupyterLab when the hub will stop the server, minutes before. A container of module federation as JupyterLab loads
// it, written by hand: the plugin needs no other module, only JupyterLab's command for notifications (JupyterLab 4).
(() => {
  "use strict";

  const NAME = "planetary-hub-stop-notice";
  const CHECK = 15; // seconds between two looks at the clock

  // What jupyter_server_config.py says: stop_at (seconds since 1970, or null), idle (seconds, or null), notice (seconds).
  function plan() {
    const element = document.getElementById("jupyter-config-data");
    const data = element ? JSON.parse(element.textContent || "{}") : {};
    return data.hubStopNotice ? JSON.parse(data.hubStopNotice) : null;
  }

  function clock(seconds) {
    return new Date(seconds * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  }

  // The notice that is due: its kind and text, or null. A hidden page asks the server for nothing, so that it counts as idle.
  function due(wanted, now, hiddenSince) {
    if (wanted.stop_at !== null && now >= wanted.stop_at - wanted.notice) {
      return {
        kind: "age",
        text: `This server will be stopped at ${clock(wanted.stop_at)}, the longest that one may run. Save your work; ` +
          "you can start another one at once.",
      };
    }
    if (wanted.idle !== null && hiddenSince !== null && now >= hiddenSince + wanted.idle - wanted.notice) {
      return {
        kind: "idle",
        text: `Nobody used this server: it will be stopped at about ${clock(hiddenSince + wanted.idle)}, unless you come back.`,
      };
    }
    return null;
  }

  function activate(app) {
    const wanted = plan();
    if (wanted === null) {
      return;
    }
    let hiddenSince = null;
    let shown = null;
    async function look() {
      const now = Date.now() / 1000;
      const notice = due(wanted, now, hiddenSince);
      const kind = notice ? notice.kind : null;
      if (kind === (shown ? shown.kind : null)) {
        return;
      }
      if (shown) {
        const { id } = shown;
        shown = null;
        await app.commands.execute("apputils:dismiss-notification", { id });
      }
      if (notice) {
        shown = { kind, id: null };
        const options = { autoClose: false };
        shown.id = await app.commands.execute("apputils:notify", { message: notice.text, type: "warning", options });
      }
    }
    document.addEventListener("visibilitychange", () => {
      hiddenSince = document.hidden ? Date.now() / 1000 : null;
      look();
    });
    setInterval(look, CHECK * 1000);
    app.restored.then(look);
  }

  const module = { __esModule: true, default: { id: `${NAME}:plugin`, autoStart: true, activate } };
  const container = { init: () => undefined, get: async () => () => module };
  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB[NAME] = container;
})();
