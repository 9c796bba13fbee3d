    // The view's side of MCP Apps, protocol 2026-01-26: JSON-RPC 2.0 by postMessage with the host that embeds it.
    // Texts come from names and notes that others wrote: they only ever become text nodes, never markup.

    // An element; attributes that are null are left out, children are elements or texts.
    function element(tag, attributes, ...children) {
      const made = document.createElement(tag);
      for (const [name, value] of Object.entries(attributes)) {
        if (value !== null) made.setAttribute(name, value);
      }
      made.append(...children);
      return made;
    }

    function showMessage(text, failed) {
      document.getElementById("view").replaceChildren(
        element("p", { class: failed ? "message failed" : "message", role: failed ? "alert" : "status" }, text));
    }

    // What the host says about its surroundings: merged, since later messages tell only what changed.
    const surroundings = {};
    function applySurroundings(said) {
      Object.assign(surroundings, said);
      const root = document.documentElement;
      if (surroundings.theme === "light" || surroundings.theme === "dark") root.setAttribute("data-theme", surroundings.theme);
      const styles = said.styles && said.styles.variables ? said.styles.variables : {};
      for (const [name, value] of Object.entries(styles)) {
        if (/^--(color|font|border|shadow)-[a-z0-9-]+$/.test(name) && typeof value === "string") root.style.setProperty(name, value);
      }
    }

    // A format of the host's locale; one that this browser does not know must not cost the view.
    function formatter(Kind, options) {
      try {
        return new Kind(surroundings.locale, options);
      } catch {
        return new Kind("en", options);
      }
    }

    // `render` gets the structured answer of the tool; called again for each new one and when the surroundings
    // change.
    function connectToHost(app, render) {
      const kInitialize = 1;
      let last = null;
      // The host's origin is not known to a sandboxed view, and nothing of what is sent is secret.
      const send = (message) => window.parent.postMessage({ jsonrpc: "2.0", ...message }, "*");

      const draw = () => {
        if (last === null) return;
        const data = last.structuredContent;
        if (last.isError || !data || typeof data !== "object") {
          const texts = (Array.isArray(last.content) ? last.content : []).filter((block) => block && block.type === "text");
          showMessage(texts.map((block) => block.text).join("\n") || "The answer has nothing to show.", last.isError === true);
          return;
        }
        try {
          render(data);
        } catch {
          showMessage("The answer could not be drawn; its text tells the same.", true);
        }
      };

      const reportSize = () => {
        const height = Math.ceil(document.body.getBoundingClientRect().height);
        if (height === reportSize.last) return;
        reportSize.last = height;
        send({ method: "ui/notifications/size-changed", params: { height } });
      };

      const notified = {
        "ui/notifications/tool-result": (params) => { last = params; draw(); },
        "ui/notifications/tool-cancelled": () => showMessage("The call was cancelled.", false),
        "ui/notifications/host-context-changed": (params) => { applySurroundings(params); draw(); },
      };

      window.addEventListener("message", (event) => {
        const message = event.data;
        if (event.source !== window.parent || !message || message.jsonrpc !== "2.0") return;
        if (typeof message.method === "string") {
          if (message.id === undefined) {
            const handle = Object.hasOwn(notified, message.method) ? notified[message.method] : null;
            if (handle) handle(message.params && typeof message.params === "object" ? message.params : {});
          } else if (message.method === "ping" || message.method === "ui/resource-teardown") {
            send({ id: message.id, result: {} });
          } else {
            send({ id: message.id, error: { code: -32601, message: "This view has no such method." } });
          }
        } else if (message.id === kInitialize) {
          if (message.error) return showMessage("The host did not accept this view.", true);
          applySurroundings((message.result && message.result.hostContext) || {});
          send({ method: "ui/notifications/initialized", params: {} });
          new ResizeObserver(reportSize).observe(document.body);
        }
      });

      send({
        id: kInitialize,
        method: "ui/initialize",
        params: {
          protocolVersion: "2026-01-26",
          appInfo: app,
          appCapabilities: { availableDisplayModes: ["inline", "fullscreen"] },
        },
      });
    }
