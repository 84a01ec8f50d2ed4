const opaque = (tag: string) => tag.trim().replace(/^W\//, "");

/**
 * The weak ETag of a resource at a version, and whether the client already has it. The version must
 * change with all that the body shows: add the epoch of signed URLs to it, or a 304 keeps them stale.
 */
export const conditional = (request: Request, version: string | number): { etag: string; fresh: boolean } => {
  const etag = `W/"${String(version).replaceAll(/[^\w.:-]/g, "_")}"`;
  const asked = request.headers.get("if-none-match")?.split(",") ?? [];
  return { etag, fresh: asked.some((tag) => tag.trim() === "*" || opaque(tag) === opaque(etag)) };
};

/**
 * Answers with `render()` and an ETag, or with 304 and no body when the client already has it. Typed as the body:
 * Elysia lets a Response through as it is, but its types know no union of both.
 */
export const respond = <T>(
  context: { request: Request; set: { headers: Record<string, unknown> } },
  version: string | number,
  render: () => T,
): T => {
  const { etag, fresh } = conditional(context.request, version);
  const headers = { etag, "cache-control": "private, no-cache" };
  if (fresh) return new Response(null, { status: 304, headers }) as T;
  Object.assign(context.set.headers, headers);
  return render();
};
