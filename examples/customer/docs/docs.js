// Shows /openapi.json and tries it out.
(() => {
  "use strict";
  const methods = ["get", "post", "patch", "delete"];
  SwaggerUIBundle({
    dom_id: "#docs",
    url: "/openapi.json",
    validatorUrl: null, // it would tell another site the document's address
    deepLinking: true,
    tryItOutEnabled: true,
    operationsSorter: (a, b) =>
      a.get("path").localeCompare(b.get("path")) || methods.indexOf(a.get("method")) - methods.indexOf(b.get("method")),
  });
})();
