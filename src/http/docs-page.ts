import { errorCatalog } from "../errors.ts";

/** Needs no host but ours: the assets come from the npm package by way of `/docs/assets`. */
export const DOCS_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Darkroom API</title>
<link rel="icon" type="image/png" href="/docs/assets/favicon-32x32.png">
<link rel="stylesheet" href="/docs/assets/swagger-ui.css">
</head>
<body>
<div id="ui"></div>
<script src="/docs/assets/swagger-ui-bundle.js"></script>
<script src="/docs/assets/start.js"></script>
</body>
</html>
`;

/** `validatorUrl: null` keeps the page from asking a validator on the internet about our document. */
export const START_SCRIPT = `SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#ui",
  deepLinking: true,
  displayRequestDuration: true,
  persistAuthorization: true,
  tryItOutEnabled: true,
  validatorUrl: null,
});
`;

/** Swagger UI sets styles inline and draws its icons from data URLs. */
export const DOCS_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
  "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const row = ({ code, status, title, retryable }: (typeof errorCatalog)[number]) =>
  `<tr id="${code}"><td><code>${code}</code></td><td>${status}</td><td>${title}</td><td>${retryable ? "yes" : "no"}</td></tr>`;

/** What the `type` of a problem document points to. */
export const ERRORS_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Darkroom errors</title>
<style>body{font:16px/1.5 system-ui;margin:2rem}td,th{padding:.3rem 1rem;text-align:left}tr:target{background:#ff08}</style>
</head>
<body>
<h1>Errors</h1>
<p>Every error is an RFC 9457 document with one of these codes.</p>
<table>
<tr><th>code</th><th>status</th><th>meaning</th><th>retryable</th></tr>
${errorCatalog.map(row).join("\n")}
</table>
</body>
</html>
`;
