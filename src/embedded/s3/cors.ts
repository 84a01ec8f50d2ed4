const METHODS = "GET, HEAD, PUT, POST, DELETE";
const EXPOSED = "ETag, Content-Length, Content-Range, Accept-Ranges, Last-Modified, x-amz-request-id";

/** Cross-origin rules: the origins that `allowed` accepts may do what a signature lets them. */
export const createCors = (allowed: (origin: string) => boolean) => {
  const accepts = (request: Request): string | null => {
    const origin = request.headers.get("origin");
    return origin !== null && allowed(origin) ? origin : null;
  };
  return {
    /** The answer to `OPTIONS`; 403 where the origin is not allowed. */
    preflight(request: Request): Response {
      const origin = accepts(request);
      const vary = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";
      if (!origin || !request.headers.has("access-control-request-method")) {
        return new Response("This CORS request is not allowed", { status: 403, headers: { Vary: vary } });
      }
      const asked = request.headers.get("access-control-request-headers");
      return new Response(null, {
        status: 204,
        headers: {
          "Access-Control-Allow-Origin": origin,
          "Access-Control-Allow-Methods": METHODS,
          ...(asked && { "Access-Control-Allow-Headers": asked }),
          "Access-Control-Max-Age": "3600",
          Vary: vary,
        },
      });
    },
    /** Adds the headers that let a page of an allowed origin read the answer. */
    decorate(request: Request, headers: Headers): void {
      headers.append("Vary", "Origin");
      const origin = accepts(request);
      if (!origin) return;
      headers.set("Access-Control-Allow-Origin", origin);
      headers.set("Access-Control-Expose-Headers", EXPOSED);
    },
  };
};
