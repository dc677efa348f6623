// This plugin puts the script and the style sheet behind the text of the page, so that a
// browser shows the text before it has loaded them. Vite puts them into the head, where a
// style sheet keeps the browser from showing anything.
export function textFirst() {
  return {
    name: "text-first",
    apply: "build",
    transformIndexHtml: {
      order: "post",
      handler(html) {
        const late = [];
        const rest = html.replaceAll(/[ \t]*(<link rel="stylesheet"[^>]*>|<script type="module"[^>]*><\/script>)\n/g, (line, tag) => {
          late.push(tag);
          return "";
        });
        if (!late.some((tag) => tag.startsWith("<link")) || !late.some((tag) => tag.startsWith("<script"))) {
          throw new Error("the page lacks a script or a style sheet: " + late.join(" "));
        }
        late.sort((a, b) => Number(a.startsWith("<script")) - Number(b.startsWith("<script"))); // the script shows the application, which needs its styles
        return rest
          .replace("  </head>", `    ${preload}\n  </head>`)
          .replace("  </body>", `${late.map((tag) => `    ${tag}\n`).join("")}  </body>`);
      },
    },
  };
}

// The application asks first who is signed in. The browser sends that request while it
// loads the script.
const preload = '<link rel="preload" href="/api/login" as="fetch" crossorigin="use-credentials">';
